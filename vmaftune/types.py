"""Everything that hooks take and return. A plugin author reads this file and hookspecs.py, and needs no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec
import numpy as np
import numpy.typing as npt

from vmaftune.encoders.spec import EncoderSpec
from vmaftune.errors import Unsupported
from vmaftune.features.schema import Features
from vmaftune.quality.scale import USUAL, Scale
from vmaftune.trainer.learner import Learner, LearnerContext

__all__ = [
    "Adjustment",
    "Capture",
    "Correction",
    "CorrectionSpec",
    "CurveContext",
    "EncoderSpec",
    "Features",
    "FloatArray",
    "Inspectable",
    "LearnedCapture",
    "LearnedState",
    "LearnedTerm",
    "NoSettings",
    "PluginContext",
    "Prediction",
    "Predictor",
    "PredictorSpec",
    "ProbeRecord",
    "ProbeRequest",
    "Scale",
    "Trainer",
    "TrainerSpec",
    "Unsupported",
]

FloatArray = npt.NDArray[np.float64]


# --- What predictors and corrections see and say -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CurveContext:
    """The curve that is asked for.

    Attributes:
        features: of the source.
        encoder: its spec.
        preset: None where the encoder has none.
        crfs: the CRF grid, shape (n,), from the best quality to the coarsest.
        scale: of what scale the scores are that it is asked for.
    """

    features: Features
    encoder: EncoderSpec
    preset: str | None
    crfs: FloatArray
    scale: Scale = USUAL


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A predicted curve with its uncertainty.

    Attributes:
        mean: VMAF at each CRF of the grid, shape (n,), 0 to 100.
        covariance: of VMAF over the grid, shape (n, n), symmetric and positive semi-definite, in VMAF squared.
        note: something a person should know, such as that the preset was not among those learned from.
    """

    mean: FloatArray
    covariance: FloatArray
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Adjustment:
    """What a correction makes of the curve that it was given.

    Attributes:
        shift: VMAF added at each CRF of the grid, shape (n,). Exactly zero while nothing was learned.
        captures: how many captures it rests on.
        covariance: of the shifted curve, shape (n, n), as in Prediction; None leaves it as it was given.
        note: something a person should know, such as that what was learned no longer fits.
    """

    shift: FloatArray
    captures: int
    covariance: FloatArray | None = None
    note: str | None = None


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """One score that was paid for, as corrections and trainers learn from it. No name, path or hash of a source in it.

    Scores of one source come with the same features: that is how a learner knows that they are of one source.

    Attributes:
        features: of the source.
        encoder, preset, crf: the encode.
        crf_position: place of the CRF in the encoder's search range, 0 (best) to 1 (coarsest).
        predicted: VMAF as it was given to this learner: to a correction by the predictor and the corrections before it, to a
            trainer by the predictor alone.
        deviation: standard deviation of ``predicted``, in VMAF.
        corrected: VMAF after this correction; for a trainer, after all corrections.
        observed: VMAF that was measured.
        unix_seconds: when.
    """

    features: Features
    encoder: str
    preset: str | None
    crf: float
    crf_position: float
    predicted: float
    deviation: float
    corrected: float
    observed: float
    unix_seconds: float

    @property
    def residual(self) -> float:
        """observed - predicted, in VMAF."""
        return self.observed - self.predicted


# --- What the event hooks see ---------------------------------------------------------------------------------------------


class ProbeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A trial encode that is about to run.

    Attributes:
        purpose: ``verify`` (all frames are scored, and this can be the result), ``explore`` (a part of them is scored, to see
            where to verify) or ``pilot`` (a fast encode that only feeds the prediction).
        number: 1 for the first of its search.
        encoder, preset, crf: the encode.
        frames: frames that are encoded.
        samples: in how many samples.
    """

    purpose: str
    number: int
    encoder: str
    preset: str | None
    crf: float
    frames: int
    samples: int


class ProbeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A probe that was made, or found in the cache.

    Attributes:
        purpose: ``verify`` or ``explore``, as in ProbeRequest.
        crf: of the encode.
        vmaf: pooled over all frames of all samples, 0 to 100; what ``explore`` expects that to be.
        deviation: standard deviation in VMAF of ``vmaf`` as an estimate of the whole's; 0 where the whole was scored.
        bitrate_kbps: of the encoded video, without container.
        encoded_percent: size of the encoded video as a percentage of the source's video.
        encode_seconds: wall time of encoding; of encoding and scoring together where one process did both.
        score_seconds: wall time of scoring where it ran apart, else 0.
        frames: frames scored.
        cached: True when no encode was run.
    """

    purpose: str
    crf: float
    vmaf: float
    deviation: float
    bitrate_kbps: float
    encoded_percent: float
    encode_seconds: float
    score_seconds: float
    frames: int
    cached: bool


# --- What plugins are ------------------------------------------------------------------------------------------------------
# vmaftune.testing holds a plugin to what is said here.


class NoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of a plugin that has none."""


@dataclass(frozen=True, kw_only=True)
class PluginContext:
    """What the host gives a factory.

    Attributes:
        settings: instance of the spec's ``settings`` type, validated.
        predictor_version: version of the predictor in use, with ``+NAME`` for each correction that comes before; learned
            state is keyed by it. Empty for a predictor's own factory.
        cache_folder: ``<cache>/vmaf-tune``; the only place where a plugin may write.
        warn: shows one line to the user.
    """

    settings: Any
    predictor_version: str
    cache_folder: Path
    warn: Callable[[str], None]


class Predictor(Protocol):
    """Gives curves. Deterministic: the same context gives the same prediction on every host."""

    @property
    def version(self) -> str:
        """Identifies model and data, such as ``population_v2-1a2b3c4d``; fit for a folder name."""

    def predict(self, context: CurveContext) -> Prediction:
        """The curve of one source. Raises Unsupported for what it knows nothing about: an encoder, a preset, or a source
        with a feature that could not be measured (NaN)."""


class Correction(Protocol):
    """Shifts curves by what this host has learned. Whatever the features are (NaN, or huge), its answers are finite."""

    def correct(self, context: CurveContext, prediction: Prediction) -> Adjustment:
        """The shift for one source. ``prediction`` is what the predictor and the corrections named before this one made; it
        is left as it is."""

    def learn(self, capture: Capture) -> None:
        """Take in one capture, durably: it survives a kill right after this returns."""


class LearnedState(msgspec.Struct, frozen=True, kw_only=True):
    """What a correction has learned of one encoder, for people.

    Attributes:
        predictor_version, encoder: whose residuals it was learned from.
        captures: how many, of how many ``sources``; ``absurd`` ones among them count for nothing.
        presets: captures by preset; "" where the encoder has none.
        status: ``learning | healthy | drifting | stale``.
        ratio: rms over the last ``window`` captures of what correction left, over what the prediction let expect.
        rms_before, rms_after: of the residuals in the window, in VMAF; None while there are none.
        last_unix_seconds: when the last capture was made.
        size_bytes: of the file.
    """

    predictor_version: str
    encoder: str
    captures: int
    sources: int
    absurd: int
    presets: dict[str, int]
    status: str
    ratio: float | None
    rms_before: float | None
    rms_after: float | None
    window: int
    last_unix_seconds: float | None
    size_bytes: int


class LearnedCapture(msgspec.Struct, frozen=True, kw_only=True):
    """One capture that a correction still holds.

    Attributes:
        preset, crf_position, deviation, unix_seconds: as in Capture.
        residual, left: before and after the correction of its day, in VMAF.
        absurd: whether it counts for nothing.
    """

    preset: str | None
    crf_position: float
    deviation: float
    residual: float
    left: float
    absurd: bool
    unix_seconds: float


class LearnedTerm(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a correction: its name, its size in VMAF per unit, and the standard deviation of that."""

    name: str
    weight: float
    deviation: float


