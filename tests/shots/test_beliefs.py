"""What is believed of shots, and how it closes in on what they are."""

from __future__ import annotations

import numpy as np
import pytest

from vmaftune.contract import Prediction
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.features import FEATURES, NAMES, SCHEMA_VERSION, Features
from vmaftune.crf_search.strategy import Goal
from vmaftune.features.measure import Measured
from vmaftune.shots.beliefs import Beliefs
from vmaftune.shots.detect import Shot
from vmaftune.shots.model import ShotModel

CRFS = np.arange(10.0, 46.5, 0.5)
GOAL = Goal(target=90.0, tolerance=0.5, max_probes=10)
X264 = EncoderSpec(name="libx264")


def _model(frames: int, at_24: float, slope: float, log2_bits: float = -3.0) -> ShotModel:
    """A shot of which a straight line is predicted, and pilots that halve every 6 CRF."""
    values = {name: scale.centre for name, scale in FEATURES.items()}
    values |= {"pilot_log2_bits_per_pixel_fine": log2_bits, "pilot_log2_bits_per_pixel_coarse": log2_bits - 8 / 6}
    features = Features(schema=SCHEMA_VERSION, values=tuple(values[name] for name in NAMES))
    mean = np.clip(at_24 + slope * (CRFS - 24.0), 0.0, 100.0)
    prediction = Prediction(mean=mean, covariance=np.full((len(CRFS),) * 2, 4.0))
    measured = Measured(features=features, frames=(frames,), feature_seconds=0.0)
    return ShotModel(Shot(start=0, frames=frames), measured, prediction, X264, CRFS, 320 * 180)


def _at(crf: float) -> int:
    return int(np.flatnonzero(crf == CRFS)[0])


def test_sizes_follow_the_pilots_and_are_exact_where_measured() -> None:
    model = _model(100, 90.0, -1.0, log2_bits=-3.0)
    expected = 2.0**-3 * 320 * 180 / 8 * 100
    assert model.sizes(0.0)[_at(24)] == pytest.approx(expected)
    assert model.sizes(0.0)[_at(30)] == pytest.approx(expected / 2)
    assert model.sizes(1.0)[_at(30)] == pytest.approx(expected)  # other shots turned out twice as large
    model.take_whole(_at(24), 90.0, 50_000)
    model.take_whole(_at(30), 85.0, 20_000)
    assert model.sizes(9.0)[[_at(24), _at(30)]] == pytest.approx([50_000, 20_000])
    assert 20_000 < model.sizes(9.0)[_at(27)] < 50_000


def test_a_part_leaves_doubt_and_the_whole_none() -> None:
    model = _model(640, 90.0, -1.0)
    before = model.deviation(_at(24))
    model.take_part(_at(24), 88.0, 4_000, 64)
    after_part = model.deviation(_at(24))
    model.take_whole(_at(24), 87.0, 50_000)
    assert before > after_part > 0.5 > 0.1 > model.deviation(_at(24))
    assert model.scores[_at(24)] == pytest.approx(87.0, abs=0.02)
    assert model.sizes(0.0)[_at(24)] == pytest.approx(50_000)  # and not what the part predicts


@pytest.mark.parametrize("true_slope", (-0.4, -1.0, -2.5))
def test_rounds_close_in_where_the_predictor_is_wrong_of_all_shots_alike(true_slope: float) -> None:
    """Curves that are much flatter or steeper than predicted, and shifted: four encodes of the whole find the target."""
    models = [_model(100, at, -1.0, bits) for at, bits in ((95.0, -5.0), (88.0, -2.0), (92.0, -3.0))]
    beliefs = Beliefs(models, CRFS, GOAL, floor=70.0)

    def truth(choice: np.ndarray) -> np.ndarray:
        return np.array([at + true_slope * (CRFS[c] - 24.0) for at, c in zip((97.0, 90.0, 94.0), choice, strict=True)])

    means, choice = [], beliefs.allocated()
    for number in range(4):
        vmafs = truth(choice)
        means.append(float(vmafs.mean()))
        if GOAL.target <= means[-1] <= GOAL.target + GOAL.tolerance:
            break
        beliefs.take_round(choice, vmafs, [1000, 1000, 1000])
        choice = beliefs.nudged(choice) if number == 2 else beliefs.moved(choice)
    assert GOAL.target <= means[-1] <= GOAL.target + GOAL.tolerance, means


def test_what_lies_between_encodes_is_not_bent() -> None:
    model = _model(100, 90.0, -1.0)
    beliefs = Beliefs([model], CRFS, GOAL, floor=0.0)
    for crf, vmaf in ((20.0, 95.0), (30.0, 91.0), (40.0, 70.0)):
        beliefs.take_round(np.array([_at(crf)]), np.array([vmaf]), [1000])
    found = beliefs.scores()[0, [_at(20), _at(30), _at(40)]]
    assert found == pytest.approx([95.0, 91.0, 70.0], abs=0.05)
    assert beliefs.is_finest(np.array([0])) and not beliefs.is_finest(np.array([_at(30)]))
