"""What is read off held-out errors, on errors that are known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.build import RANGES
from vmaftune.contract import FloatArray
from vmaftune.corpus.rows import CorpusRow
from vmaftune.training.table import Table, training_table
from vmaftune.training.uncertainty import fit_uncertainty


@pytest.fixture(scope="module")
def table(rows: list[CorpusRow]) -> Table:
    return training_table(rows, RANGES)


def off(table: Table, deviation: float) -> FloatArray:
    """Curves that are off by errors of this spread, one for each curve and the same at all its knots."""
    error = deviation * np.random.default_rng(3).standard_normal(len(table.vmaf))
    return np.clip(table.vmaf + error[:, None], 0.0, 100.0)


def test_it_is_as_wide_as_the_errors(table: Table) -> None:
    for deviation in (1.0, 4.0):
        mean = np.clip(off(table, deviation), 0.0, 96.0)
        found = fit_uncertainty(table, mean).deviation(mean, table.which)
        inside = (table.vmaf > 80) & (table.vmaf < 95)
        assert found[inside].mean() == pytest.approx(deviation, rel=0.35)


def test_one_curve_that_is_wrongly_at_the_ceiling_does_not_widen_the_others(table: Table) -> None:
    """Its errors are large where nearly all are small; measured by those, one of eighteen would be far beyond all bounds."""
    right = off(table, 1.0)
    wrong = right.copy()
    wrong[np.flatnonzero(table.which == 0)[:3]] = 100.0
    before, after = (fit_uncertainty(table, mean).deviation(right, table.which) for mean in (right, wrong))
    inside = (table.vmaf > 80) & (table.vmaf < 95)
    assert after[inside].mean() < 2.0 * before[inside].mean()


def test_correlations_are_ones(table: Table) -> None:
    for correlation in fit_uncertainty(table, off(table, 2.0)).correlation:
        assert correlation.diagonal() == pytest.approx(np.ones(37))
        assert (correlation == correlation.T).all() and np.linalg.eigvalsh(correlation)[0] > -1e-9
        assert correlation[0, 1] > 0.5, "a curve that is off at one knot is off at the next"


def test_no_error_at_all_leaves_a_little_doubt(table: Table) -> None:
    uncertainty = fit_uncertainty(table, table.vmaf)
    assert all(np.isfinite(getattr(uncertainty, name)).all() for name in ("lacking", "spread", "scale", "correlation"))
    assert (np.diff(uncertainty.lacking) > 0).all() and uncertainty.deviation(table.vmaf, table.which).min() > 0.05