@runtime_checkable
class Inspectable(Protocol):
    """What a correction has besides ``correct`` and ``learn`` if ``vmaf-tune sidecar`` is to look after it."""

    def states(self) -> list[LearnedState]:
        """All that was learned on this host, for every predictor version and encoder."""

    def captures(self, predictor_version: str, encoder: str) -> list[LearnedCapture]:
        """Captures that are still held, oldest first."""

    def terms(self, predictor_version: str, encoder: str, preset: str | None) -> list[LearnedTerm]:
        """What the correction is made of, largest first."""

    def reset(self, predictor_version: str, encoder: str) -> None:
        """Forget. Raises OSError where that cannot be done."""

    def exported(self, predictor_version: str, encoder: str) -> dict[str, Any]:
        """What was learned as JSON values, without anything that names a host or a source."""

    def take_in(self, predictor_version: str, encoder: str, content: dict[str, Any], bundle: str) -> int:
        """Add what another host exported; how many captures that were. What is known adds nothing, whether it was learned here
        or came in another ``bundle``, which is the hash of the whole: hosts hand on what they took in.

        Raises ValueError where the content is not what ``exported`` gives.
        """


class Trainer(Protocol):
    """Learns to make better models from captures; takes no part in the search."""

    def learn(self, capture: Capture) -> None:
        """Take in one capture without blocking."""

    def close(self) -> None:
        """The run is over. May come twice, and without a capture before it."""


@dataclass(frozen=True, kw_only=True)
class PredictorSpec:
    """A predictor, as ``vmaftune_predictors`` yields it.

    Attributes:
        name: what ``--predictor`` takes.
        version: of the plugin, for people.
        factory: called once a run, when the predictor is first needed; heavy imports belong in it.
        settings: msgspec.Struct that ``[plugins.NAME]`` of the configuration is validated against.
        default_rank: predictors with a rank are tried in rising order when none was named; None is used only by name.
        summary: one line for ``plugins list``.
        thread_safe: several threads may use one instance at once.
        process_safe: several processes may use one cache folder at once; of what they learn, no capture is lost or counts
            twice.
        budget_ms: wall time in ms that one call (predict, correct or learn) needs at most on an ordinary host, after the
            factory; ``vmaftune.testing`` allows five times that, since hosts are busy.
    """

    name: str
    version: str
    factory: Callable[[PluginContext], Predictor]
    settings: type[msgspec.Struct] = NoSettings
    default_rank: int | None = None
    summary: str = ""
    thread_safe: bool = False
    process_safe: bool = True
    budget_ms: float = 50.0
    kind: str = field(default="predictor", init=False)


@dataclass(frozen=True, kw_only=True)
class CorrectionSpec:
    """A correction, as ``vmaftune_corrections`` yields it; switched on with ``--plugin NAME``. Fields as in PredictorSpec,
    and:

    Attributes:
        alternative: to another correction, which people meet first: ``vmaf-tune sidecar`` looks after it where it was named,
            is switched on in the configuration, or has learned something.
    """

    name: str
    version: str
    factory: Callable[[PluginContext], Correction]
    settings: type[msgspec.Struct] = NoSettings
    summary: str = ""
    alternative: bool = False
    thread_safe: bool = False
    process_safe: bool = True
    budget_ms: float = 50.0
    kind: str = field(default="correction", init=False)


@dataclass(frozen=True, kw_only=True)
class TrainerSpec:
    """A trainer, as ``vmaftune_trainers`` yields it; switched on with ``--plugin NAME``. Fields as in PredictorSpec, and:

    Attributes:
        learner: makes what ``vmaf-tune trainer`` trains with, from a vmaftune.trainer.learner.LearnerContext; None where the
            trainer has no part that the service could run.
    """

    name: str
    version: str
    factory: Callable[[PluginContext], Trainer]
    settings: type[msgspec.Struct] = NoSettings
    summary: str = ""
    thread_safe: bool = False
    process_safe: bool = True
    budget_ms: float = 50.0
    learner: Callable[[LearnerContext], Learner] | None = None
    kind: str = field(default="trainer", init=False)
