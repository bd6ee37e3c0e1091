"""Metrics are the field's; reports say what they are of."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tiny.build import made_table, plane
from vmaftune.models.full_reference import TinyModel
from vmaftune.tiny import figures
from vmaftune.tiny.evaluate import evaluated
from vmaftune.tiny.report import markdown, summary

pytest.importorskip("scipy")
TABLE = made_table(3, 3)


def test_figures_of_a_known_case() -> None:
    wanted, said = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.0, 2.0, 6.0])
    found = figures.figures(said, wanted)
    assert (found.count, found.srocc, found.krocc) == (4, pytest.approx(0.8), pytest.approx(4 / 6))
    assert found.plcc == pytest.approx(np.corrcoef(said, wanted)[0, 1]) and found.rmse == pytest.approx(np.sqrt(6 / 4))


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0, 5.0]])
def test_there_is_no_correlation_of_what_does_not_vary(values: list[float]) -> None:
    found = figures.figures(np.array(values), np.array(values) - 1.0)
    assert (found.plcc, found.srocc, found.krocc, found.rmse) == (None, None, None, 1.0)


def test_a_clip_is_the_mean_of_its_frames() -> None:
    """Errors that even out within a clip are none of the clip's."""
    frame, clip = figures.by_frame_and_clip(TABLE, TABLE.scores + np.where(TABLE.frames % 2, 1.0, -1.0))
    assert frame.rmse == pytest.approx(1.0) and clip.rmse == pytest.approx(0.0, abs=1e-9)
    assert (frame.count, clip.count) == (len(TABLE), len(TABLE.clip_names))


def test_the_worst_source_is_named() -> None:
    said = TABLE.scores + np.where(TABLE.sources == 1, 3.0, 1.0)
    spread = figures.spreads(figures.by_source(TABLE, said))["rmse"]
    assert (spread.worst_source, spread.worst) == ("S1", pytest.approx(3.0))
    assert spread.mean == pytest.approx(5.0 / 3.0) and spread.sd == pytest.approx(np.std([1.0, 3.0, 1.0]))


def test_a_report_says_whether_it_is_a_claim() -> None:
    content = plane()
    model = TinyModel(content, "plane")
    for split, told in (
        ("leave-one-source-out", "network that never saw it (3 networks)"),
        ("fitted on these frames", "no claim"),
    ):
        report = evaluated(content, model, TABLE, TABLE.scores + 1.0, name="a|b", split=split, folds=3, timed=False)
        text = markdown(report)
        assert told in text and "| frames | 216 | 1.00000 | 1.00000 | 1.00000 | 1.000 |" in text and "a|b" not in text
        assert "RMSE 1.000 VMAF" in "\n".join(summary(report))


def test_latency_is_of_real_calls() -> None:
    model = TinyModel(plane(), "plane")
    found = evaluated(plane(), model, TABLE, TABLE.scores, name="p", split="not known").latency
    assert (
        found is not None
        and 0.0 < found.bound_p50_us <= found.bound_p95_us
        and 0.0 < found.run_p50_us <= found.run_p95_us
    )
