"""Charts as SVG: a small set of layers, coloured by the page's style sheet, so that light and dark are its concern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from markupsafe import Markup

from vmaftune.report.scale import Axis

_CHARACTER = 6.7  # width in pixels of one in the style sheet's 12 px type
_LINE = 14.0


@dataclass(frozen=True, kw_only=True)
class Place:
    """The plotted area: pixels from values."""

    x_axis: Axis
    y_axis: Axis
    left: float
    top: float
    width: float
    height: float

    def x(self, value: float) -> float:
        return self.left + self.width * self.x_axis.share(value)

    def y(self, value: float) -> float:
        return self.top + self.height * (1.0 - self.y_axis.share(value))

    def points(self, xs: Sequence[float], ys: Sequence[float]) -> str:
        return " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in zip(xs, ys, strict=True))


class Layer(Protocol):
    """Something drawn on a chart."""

    def draw(self, place: Place) -> Markup:
        """Its SVG; what lies outside the plotted area is cut off."""


@dataclass(frozen=True, kw_only=True)
class Band:
    """An area between two lines."""

    xs: Sequence[float]
    lows: Sequence[float]
    highs: Sequence[float]
    style: str
    title: str = ""

    def draw(self, place: Place) -> Markup:
        there = place.points(self.xs, self.highs)
        back = place.points(self.xs[::-1], self.lows[::-1])
        return Markup('<polygon class="band {}" points="{} {}">{}</polygon>').format(
            self.style, there, back, _title(self.title)
        )


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line through points."""

    xs: Sequence[float]
    ys: Sequence[float]
    style: str
    title: str = ""

    def draw(self, place: Place) -> Markup:
        return Markup('<polyline class="line {}" points="{}">{}</polyline>').format(
            self.style, place.points(self.xs, self.ys), _title(self.title)
        )


@dataclass(frozen=True, kw_only=True)
class Zone:
    """Everything between two values of y; a line of its own where they are nearly one."""

    low: float
    high: float
    style: str
    title: str = ""

    def draw(self, place: Place) -> Markup:
        top, bottom = place.y(self.high), place.y(self.low)
        return Markup('<g class="{}"><rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>{}{}</g>').format(
            self.style,
            place.left,
            top,
            place.width,
            max(1.5, bottom - top),
            Markup('<path d="M{:.1f} {:.1f}h{:.1f}"/>').format(place.left, bottom, place.width),
            _title(self.title),
        )


