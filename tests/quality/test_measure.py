"""What reports know of a metric: how its scores are written, which is better, and under which names they stand in JSON."""

from __future__ import annotations

import msgspec
import pytest

from vmaftune.errors import UserError
from vmaftune.jobs.rates import RatePoint, bitrate_at, hull, measured_points, rising
from vmaftune.jobs.search_report import no_more_than
from vmaftune.quality.measure import USUAL_MEASURE, Measure
from vmaftune.quality.scale import Scale
from vmaftune.quality.scored import Scored, ScoredReport
from vmaftune.quality.targets import TARGETS, metric_named, target_named, target_option
from vmaftune.quality.vmaf import VMAF
from vmaftune.quality.xpsnr import Xpsnr
from vmaftune.report.quality import score_axis, worse_than

XPSNR = Xpsnr().measure("")
DISTANCE = Measure(name="distance", title="Distance", highest=10.0, higher_is_better=False, grain=0.1)
"""Of a metric that is better where it is lower."""


class Report(ScoredReport, frozen=True, kw_only=True):
    score: float
    vmaf: float | None = None
    final_score: float | None = None
    final_vmaf: float | None = None


class Curve(Scored, frozen=True, kw_only=True):
    score: list[float]
    vmaf: list[float] | None = None


def test_scores_are_written_with_title_and_unit() -> None:
    assert USUAL_MEASURE.text(93.171) == "VMAF 93.17" and XPSNR.text(41.2) == "XPSNR 41.20 dB"
    assert XPSNR.zone_text(41, 0.5) == "XPSNR 41 to 41.5 dB" and DISTANCE.zone_text(1, 0.25) == "Distance 1 to 0.75"
    assert USUAL_MEASURE.difference(0.314) == "+0.31 VMAF" and XPSNR.difference(-0.1) == "-0.10 dB"
    assert (USUAL_MEASURE.label, XPSNR.label) == ("VMAF", "XPSNR, dB")


def test_better_may_be_lower() -> None:
    assert DISTANCE.reaches(0.9, 1.0) and not DISTANCE.reaches(1.1, 1.0) and XPSNR.reaches(41, 41)
    assert DISTANCE.zone(1.0, 0.25) == (0.75, 1.0) and DISTANCE.best == 0.0
    assert (DISTANCE.easier, XPSNR.easier, USUAL_MEASURE.easier) == (
        "raise --min-score",
        "lower --min-xpsnr",
        "lower --min-vmaf",
    )


def test_the_range_is_that_of_the_model() -> None:
    assert VMAF.measure("vmaf_v1.0.16_3d0h_2160").highest == 110.0 and VMAF.measure(
        "vmaf_v0.6.1"
    ) == msgspec.structs.replace(USUAL_MEASURE, itself=VMAF.itself("vmaf_v0.6.1"))


def test_names_of_vmaf_hold_the_same_where_it_is_vmaf_and_else_nothing() -> None:
    report = Report(score=93.0)
    assert (report.vmaf, report.final_vmaf, report.metric, report.unit) == (93.0, None, "vmaf", "")
    other = Report(scale=Scale(metric="xpsnr", model=""), measure=XPSNR, score=41.0, final_score=40.9, vmaf=41.0)
    assert (other.vmaf, other.final_vmaf, other.metric, other.unit) == (None, None, "xpsnr", "dB")
    assert Curve(score=[1.0]).vmaf == [1.0] and Curve(metric="xpsnr", score=[1.0]).vmaf is None
    assert msgspec.json.decode(msgspec.json.encode(other), type=Report) == other


def test_what_pictures_were_compared_by_is_told_in_one_way() -> None:
    assert Report(score=1, vmaf_model="vmaf_v0.6.1", vmaf_size=(1920, 1080)).compared() == "vmaf_v0.6.1 at 1920x1080"
    assert Report(score=1, scale=Scale(metric="xpsnr"), measure=XPSNR).compared() == "XPSNR"


def test_a_source_that_scores_below_the_best_says_why_where_its_metric_knows() -> None:
    assert "banding" in no_more_than(VMAF.measure("vmaf_v1.0.16_3d0h"), 93.0)
    assert "hardly move" in no_more_than(VMAF.measure("vmaf_v0.6.1"), 93.0)
    assert no_more_than(XPSNR, 93.0).endswith("gets 93.00 dB")


def test_targets_of_their_own_name_a_metric() -> None:
    assert metric_named({}) is None and metric_named({"min_score": 3.0}) is None
    assert {name: metric_named({name: 3.0}) for name in TARGETS} == TARGETS
    assert metric_named({"metric": "vmaf", "min_vmaf": 3.0}) == "vmaf"
    assert target_named({"min_score": 3.0, "min_vmaf": 3.0}) == 3.0
    assert (target_option("vmaf"), target_option("ssim")) == ("--min-vmaf", "--min-score")
    for wrong in ({"metric": "xpsnr", "min_vmaf": 3.0}, dict.fromkeys(TARGETS, 3.0)):
        with pytest.raises(UserError):
            metric_named(wrong)
    with pytest.raises(UserError, match="two targets"):
        target_named({"min_score": 3.0, "min_vmaf": 4.0})


def test_curves_of_rate_may_fall() -> None:
    points = [RatePoint(metric="distance", bitrate_kbps=rate, score=8.0 / rate, crf=rate) for rate in (1.0, 2.0, 4.0)]
    assert rising(points, -1.0) == points and rising(points) == points[:1]
    assert bitrate_at(points, 4.0, -1.0) == pytest.approx(2.0) and bitrate_at(points, 9.0, -1.0) is None
    assert hull([1.0, 2.0, 4.0], [8.0, 4.0, 2.0], -1.0) == [0, 1, 2] and measured_points([]) == []


def test_axes_end_at_round_scores() -> None:
    axis = score_axis(USUAL_MEASURE, worse_than(USUAL_MEASURE, 91.0, 10.0), [91.0, 95.0])
    assert (axis.low, axis.high, axis.label) == (80.0, 100.0, "VMAF")
    axis = score_axis(XPSNR, worse_than(XPSNR, 41.0, 10.0), [41.0, 43.0])
    assert (axis.low, axis.high, axis.label) == (36.0, 44.0, "XPSNR, dB"), "100 dB would leave the curve no room"
    axis = score_axis(DISTANCE, worse_than(DISTANCE, 1.2, 10.0), [1.2, 1.0])
    assert (axis.low, axis.high) == (0.0, 2.5)
