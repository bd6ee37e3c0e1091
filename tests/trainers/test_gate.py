"""The stability gate: what it lets through, and what it says of all else."""

from __future__ import annotations

import numpy as np
import pytest
from vmaftune_plugins.trainers.gate import Fit, fit, judge

WIDTH = 25


def slice_of(sources: int, each: int) -> np.ndarray:
    """Rows of a few sources, which differ in their first features."""
    rows = np.zeros((sources * each, WIDTH), dtype=np.float32)
    rows[:, 0] = np.repeat(np.arange(sources), each)
    return rows


ROWS = slice_of(5, 10)
NEAR = np.full(50, 1.0)
SAME = Fit(plcc=0.99, mae_vmaf=2.0)


def reasons(
    *,
    stream: Fit = SAME,
    stable: Fit = SAME,
    reference: Fit = SAME,
    first: Fit = SAME,
    rows: np.ndarray = ROWS,
    deviations: np.ndarray = NEAR,
) -> tuple[str, ...]:
    on_stream = {"checkpoint": stream, "stable": stable, "first": SAME}
    on_reference = {"checkpoint": reference, "stable": SAME, "first": first}
    return judge(rows, deviations, on_stream, on_reference).reasons


def test_what_is_no_worse_passes_and_its_figures_are_kept() -> None:
    verdict = judge(
        ROWS, NEAR, {"checkpoint": SAME, "stable": SAME}, dict.fromkeys(("checkpoint", "stable", "first"), SAME)
    )
    assert verdict.reasons == ()
    assert verdict.metrics == {
        "mae_vmaf stream": 2.0,
        "plcc stream": 0.99,
        "mae_vmaf reference": 2.0,
        "plcc reference": 0.99,
    }


@pytest.mark.parametrize("where", ["stream", "reference"])
def test_correlation_may_fall_by_2_thousandths(where: str) -> None:
    assert reasons(**{where: Fit(plcc=0.9881, mae_vmaf=2.0)}) == ()  # type: ignore[arg-type]
    (why,) = reasons(**{where: Fit(plcc=0.9879, mae_vmaf=2.0)})  # type: ignore[arg-type]
    assert why.startswith("PLCC on the ") and why.endswith("fell from 0.9900 to 0.9879") and where in why


def test_the_error_on_the_stream_must_not_rise() -> None:
    assert reasons(stream=Fit(plcc=0.99, mae_vmaf=2.0001)) == (
        "mean absolute error on the held-out slice of the stream is 2.000 VMAF, above 2.000",
    )


def test_the_error_on_the_reference_has_an_allowance_that_does_not_add_up() -> None:
    first = Fit(plcc=0.99, mae_vmaf=1.7)
    assert reasons(reference=Fit(plcc=0.99, mae_vmaf=2.12), first=first) == ()
    (why,) = reasons(reference=Fit(plcc=0.99, mae_vmaf=2.13), first=first)
    assert why == "mean absolute error on the reference is 2.130 VMAF, above 2.125"
    better = Fit(plcc=0.99, mae_vmaf=1.0)  # the stable model has used up all of the allowance and more
    assert reasons(reference=Fit(plcc=0.99, mae_vmaf=2.0), first=better) == ()
    assert reasons(reference=Fit(plcc=0.99, mae_vmaf=2.01), first=better) != ()
    assert reasons(first=Fit(plcc=0.995, mae_vmaf=2.0)) == ("PLCC on the reference fell from 0.9950 to 0.9900",)


@pytest.mark.parametrize("bad", [Fit(plcc=np.nan, mae_vmaf=2.0), Fit(plcc=0.99, mae_vmaf=np.nan)])
def test_what_is_no_number_is_worse(bad: Fit) -> None:
    assert len(reasons(stream=bad)) == 1 and len(reasons(reference=bad)) == 1


@pytest.mark.parametrize(("sources", "each"), [(0, 0), (2, 40), (5, 5)])
def test_too_few_held_out_scores_say_nothing(sources: int, each: int) -> None:
    (why,) = reasons(rows=slice_of(sources, each), deviations=np.ones(sources * each))
    assert f"has {sources * each} samples of {sources} sources; it takes 30 of 3" in why


def test_scores_that_nobody_can_believe() -> None:
    deviations = NEAR.copy()
    deviations[:7] = 4.1
    assert reasons(deviations=deviations) == ()
    deviations[:8] = 4.1
    (why,) = reasons(deviations=deviations)
    assert why.startswith("16 % of the held-out scores of the stream are farther than 4 standard deviations")


def test_fit_of_what_does_not_vary_has_no_correlation() -> None:
    rows = np.zeros((3, WIDTH), dtype=np.float32)
    rows[:, -1] = [80.0, 85.0, 90.0]
    assert fit(np.array([81.0, 86.0, 91.0]), rows) == Fit(plcc=pytest.approx(1.0), mae_vmaf=1.0)
    assert fit(np.full(3, 85.0), rows) == Fit(plcc=0.0, mae_vmaf=pytest.approx(10 / 3))
    assert not np.isfinite(fit(np.full(3, np.nan), rows).mae_vmaf)