@dataclass(frozen=True, kw_only=True)
class Upright:
    """An upright line at a value of x, with a word at its top."""

    x: float
    style: str
    text: str = ""

    def draw(self, place: Place) -> Markup:
        x = place.x(self.x)
        word = Markup('<text x="{:.1f}" y="{:.1f}">{}</text>').format(x + 4, place.top + 11, self.text)
        return Markup('<g class="{}"><path d="M{:.1f} {:.1f}v{:.1f}"/>{}</g>').format(
            self.style, x, place.top, place.height, word if self.text else ""
        )


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A point worth a word: its label stands beside it, its title is shown when it is pointed at."""

    x: float
    y: float
    style: str
    title: str
    label: str = ""
    shape: str = "dot"


@dataclass(frozen=True, kw_only=True)
class Marks:
    """Points, with labels that keep clear of each other where there is room."""

    marks: Sequence[Mark]

    def draw(self, place: Place) -> Markup:
        at = [(place.x(mark.x), place.y(mark.y)) for mark in self.marks]
        taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in at]
        drawn = Markup()
        for mark, (x, y) in zip(self.marks, at, strict=True):
            drawn += Markup('<g class="mark {}" transform="translate({:.1f} {:.1f})">{}{}</g>').format(
                mark.style, x, y, SHAPES[mark.shape], _title(mark.title)
            )
            if mark.label:
                anchor_x, anchor_y, box = _free(x, y, _CHARACTER * len(mark.label), taken, place)
                taken.append(box)
                drawn += Markup('<text class="label {}" x="{:.1f}" y="{:.1f}">{}</text>').format(
                    mark.style, anchor_x, anchor_y, mark.label
                )
        return drawn


@dataclass(frozen=True, kw_only=True)
class Columns:
    """A histogram: a column between each two neighbouring edges."""

    edges: Sequence[float]
    heights: Sequence[float]
    titles: Sequence[str]
    style: str

    def draw(self, place: Place) -> Markup:
        drawn = Markup()
        for left, right, height, title in zip(self.edges, self.edges[1:], self.heights, self.titles, strict=False):
            if height:
                x, y = place.x(left), place.y(height)
                drawn += Markup(
                    '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1.5">{}</rect>'
                ).format(
                    self.style, x + 1, y, max(1.0, place.x(right) - x - 2), place.top + place.height - y, _title(title)
                )
        return drawn


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart.

    Attributes:
        x, y: its axes.
        description: what it shows, in words, for those who do not see it.
        layers: from the lowest up.
        x_ticks: values named on the x axis; None takes round ones.
    """

    x: Axis
    y: Axis
    description: str
    layers: Sequence[Layer] = field(default_factory=tuple)
    x_ticks: Sequence[float] | None = None

    def wide(self) -> Markup:
        """For a desk."""
        return self.svg(720, 340)

    def narrow(self) -> Markup:
        """For a phone: type is as large as on the wide one."""
        return self.svg(340, 280)

    def svg(self, width: int, height: int) -> Markup:
        """The chart at a size in pixels, at which its type has the page's size."""
        y_ticks = self.y.ticks(height // 55)
        left = 8 + _CHARACTER * max((len(self.y.text(tick)) for tick in y_ticks), default=1)
        place = Place(x_axis=self.x, y_axis=self.y, left=left, top=24, width=width - left - 20, height=height - 64)
        marks = [layer for layer in self.layers if isinstance(layer, Marks)]
        lines = [layer for layer in self.layers if not isinstance(layer, Marks)]
        clipped = _clipped(lines, place, 0.0) + _clipped(marks, place, 12.0)  # a mark at the edge is drawn whole
        return Markup(
            '<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">{3}{4}</svg>'
        ).format(width, height, self.description, self._grid(place, y_ticks, width, height), clipped)

    def _grid(self, place: Place, y_ticks: Sequence[float], width: int, height: int) -> Markup:
        drawn = Markup('<text class="axis" x="0" y="12">{}</text>').format(self.y.label)
        drawn += Markup('<text class="axis end" x="{}" y="{}">{}</text>').format(width - 20, height - 4, self.x.label)
        for tick in y_ticks:
            y = place.y(tick)
            drawn += Markup('<path class="grid" d="M{:.1f} {:.1f}h{:.1f}"/>').format(place.left, y, place.width)
            drawn += Markup('<text class="tick end" x="{:.1f}" y="{:.1f}">{}</text>').format(
                place.left - 6, y + 4, self.y.text(tick)
            )
        bottom, last = place.top + place.height, -1e9
        for tick in self.x.ticks(width // 80) if self.x_ticks is None else self.x_ticks:
            x, text = place.x(tick), self.x.text(tick)
            if x - last < _CHARACTER * len(text) + 8:
                continue
            last = x
            drawn += Markup('<path class="grid" d="M{:.1f} {:.1f}v4"/>').format(x, bottom)
            drawn += Markup('<text class="tick middle" x="{:.1f}" y="{:.1f}">{}</text>').format(x, bottom + 17, text)
        return drawn


SHAPES = {
    "dot": Markup('<circle r="5"/>'),
    "ring": Markup('<circle class="hollow" r="4.5"/>'),
    "square": Markup('<rect x="-4.5" y="-4.5" width="9" height="9"/>'),
    "hollow-square": Markup('<rect class="hollow" x="-4" y="-4" width="8" height="8"/>'),
    "halo": Markup('<circle class="halo" r="10"/>'),
    "result": Markup('<circle class="halo" r="10"/><circle r="5"/>'),
    "result-square": Markup('<circle class="halo" r="10"/><rect x="-4.5" y="-4.5" width="9" height="9"/>'),
    "triangle": Markup('<path d="M0 -6L5.5 4.5H-5.5Z"/>'),
    "diamond": Markup('<path d="M0 -6L6 0L0 6L-6 0Z"/>'),
    "cross": Markup('<path class="hollow" d="M-4.5 -4.5L4.5 4.5M4.5 -4.5L-4.5 4.5"/>'),
    "plus": Markup('<path class="hollow" d="M0 -5.5V5.5M-5.5 0H5.5"/>'),
}
"""Marks that differ in shape, not in colour alone."""

_Box = tuple[float, float, float, float]


def _free(x: float, y: float, wide: float, taken: Sequence[_Box], place: Place) -> tuple[float, float, _Box]:
    """A place for a word near a point: the first that overlaps nothing, else that which overlaps least."""
    best: tuple[float, tuple[float, float, _Box]] | None = None
    for far in (0.0, 14.0, 28.0):
        for dx, dy in ((9, -6), (9, 14), (-9 - wide, -6), (-9 - wide, 14), (-wide / 2, -12), (-wide / 2, 22)):
            left, base = x + dx, y + dy + (far if dy > 0 else -far)
            box = (left, base - 10, left + wide, base + 2)
            outside = box[0] < place.left or box[2] > place.left + place.width + 8 or box[3] > place.top + place.height
            overlap = sum(_common(box, other) for other in taken) + 1e4 * (outside or box[1] < place.top - 6)
            if best is None or overlap < best[0]:
                best = overlap, (left, base, box)
            if overlap == 0:
                return best[1]
    assert best is not None
    return best[1]


def _common(one: _Box, other: _Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return wide * high if wide > 0 and high > 0 else 0.0


def _clipped(layers: Sequence[Layer], place: Place, room: float) -> Markup:
    """Layers, cut off ``room`` pixels outside of the plotted area, and at its bottom."""
    x, y, width, height = place.left - room, place.top - 12, place.width + 2 * room, place.height + 12
    return Markup(
        '<svg x="{0:.1f}" y="{1:.1f}" width="{2:.1f}" height="{3:.1f}" viewBox="{0:.1f} {1:.1f} {2:.1f} {3:.1f}">{4}</svg>'
    ).format(x, y, width, height, Markup().join(layer.draw(place) for layer in layers))


def _title(text: str) -> Markup:
    return Markup("<title>{}</title>").format(text) if text else Markup()
