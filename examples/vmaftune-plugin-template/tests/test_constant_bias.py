"""The correction keeps vmaf-tune's contract, and learns what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from vmaftune_plugin_template.constant_bias import ConstantBias, Settings
from vmaftune_plugin_template.known_sources import load

from vmaftune.contract import (
    Capture,
    CurveContext,
    EncoderSpec,
    Features,
    PluginContext,
    Prediction,
)
from vmaftune.testing import parametrize_with_checks

CRFS = np.arange(20.0, 30.0)


@parametrize_with_checks("constant-bias")
def test_contract(check):
    check()


def correction(folder: Path, strength: float = 1.0) -> ConstantBias:
    settings = Settings(strength=strength)
    context = PluginContext(settings=settings, predictor_version="some-1", cache_folder=folder, warn=pytest.fail)
    return ConstantBias(context)


def capture(source: int, residual: float) -> Capture:
    known, _ = load()
    return Capture(
        features=Features(schema=known.feature_schema, values=known.sources[source].features),
        encoder="libx264",
        preset="medium",
        crf=24.0,
        crf_position=0.4,
        predicted=90.0,
        deviation=3.0,
        corrected=90.0,
        observed=90.0 + residual,
        unix_seconds=0.0,
    )


def shift(learner: ConstantBias) -> float:
    known, _ = load()
    features = Features(schema=known.feature_schema, values=known.sources[0].features)
    asked = CurveContext(features=features, encoder=EncoderSpec(name="libx264"), preset="medium", crfs=CRFS)
    given = Prediction(mean=np.full(len(CRFS), 90.0), covariance=np.eye(len(CRFS)))
    return float(learner.correct(asked, given).shift[0])


def test_two_sources_say_more_than_one_and_captures_of_one_source_count_once(tmp_path: Path) -> None:
    learner = correction(tmp_path)
    learner.learn(capture(source=0, residual=3.0))
    assert shift(learner) == pytest.approx(1.5)
    learner.learn(capture(source=0, residual=3.0))
    assert shift(learner) == pytest.approx(1.5)
    learner.learn(capture(source=1, residual=3.0))
    assert shift(learner) == pytest.approx(2.0)


def test_what_was_learned_is_there_for_the_next_process_and_strength_scales_it(tmp_path: Path) -> None:
    correction(tmp_path).learn(capture(source=0, residual=-4.0))
    assert shift(correction(tmp_path, strength=0.5)) == pytest.approx(-1.0)
