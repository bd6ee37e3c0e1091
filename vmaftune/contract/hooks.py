"""The hooks of vmaf-tune. Each docstring is the hook's contract.

A plugin is a module (or an object) that implements some of them and is named in the entry-point group ``vmaftune`` of its
distribution. It may declare the plugin API it was written for as ``vmaftune_api = 1``.

What holds for all of them: the host calls each plugin on its own. A plugin that raises, or returns something that its contract
forbids, is named in one line and switched off for the rest of the run; under ``--strict-plugins`` it ends the run. Hooks are
called from the main thread. Records are frozen. A hook that does nothing should not be implemented. ``vmaftune.testing`` and
``vmaf-tune plugins check NAME`` hold a plugin to its contract.
"""

from __future__ import annotations

from collections.abc import Iterable

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.markers import hookspec
from vmaftune.contract.plugins import CorrectionSpec, PredictorSpec, TrainerSpec
from vmaftune.contract.records import ProbeRecord, ProbeRequest
from vmaftune.quality.metric import Metric


class VmafTuneSpec:
    """All hooks; the names that plugins implement."""

    @hookspec
    def vmaftune_predictors(self) -> Iterable[PredictorSpec]:  # type: ignore[empty-body]
        """Register predictors.

        Called once, when plugins are loaded. Must be cheap: heavy imports belong in the factory.

        Example::

            @hookimpl
            def vmaftune_predictors():
                yield PredictorSpec(name="nearest", version="1.0", factory=lambda context: Nearest())
        """

    @hookspec
    def vmaftune_corrections(self) -> Iterable[CorrectionSpec]:  # type: ignore[empty-body]
        """Register corrections.

        Called once, when plugins are loaded. A correction takes part in a run when ``--plugin NAME`` or the configuration
        switches it on. Several are chained in the order they were named: each gets what the ones before it made.

        Example::

            class MeanResidual:
                def __init__(self, context):
                    self.file = context.cache_folder / "mean-residual" / f"{context.predictor_version}.txt"

                def correct(self, context, prediction):
                    residuals = np.loadtxt(self.file, ndmin=1) if self.file.exists() else np.zeros(0)
                    shift = np.clip(residuals.mean(), -20, 20) if len(residuals) else 0.0
                    return Adjustment(shift=np.full(len(context.crfs), shift), captures=len(residuals))

                def learn(self, capture):
                    self.file.parent.mkdir(parents=True, exist_ok=True)
                    with self.file.open("a") as file:  # one short line is appended whole, whatever other processes do
                        print(capture.residual, file=file)

            @hookimpl
            def vmaftune_corrections():
                yield CorrectionSpec(name="mean-residual", version="1.0", factory=MeanResidual)
        """

    @hookspec
    def vmaftune_trainers(self) -> Iterable[TrainerSpec]:  # type: ignore[empty-body]
        """Register trainers.

        Called once, when plugins are loaded. A trainer takes part in a run when ``--plugin NAME`` or the configuration switches
        it on; it is given every capture and never slows the run.

        Example::

            @hookimpl
            def vmaftune_trainers():
                yield TrainerSpec(name="collector", version="1.0", factory=Collector)
        """

    @hookspec
    def vmaftune_encoders(self) -> Iterable[EncoderSpec]:  # type: ignore[empty-body]
        """Register encoders, or replace one of the same name that an earlier plugin registered.

        Called once, when plugins are loaded.

        Example::

            @hookimpl
            def vmaftune_encoders():
                yield EncoderSpec(name="librav1e", quality_options=(("-qp", "{}"),), quality_range=(0, 255),
                                  search_range=(40, 200), preset_option="-speed", presets=("4", "6", "8"))
        """

    @hookspec
    def vmaftune_metrics(self) -> Iterable[Metric]:  # type: ignore[empty-body]
        """Register metrics, or replace one of the same name that an earlier plugin registered. ``--metric NAME`` chooses one.

        Called once, when plugins are loaded.

        Example::

            class Psnr(Metric):
                name, title, unit, highest, filter, parts = "psnr", "PSNR", "dB", 100.0, "psnr", ("psnr_avg",)
                ...  # decide, filter_text and read_log: docs/plugins.md has a whole one

            @hookimpl
            def vmaftune_metrics():
                yield Psnr()
        """

    @hookspec
    def vmaftune_before_probe(self, request: ProbeRequest) -> None:
        """Called before each trial encode, verifying or exploring (not for one that the cache holds). Its return value is
        not used.

        Example::

            @hookimpl
            def vmaftune_before_probe(request):
                print(f"probing CRF {request.crf}")
        """

    @hookspec
    def vmaftune_after_probe(self, request: ProbeRequest, record: ProbeRecord) -> None:
        """Called after each trial encode that succeeded, with its record; after ``vmaftune_after_score``.

        Example::

            @hookimpl
            def vmaftune_after_probe(request, record):
                print(f"{record.bitrate_kbps:.0f} kb/s in {record.encode_seconds:.1f} s")
        """

    @hookspec
    def vmaftune_before_score(self, request: ProbeRequest) -> None:
        """Called before each scoring. Where one process encodes and scores, this is right after ``vmaftune_before_probe``.

        Example::

            @hookimpl
            def vmaftune_before_score(request):
                print(f"scoring CRF {request.crf} to {request.purpose}")
        """

    @hookspec
    def vmaftune_after_score(self, request: ProbeRequest, record: ProbeRecord) -> None:
        """Called after each scoring that succeeded, with the score: verified, or an estimate where the purpose is ``explore``.

        Example::

            @hookimpl
            def vmaftune_after_score(request, record):
                if record.purpose == "verify":
                    print(f"CRF {record.crf} scores {record.score:.2f}")
        """
