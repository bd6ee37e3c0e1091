"""The score of every frame over time: the chart, what it comes to in figures, and the worst frames in pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.quality.measure import USUAL_MEASURE, Measure
from vmaftune.quality.scale import USUAL
from vmaftune.report.look import Frame, Look, Span
from vmaftune.report.page import Section
from vmaftune.report.quality import score_axis, worse_than
from vmaftune.report.scale import Axis
from vmaftune.report.svg import Band, Chart, Layer, Line, Mark, Marks, Upright
from vmaftune.report.words import clock, counted

_MOST_POINTS = 240
_ROOM_VMAF = 2.0


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """What the template shows."""

    chart: Chart
    caption: str
    figures: Sequence[tuple[str, str]]
    look: Look
    worst: Sequence[tuple[Frame, str]]


def frames_section(look: Look, measure: Measure, target: float | None, title: str = "Frame by frame") -> Section | None:
    """Frames of one result; None where there are no scores and nothing to say of it.

    Args:
        measure: of the scores.
        target: score that was asked for, drawn as a line; None draws none.
    """
    if look.scores is None or not len(look.scores):
        return Section(title=title, template="note", content=look.problem) if look.problem else None
    scores = look.scores
    each = -(-len(scores) // _MOST_POINTS)
    caption = f"{measure.title} of {counted(len(scores), 'frame')}"
    if each > 1:
        worst = "down to the lowest" if measure.higher_is_better else "up to the highest"
        caption += f", {each} to a point: the line is their mean, the shade reaches {worst} of them"
    if len(look.spans) > 1:
        caption += f"; {len(look.spans)} samples one after another, each named by where it begins"
    if look.worst:
        caption += ". Numbers mark the worst frames, which stand below"
    shown = _Shown(
        chart=frames_chart(scores, look.spans, look.worst, target, each, measure),
        caption=f"{caption}.",
        figures=figures(scores, measure),
        look=look,
        worst=[(frame, _where(frame, look.spans, measure)) for frame in look.worst],
    )
    return Section(title=title, template="frames", content=shown)


def figures(scores: FloatArray, measure: Measure = USUAL_MEASURE) -> list[tuple[str, str]]:
    """What the scores come to: names and values."""
    values = {"mean" if measure.name == USUAL.metric else "mean of frames": float(np.mean(scores))}
    if not measure.unit:  # those of a logarithm have none
        values["harmonic mean"] = float(1.0 / np.mean(1.0 / (scores + 1.0)) - 1.0)
    side, tail = ("below", 0) if measure.higher_is_better else ("above", 100)
    for share in (5, 1):
        values[f"{share} % lie {side}"] = float(np.percentile(scores, abs(tail - share)))
    values["lowest" if measure.higher_is_better else "highest"] = float(np.percentile(scores, tail))
    return [(name, measure.amount(value)) for name, value in values.items()]


def frames_chart(
    scores: FloatArray,
    spans: Sequence[Span],
    worst: Sequence[Frame],
    target: float | None,
    each: int,
    measure: Measure = USUAL_MEASURE,
) -> Chart:
    """The chart; time runs through the spans one after another.

    Args:
        each: frames to a point. A point is their mean, its band reaches from there to the worst, and none spans two spans.
    """
    layers: list[Layer] = []
    ends = np.cumsum([span.frames for span in spans])
    begins = np.cumsum([0.0, *(max(span.seconds, 1e-3) for span in spans)])
    for span, end, begin, over in zip(spans, ends, begins, begins[1:], strict=False):
        of_span = scores[end - span.frames : end]
        times, means, ends_at = envelope(of_span, float(begin), float(over), each, measure)
        if each > 1:
            layers.append(Band(xs=times, lows=ends_at, highs=means, style="posterior", title="to the worst frame"))
        layers.append(Line(xs=times, ys=means, style="posterior", title=measure.title))
    if target is not None:
        layers.insert(
            0, Line(xs=[0.0, float(begins[-1])], ys=[target, target], style="goal", title=f"target {target:g}")
        )
    if len(spans) > 1:
        layers += [Upright(x=float(at), style="cut") for at in begins[1:-1]]
    marks = []
    for place, frame in enumerate(worst, 1):
        span = spans[frame.span]
        when = float(begins[frame.span]) + span.seconds * frame.index / span.frames
        marks.append(
            Mark(
                x=when, y=frame.score, style="worst", title=_where(frame, spans, measure), label=str(place), shape="dot"
            )
        )
    layers.append(Marks(marks=marks))
    aim = measure.default_target if target is None else target
    ending = min((float(scores.min()), float(scores.max()), aim), key=lambda score: measure.sign * score)
    axis = score_axis(
        measure,
        worse_than(measure, ending, _ROOM_VMAF),
        [float(scores.min()), float(scores.max()), *([] if target is None else [target])],
    )
    starts = dict(zip(begins.tolist(), spans, strict=False))
    many, length = len(spans) > 1, float(begins[-1])
    return Chart(
        x=Axis(
            low=0.0,
            high=length,
            label="sample from" if many else "time",
            text=lambda at: clock(starts[at].start_seconds) if many else _when(spans[0].start_seconds, at, length),
        ),
        y=axis,
        description=f"{measure.title} of each of {len(scores)} frames over time, from {scores.min():.1f} to"
        f" {measure.amount(float(scores.max()), '.1f')}.",
        layers=layers,
        x_ticks=begins[:-1].tolist() if many else _seconds(length),
    )


def envelope(
    scores: FloatArray, begin: float, end: float, each: int, measure: Measure = USUAL_MEASURE
) -> tuple[list[float], list[float], list[float]]:
    """Times, means and worst scores of every ``each`` frames in a row; the last may be of fewer."""
    edges = [*range(0, len(scores), each), len(scores)]
    parts = [scores[a:b] for a, b in pairwise(edges)]
    middles = [(a + b - 1) / 2 for a, b in pairwise(edges)]
    times = [begin + (end - begin) * middle / len(scores) for middle in middles]
    return times, [float(part.mean()) for part in parts], [measure.worst_of(part) for part in parts]


def _seconds(length: float) -> list[float]:
    """Ticks at round numbers of seconds, minutes or hours."""
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
    step = next((step for step in steps if length / step <= 9), 14400)
    return [float(at) for at in np.arange(0.0, length + 1e-9, step)]


def _when(start: float, at: float, length: float) -> str:
    return f"{at:g} s" if start == 0.0 and length < 10.0 else clock(start + at)


def _where(frame: Frame, spans: Sequence[Span], measure: Measure) -> str:
    inside = f"frame {frame.index:,}"
    if len(spans) > 1:
        inside += f" of the sample at {clock(spans[frame.span].start_seconds)}"
    return f"{inside}, at {clock(frame.seconds, fine=True)}, {measure.text(frame.score)}"
