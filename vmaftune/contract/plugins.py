"""What plugins are; vmaftune.testing holds a plugin to what is said here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from vmaftune.contract.captures import Capture
from vmaftune.contract.curves import Adjustment, CurveContext, Prediction
from vmaftune.contract.learner import Learner, LearnerContext
from vmaftune.quality.scale import USUAL, Scale

LEARNED_SCALES = (USUAL, Scale(model="vmaf_4k_v0.6.1"))
"""What corpora are scored in: the mean of VMAF at automatic size, by the model that the size of the pictures calls for."""


class NoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of a plugin that has none."""


@dataclass(frozen=True, kw_only=True)
class PluginContext:
    """What the host gives a factory.

    Attributes:
        settings: instance of the spec's ``settings`` type, validated.
        predictor_version: version of the predictor in use, with ``~`` and the scale's identity where it is not the usual one,
            and with ``+NAME`` for each correction that comes before. Learned state is keyed by it, which keeps scales apart.
            Empty for a predictor's own factory.
        cache_folder: ``<cache>/vmaf-tune``; the only place where a plugin may write.
        warn: shows one line to the user.
        scale: of what scale the curves are that a correction is asked to correct. A trainer is asked once for all scales; its
            captures say of which each is.
        grain: how large a difference in score of that scale is as large as one VMAF, as Metric.grain says.
    """

    settings: Any
    predictor_version: str
    cache_folder: Path
    warn: Callable[[str], None]
    scale: Scale = USUAL
    grain: float = 1.0


class Predictor(Protocol):
    """Gives curves. Deterministic: the same context gives the same prediction on every host."""

    @property
    def version(self) -> str:
        """Identifies model and data, such as ``population_v2-1a2b3c4d``; fit for a folder name, without ``~`` and ``+``."""

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
        scales: scales of scores that it knows; it is asked for no other. For another one the host turns what it says of the
            nearest of these into that, by what was measured of both, and makes the band wider by how far off that can be.
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
    scales: tuple[Scale, ...] = LEARNED_SCALES
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
        learner: makes what ``vmaf-tune trainer`` trains with, from a vmaftune.contract.learner.LearnerContext; None where the
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
