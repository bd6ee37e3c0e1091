"""All that a plugin may rely on, and nothing else: ``from vmaftune.contract import CurveContext, Prediction``.

A plugin author reads hooks.py first. What is imported here is imported when it is used, so that a plugin costs little to load.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vmaftune.contract.captures import Capture as Capture
    from vmaftune.contract.curves import Adjustment as Adjustment
    from vmaftune.contract.curves import CurveContext as CurveContext
    from vmaftune.contract.curves import FloatArray as FloatArray
    from vmaftune.contract.curves import Prediction as Prediction
    from vmaftune.contract.encoders import EncoderSpec as EncoderSpec
    from vmaftune.contract.features import Features as Features
    from vmaftune.contract.inspection import Inspectable as Inspectable
    from vmaftune.contract.inspection import LearnedCapture as LearnedCapture
    from vmaftune.contract.inspection import LearnedState as LearnedState
    from vmaftune.contract.inspection import LearnedTerm as LearnedTerm
    from vmaftune.contract.learner import Learner as Learner
    from vmaftune.contract.learner import LearnerContext as LearnerContext
    from vmaftune.contract.plugins import Correction as Correction
    from vmaftune.contract.plugins import CorrectionSpec as CorrectionSpec
    from vmaftune.contract.plugins import NoSettings as NoSettings
    from vmaftune.contract.plugins import PluginContext as PluginContext
    from vmaftune.contract.plugins import Predictor as Predictor
    from vmaftune.contract.plugins import PredictorSpec as PredictorSpec
    from vmaftune.contract.plugins import Trainer as Trainer
    from vmaftune.contract.plugins import TrainerSpec as TrainerSpec
    from vmaftune.contract.positions import crf_positions as crf_positions
    from vmaftune.contract.records import ProbeRecord as ProbeRecord
    from vmaftune.contract.records import ProbeRequest as ProbeRequest
    from vmaftune.errors import Unsupported as Unsupported
    from vmaftune.escape import filter_value as filter_value
    from vmaftune.escape import nested_value as nested_value
    from vmaftune.quality.metric import Asked as Asked
    from vmaftune.quality.metric import Comparison as Comparison
    from vmaftune.quality.metric import Metric as Metric
    from vmaftune.quality.metric import Pictures as Pictures
    from vmaftune.quality.metric import fitted as fitted
    from vmaftune.quality.metric import parsed_size as parsed_size
    from vmaftune.quality.scale import Scale as Scale

_WHERE = {
    "vmaftune.contract.captures": ("Capture",),
    "vmaftune.contract.curves": (
        "Adjustment",
        "CurveContext",
        "FloatArray",
        "Prediction",
    ),
    "vmaftune.contract.encoders": ("EncoderSpec",),
    "vmaftune.contract.features": ("Features",),
    "vmaftune.contract.inspection": (
        "Inspectable",
        "LearnedCapture",
        "LearnedState",
        "LearnedTerm",
    ),
    "vmaftune.contract.learner": (
        "Learner",
        "LearnerContext",
    ),
    "vmaftune.contract.plugins": (
        "Correction",
        "CorrectionSpec",
        "NoSettings",
        "PluginContext",
        "Predictor",
        "PredictorSpec",
        "Trainer",
        "TrainerSpec",
    ),
    "vmaftune.contract.positions": ("crf_positions",),
    "vmaftune.contract.records": (
        "ProbeRecord",
        "ProbeRequest",
    ),
    "vmaftune.errors": ("Unsupported",),
    "vmaftune.escape": ("filter_value", "nested_value"),
    "vmaftune.quality.metric": ("Asked", "Comparison", "Metric", "Pictures", "fitted", "parsed_size"),
    "vmaftune.quality.scale": ("Scale",),
}
_MODULES = {name: module for module, names in _WHERE.items() for name in names}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    """The object of that name, from the module that defines it."""
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
