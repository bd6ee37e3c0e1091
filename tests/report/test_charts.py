"""Charts show what they are given: places, envelopes, counts, and words that do not cover each other."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.conftest import Searched
from vmaftune.report import curve
from vmaftune.report.batch import histogram
from vmaftune.report.frames import envelope, frames_chart
from vmaftune.report.look import Span, worst_frames
from vmaftune.report.scale import Axis, linear_ticks, log_ticks
from vmaftune.report.svg import Chart, Columns, Mark, Marks


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 12))
def test_ticks_are_round_and_within(low: float, length: float, most: int) -> None:
    ticks = linear_ticks(low, low + length, most)
    assert len(ticks) <= most + 1
    assert all(low - 1e-6 * length <= tick <= low + length * (1 + 1e-6) for tick in ticks)


@given(st.floats(1, 1e5), st.floats(1.2, 1e4), st.integers(3, 12))
def test_ticks_of_rates_are_within(low: float, ratio: float, most: int) -> None:
    assert all(low <= tick <= low * ratio for tick in log_ticks(low, low * ratio, most))


@pytest.mark.parametrize("log", [False, True])
def test_an_axis_has_its_ends_where_they_belong(log: bool) -> None:
    axis = Axis(low=10.0, high=1000.0, label="", log=log)
    assert axis.share(10.0) == 0.0 and axis.share(1000.0) == pytest.approx(1.0)
    assert axis.share(100.0) == pytest.approx(0.5 if log else 90 / 990)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=400), st.integers(1, 50))
def test_an_envelope_hides_no_frame(scores: list[float], each: int) -> None:
    times, means, lows = envelope(np.array(scores), 3.0, 9.0, each)
    assert len(times) == len(means) == len(lows) == -(-len(scores) // each)
    assert min(lows) == min(scores)
    assert all(3.0 <= time <= 9.0 for time in times) and times == sorted(times)
    weights = [min(each, len(scores) - n * each) for n in range(len(means))]
    assert np.average(means, weights=weights) == pytest.approx(np.mean(scores), abs=1e-9)


def test_worst_frames_lie_apart_and_are_the_worst() -> None:
    scores = np.full(300, 95.0)
    scores[100:110] = np.linspace(40, 50, 10)
    scores[250] = 60.0
    spans = [Span(start_seconds=5.0, frames=200, seconds=8.0), Span(start_seconds=60.0, frames=100, seconds=4.0)]
    worst = worst_frames(scores, spans)
    assert [(frame.span, frame.index, frame.score) for frame in worst[:2]] == [(0, 100, 40.0), (1, 50, 60.0)]
    assert [frame.seconds for frame in worst[:2]] == [9.0, 62.0]
    places = sorted(frame.place for frame in worst)
    assert min(np.diff(places)) >= 25


def test_a_chart_of_samples_names_where_they_begin() -> None:
    spans = [Span(start_seconds=start, frames=50, seconds=2.0) for start in (30.0, 3700.0)]
    svg = str(frames_chart(np.linspace(80, 99, 100), spans, [], 93.0, 1).wide())
    assert ">0:30<" in svg and ">1:01:40<" in svg


def test_every_probe_stands_where_it_was_measured(searched: Searched) -> None:
    chart = curve.chart(searched.report)
    svg = str(chart.wide())
    marks = re.findall(r'<g class="mark (\w+)" transform="translate\(([\d.]+) ([\d.]+)\)">', svg)
    assert len(marks) == len(searched.report.probes)
    assert [style for style, _, _ in marks].count("best") == 1
    ticks = re.findall(r'class="tick middle" x="([\d.]+)"[^>]*>([\d.]+)<', svg)
    (x0, crf0), (x1, crf1) = ((float(x), float(text)) for x, text in (ticks[0], ticks[-1]))
    best = next(float(x) for style, x, _ in marks if style == "best")
    assert crf0 + (best - x0) * (crf1 - crf0) / (x1 - x0) == pytest.approx(searched.report.crf, abs=0.15)


def test_what_is_drawn_is_within_the_scale(searched: Searched) -> None:
    for belief in (curve.prior(searched.report), curve.posterior(searched.report)):
        assert (belief.low <= belief.mean).all() and (belief.mean <= belief.high).all()
        assert belief.low.min() >= 0.0 and belief.high.max() <= 100.0


def test_words_keep_clear_of_each_other() -> None:
    marks = [Mark(x=5 + n / 10, y=50, style="probe", title="", label=f"{n}: CRF 27") for n in range(5)]
    axis = Axis(low=0, high=10, label="")
    chart = Chart(x=axis, y=Axis(low=0, high=100, label=""), description="", layers=[Marks(marks=marks)])
    found = re.findall(r'<text class="label probe" x="([\d.]+)" y="([\d.]+)">([^<]+)<', str(chart.wide()))
    boxes = [(float(x), float(y) - 10, float(x) + 6.7 * len(text), float(y) + 2) for x, y, text in found]
    for n, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[n + 1 :]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


@given(st.lists(st.floats(0, 100), min_size=2, max_size=200))
def test_a_histogram_counts_everything_once(values: list[float]) -> None:
    (columns,) = histogram(values, "VMAF").layers
    assert isinstance(columns, Columns)
    assert sum(columns.heights) == len(values)
    assert columns.edges[0] <= min(values) + 1e-6 and max(values) <= columns.edges[-1] + 1e-6
