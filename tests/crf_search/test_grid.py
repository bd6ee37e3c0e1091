"""The CRF grid: multiples of the step within the range, from best to coarsest."""

from __future__ import annotations

import numpy as np
import pytest
from vmaftune_plugins.encoders import vmaftune_encoders

from vmaftune.contract.positions import crf_positions
from vmaftune.crf_search.grid import crf_grid
from vmaftune.errors import UserError

SPECS = {spec.name: spec for spec in vmaftune_encoders()}


@pytest.mark.parametrize(
    ("encoder", "first", "last", "count"),
    [("libx264", 10, 46, 361), ("libx265", 10, 46, 361), ("libsvtav1", 5, 70, 261), ("libvpx-vp9", 10, 55, 46)],
)
def test_defaults(encoder: str, first: float, last: float, count: int) -> None:
    grid = crf_grid(SPECS[encoder], None, None, None)
    assert (grid[0], grid[-1], len(grid)) == (first, last, count)


def test_videotoolbox_runs_from_its_best_value_which_is_the_greatest() -> None:
    grid = crf_grid(SPECS["hevc_videotoolbox"], None, None, None)
    assert grid[0] == 90 and grid[-1] == 10
    assert crf_positions(SPECS["hevc_videotoolbox"], grid)[0] == 0.0


def test_steps_have_no_rounding_dust() -> None:
    grid = crf_grid(SPECS["libx264"], 18.05, 25.01, 0.1)
    assert grid[0] == 18.1 and grid[-1] == 25.0
    assert all(crf == round(crf, 1) for crf in grid)


@pytest.mark.parametrize(
    ("low", "high", "step", "says"),
    [
        (30, 20, None, "above"),
        (-5, 20, None, "takes CRF"),
        (10, 90, None, "takes CRF"),
        (None, None, 0.0, "at least"),
        (None, None, float("nan"), "at least"),
        (20.2, 20.8, 1.0, "no multiple"),
    ],
)
def test_what_makes_no_grid_is_refused(low, high, step, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match=says):
        crf_grid(SPECS["libx264"], low, high, step)


def test_positions_are_0_to_1_over_the_search_range() -> None:
    np.testing.assert_allclose(crf_positions(SPECS["libx264"], np.array([10.0, 28.0, 46.0])), [0, 0.5, 1])
