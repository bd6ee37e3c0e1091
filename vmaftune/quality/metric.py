"""What a metric is: how two videos are compared by it, and what its scores are."""

from __future__ import annotations

import abc
import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import msgspec
import numpy as np
import numpy.typing as npt

from vmaftune.errors import PluginError, UserError, VmafTuneError
from vmaftune.quality import pooling
from vmaftune.quality.measure import Measure
from vmaftune.quality.scale import Scale

FloatArray = npt.NDArray[np.float64]

SMALLEST_SIDE, LARGEST_SIDE = 17, 16384
"""Of a comparison, in pixels."""


class Pictures(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared.

    Attributes:
        width, height: in pixels, of the pictures that an encode is compared with.
        bit_depth: bits per component of source or encode, whichever has more.
        fps: frames per second; 0 where nobody knows.
        hdr: whether their transfer is PQ or HLG.
        encoded: width and height in pixels of the encode; None where they are those of the source.
        encoded_depth: bits per component of the encode; None where nobody knows.
    """

    width: int
    height: int
    bit_depth: int = 8
    fps: float = 0.0
    hdr: bool = False
    encoded: tuple[int, int] | None = None
    encoded_depth: int | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asked for of a comparison; None and ``auto`` leave it to the metric.

    Attributes:
        model: ``--vmaf-model``: a built-in model, or a model file.
        generation: ``--vmaf-generation``: of the models to choose from, where none was named.
        size: ``--vmaf-scale``: ``auto``, ``none`` or ``WxH``.
    """

    model: str | None = None
    generation: str | None = None
    size: str = "auto"


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A decided comparison.

    Attributes:
        metric: what is measured.
        model: a model of the metric that is built in, or the path of a model file; empty where it has none.
        size: pixels (width, height) both branches are scaled to; None leaves them as they are.
        pix_fmt: format both branches are converted to.
        options: further options of the metric's filter that the pictures call for.
        notes: what a person should know of it, a line each.
    """

    metric: Metric
    model: str
    size: tuple[int, int] | None
    pix_fmt: str
    options: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


_ASKED = (
    *("decide", "filter_text", "conversion", "read_log", "features", "neighbours", "model_name", "depth", "limits"),
    *("scores", "of_frames", "pooled", "check_pool", "itself", "measure"),
)

_Method = TypeVar("_Method", bound=Callable[..., Any])


def _named(method: _Method) -> _Method:
    """A method of a metric whose errors name the metric: whatever its author did not foresee is no traceback of ours."""

    @functools.wraps(method)
    def asked(self: Metric, *given: Any, **named: Any) -> Any:
        try:
            return method(self, *given, **named)
        except VmafTuneError:
            raise
        except Exception as error:
            text = " ".join(f"{type(error).__name__}: {error}".split())
            raise PluginError(f"metric {self.name} failed in {method.__name__}: {text}") from error

    return cast(_Method, asked)


class Metric(abc.ABC):
    """A way to compare an encode with its source, frame by frame, in one filter of ffmpeg.

    A plugin yields an instance from ``vmaftune_metrics``. Instances hold no state. ``vmaftune.testing`` holds one to what is
    said here. What a method raises besides VmafTuneError ends the run with PluginError, one line that names the metric.

    Attributes:
        name: what ``--metric`` takes: small letters, digits and hyphens.
        title: as people write it.
        unit: of its scores, such as ``dB``; empty where they have none.
        lowest, highest: of all scores.
        higher_is_better: direction of its scores.
        usual_range: scores of encodes at the best CRF of a search range and at the coarsest, in rough; where nothing is known
            of a source, its curve is taken to lie between.
        grain: how large a difference in score is as large as one VMAF; what the search takes for noise follows from it.
        default_target, default_tolerance: what is searched for where nothing is asked for.
        filter: ffmpeg's filter that measures it.
        reference_first: whether that filter takes the source before the encode.
        parts: names of the numbers that a frame's score is made of; most metrics have one. In a log's metrics they are found by
            these names.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    unit: ClassVar[str] = ""
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 100.0
    higher_is_better: ClassVar[bool] = True
    usual_range: ClassVar[tuple[float, float]] = (98.0, 55.0)
    grain: ClassVar[float] = 1.0
    default_target: ClassVar[float] = 95.0
    default_tolerance: ClassVar[float] = 0.25
    filter: ClassVar[str]
    reference_first: ClassVar[bool] = False
    parts: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        for name in _ASKED:
            if inspect.isfunction(own := cls.__dict__.get(name)):
                setattr(cls, name, _named(own))

    @abc.abstractmethod
    def decide(self, asked: Asked, pictures: Pictures) -> Comparison:
        """How pictures are compared.

        Raises:
            UserError: what was asked for cannot be understood, or the metric does not take pictures of this size.
        """

    @abc.abstractmethod
    def filter_text(self, comparison: Comparison, log: Path, *, threads: int, every: int) -> str:
        """The filter between its two inputs and its output, such as ``libvmaf=log_path=...``; it writes
        ``log``.

        Args:
            threads: that it may use.
            every: one of so many frames is to be scored, the first one among them; above 1 only where neighbours() is not None.
        """

    def conversion(self, comparison: Comparison) -> tuple[str, ...]:
        """Filters that bring the pictures of both branches to the comparison's format."""
        return (f"format={comparison.pix_fmt}",)

    @abc.abstractmethod
    def read_log(self, log: Path) -> list[dict[str, float]]:
        """Metrics of each frame that was scored, in order, those of ``parts`` among them.

        Raises:
            VmafTuneError: the log is not there or not whole.
        """

    def features(self, frame: Mapping[str, float]) -> dict[str, float]:
        """What a person is told of a frame beside its score, by plain names: of what read_log gave, all but the score."""
        return {name: value for name, value in frame.items() if (name,) != self.parts}

    def neighbours(self, comparison: Comparison) -> tuple[int, int] | None:
        """How many frames before and after one must be read for its score to be exactly that in the whole; None where that is
        not known, and then a part of the frames is never scored."""
        return None

    def model_name(self, comparison: Comparison) -> str:
        """Names the model in a scale and a cache key: where it is a file, by its content.

        Raises:
            UserError: it cannot be read.
        """
        return comparison.model

    def depth(self, comparison: Comparison) -> int | None:
        """Bits per component of the comparison where the model has one of its own; None where the pictures decide."""
        return None

    def limits(self, model: str) -> tuple[float, float]:
        """Least and greatest score of a model."""
        return self.lowest, self.highest

    def itself(self, model: str) -> str:
        """Why a source scored against itself may get less than the best score, in words; empty where it does not."""
        return ""

    def measure(self, model: str) -> Measure:
        """What reports have to know of the scores of a model."""
        lowest, highest = self.limits(model)
        return Measure(
            name=self.name,
            title=self.title,
            unit=self.unit,
            lowest=lowest,
            highest=highest,
            higher_is_better=self.higher_is_better,
            grain=self.grain,
            default_target=self.default_target,
            itself=self.itself(model),
        )

    @contextlib.contextmanager
    def at_hand(self, comparison: Comparison, folder: Path) -> Iterator[Comparison]:
        """Within, the comparison as the filter can be told of it; ``folder`` takes what has to be copied for that."""
        yield comparison

    @_named
    def scores(self, frames: list[dict[str, float]]) -> FloatArray:
        """Scores of frames from what read_log gave; shape (frames,), or (frames, len(parts)) where there are several parts."""
        found = np.array([[frame[part] for part in self.parts] for frame in frames], dtype=float)
        found = found.reshape(len(frames), len(self.parts))
        return found[:, 0] if len(self.parts) == 1 else found

    def of_frames(self, scores: FloatArray) -> FloatArray:
        """One score for each frame, shape (frames,), from what scores() gave: the worst of its parts."""
        if scores.ndim == 1:
            return scores
        worst: FloatArray = scores.min(axis=1) if self.higher_is_better else scores.max(axis=1)
        return worst

    def pooled(self, scores: FloatArray, pool: str) -> float:
        """One score from those of all frames.

        Args:
            scores: as scores() gives them.
            pool: as of check_pool.
        """
        return pooling.pooled(self.of_frames(scores), pool)

    @property
    def mean_of_frames(self) -> bool:
        """Whether the pool ``mean`` is the plain mean of the frames' scores, so that parts of a video add up to the whole by
        their frames: not so where a metric pools in a way of its own."""
        return type(self).pooled is Metric.pooled

    def check_pool(self, pool: str) -> str:
        """``pool`` if this metric's scores can be pooled so.

        Raises:
            UserError: they cannot.
        """
        return pooling.check_pool(pool)

    def scale(self, asked: Asked, pictures: Pictures, pool: str) -> Scale:
        """Of what scale the scores are that decide() leads to; equal for all sources of which the same was asked."""
        comparison = self.decide(asked, pictures)
        size = asked.size
        if (
            size != "auto"
            and comparison.size == self.decide(msgspec.structs.replace(asked, size="auto"), pictures).size
        ):
            size = "auto"
        return Scale(
            metric=self.name,
            model=self.model_name(comparison),
            pool=pool,
            size=size,
            depth=self.depth(comparison),
        )


def fitted(width: int, height: int, bound: tuple[int, int]) -> tuple[int, int]:
    """The largest size inside ``bound`` that keeps the aspect of ``width`` x ``height``, in pixels."""
    if width * bound[1] > height * bound[0]:
        return bound[0], max(1, round(bound[0] * height / width))
    return max(1, round(bound[1] * width / height)), bound[1]


def parsed_size(text: str, option: str = "--vmaf-scale") -> tuple[int, int]:
    """``1920x1080`` as pixels (width, height).

    Raises:
        UserError: it is no size.
    """
    width, _, height = text.partition("x")
    if all(side.isdecimal() and SMALLEST_SIDE <= int(side) <= LARGEST_SIDE for side in (width, height)):
        return int(width), int(height)
    raise UserError(f"{option} {text!r} must be auto, none or WIDTHxHEIGHT, such as 1920x1080")


def identity_of(comparison: Comparison) -> dict[str, Any]:
    """All of a comparison that changes a score, but for the model's content; part of every cache key, as JSON values."""
    known: dict[str, Any] = {"model": comparison.model, "size": comparison.size, "pix_fmt": comparison.pix_fmt}
    more = {"metric": comparison.metric.name} if comparison.metric.name != Scale().metric else {}
    return {**known, **more, **({"options": comparison.options} if comparison.options else {})}
