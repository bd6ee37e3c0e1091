"""The contract of metrics: what one says of its scores is true of those that ffmpeg's filter gives of generated pictures."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable

import numpy as np

from vmaftune.crf_search.part import plan_part
from vmaftune.errors import FfmpegError, PluginError, UserError, VmafTuneError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import PASS_THROUGH, Output, command, generated
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.pixels import pixels
from vmaftune.quality.compare import Selection, graph
from vmaftune.quality.metric import Asked, Comparison, FloatArray, Metric, Pictures, identity_of
from vmaftune.state.workspace import workspace
from vmaftune.testing.check import ContractError, NotChecked

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SIZE = (400, 320)
_FRAMES, _LONG = 6, 60
_NOISE = (0, 4, 12, 40)  # of encodes that are each worse than the one before
_SMALLEST_SIDE, _LARGEST_LEAST_SIDE = 2, 512
_HOSTILE = "it's a: [log], x=1; %d \\ é"
_POOLS = ("mean", "min", "p5")
_SHAPES = ((640, 360), (1920, 1080), (1080, 1920), (3840, 2160), (853, 479))
# Shown two or three times each, as film and animation have them, so that a neighbour that was left out shows.
_REPEATING = "testsrc2=size={}x{}:rate=10,fps=25,noise=alls=3:all_seed=2"


class MetricSubject:
    """A metric under test.

    Args:
        metric: it.
        located: finds the program to try it with, or raises UserError.
    """

    def __init__(self, metric: Metric, located: Callable[[], Ffmpeg]) -> None:
        self.metric, self._located = metric, located

    @property
    def ffmpeg(self) -> Ffmpeg:
        """The program. Raises NotChecked where there is none."""
        try:
            return self._located()
        except UserError as error:
            raise NotChecked(str(error)) from error

    def compared(self, size: tuple[int, int] = _SIZE) -> Comparison:
        """How pictures of that width and height are compared at it."""
        return self.metric.decide(Asked(size="none"), Pictures(width=size[0], height=size[1], fps=25.0))

    def measured(
        self,
        noise: int,
        size: tuple[int, int] = _SIZE,
        frames: int = _FRAMES,
        selection: Selection | None = None,
        log_name: str = "scores.log",
    ) -> tuple[FloatArray, bytes]:
        """Scores of generated pictures with noise against themselves without, as Metric.scores gives them, and the log.

        Raises:
            NotChecked: there is no ffmpeg that has the filter.
            FfmpegError: the filter failed.
        """
        ffmpeg, metric = self.ffmpeg, self.metric
        pictures = f"{_REPEATING.format(*size)},trim=end_frame={frames},format=yuv420p"
        distorted = f"{pictures},noise=alls={noise}:all_seed=1" if noise else pictures
        with workspace() as folder:
            log = folder / log_name
            with metric.at_hand(self.compared(size), folder) as named:
                compared = graph("1:0", "0:0", named, reference_filter=None, threads=2, log=log, selection=selection)
                inputs = (generated(pictures), generated(distorted))
                arguments = command(Output(["[scored]"], None, PASS_THROUGH), inputs=inputs, graph=compared)
                try:
                    process.run(ffmpeg.path, arguments)
                except FfmpegError as error:
                    if f"No such filter: '{metric.filter}'" in str(error):
                        raise NotChecked(f"{ffmpeg.path} (ffmpeg {ffmpeg.version}) was built without it") from error
                    raise
            return metric.scores(metric.read_log(log)), log.read_bytes()

    def scores(self, noise: int, size: tuple[int, int] = _SIZE) -> FloatArray:
        """The scores alone."""
        return self.measured(noise, size)[0]

    def of_frames(self, noise: int) -> FloatArray:
        """One score for each frame of such pictures."""
        return self.metric.of_frames(self.scores(noise))

    def better(self, score: float, other: float) -> bool:
        """Whether a score is better than another, in the direction that the metric declares."""
        return score > other if self.metric.higher_is_better else score < other


def check_name_can_be_typed(of: MetricSubject) -> None:
    """Its name can be an argument: small letters and digits, with hyphens between them."""
    if not isinstance(of.metric.name, str) or _NAME.fullmatch(of.metric.name) is None:
        raise ContractError(f"its name is {of.metric.name!r}")


def check_words_are_fit_to_be_shown(of: MetricSubject) -> None:
    """Its title and the parts of a score have names, its unit may be empty, and each is one line."""
    metric = of.metric
    for what, text in (("title", metric.title), ("filter", metric.filter), *(("part", part) for part in metric.parts)):
        if not isinstance(text, str) or not text.strip() or "\n" in text:
            raise ContractError(f"its {what} is {text!r}")
    if not isinstance(metric.unit, str) or "\n" in metric.unit:
        raise ContractError(f"its unit is {metric.unit!r}")
    if not metric.parts or len(set(metric.parts)) != len(metric.parts):
        raise ContractError(f"its parts are {metric.parts!r}: they are one or more, of different names")


def check_range_is_consistent(of: MetricSubject) -> None:
    """lowest is below highest, and usual_range and default_target lie between them, the better end of that range first."""
    metric = of.metric
    best, coarsest = metric.usual_range
    numbers = (metric.lowest, metric.highest, best, coarsest, metric.default_target, metric.grain)
    if not all(math.isfinite(number) for number in (*numbers, metric.default_tolerance)):
        raise ContractError("its range, its usual range, its grain or a default is no finite number")
    if not metric.lowest < metric.highest:
        raise ContractError(f"its scores lie between {metric.lowest:g} and {metric.highest:g}")
    for what, score in (("usual_range", best), ("usual_range", coarsest), ("default_target", metric.default_target)):
        if not metric.lowest <= score <= metric.highest:
            raise ContractError(f"{what} has {score:g}, outside {metric.lowest:g} to {metric.highest:g}")
    if not of.better(best, coarsest):
        raise ContractError(f"usual_range is {metric.usual_range}: the first should be the better one")
    if not (metric.grain > 0 and metric.default_tolerance > 0):
        raise ContractError(f"its grain is {metric.grain:g} and default_tolerance {metric.default_tolerance:g}")


def check_decides_the_same_again(of: MetricSubject) -> None:
    """decide() gives a comparison that ffmpeg can be told of, the same for the same pictures."""
    for width, height in _SHAPES:
        for depth in (8, 10):
            for size in ("auto", "none", "640x360"):
                pictures = Pictures(width=width, height=height, bit_depth=depth, fps=25.0)
                asked, where = Asked(size=size), f"{width}x{height} at {depth} bits, size {size}"
                found, again = of.metric.decide(asked, pictures), of.metric.decide(asked, pictures)
                scale = of.metric.scale(asked, pictures, "mean")
                if identity_of(found) != identity_of(again) or scale != of.metric.scale(asked, pictures, "mean"):
                    raise ContractError(f"it decides in two ways ({where})")
                if found.metric is not of.metric:
                    raise ContractError(f"the comparison is of another metric, {found.metric!r} ({where})")
                _check_size(found, (width, height), size, where)
                try:
                    pixels(found.pix_fmt)
                except ValueError as error:
                    raise ContractError(f"it compares in a pixel format {found.pix_fmt!r} ({where})") from error


def _check_size(found: Comparison, picture: tuple[int, int], asked: str, where: str) -> None:
    if asked == "none" and found.size not in (None, picture):
        raise ContractError(f"pictures are to keep their size, and it takes {found.size} ({where})")
    if found.size is None:
        if asked == "640x360":
            raise ContractError(f"it passes over the size that was asked for ({where})")
        return
    width, height = found.size
    if not all(isinstance(side, int) and side > 0 for side in found.size):
        raise ContractError(f"it compares at {found.size!r} ({where})")
    if abs(width * picture[1] - height * picture[0]) > max(picture):
        raise ContractError(f"it compares at {width}x{height}, which is of another shape ({where})")
    if asked == "640x360" and (width > 640 or height > 360):
        raise ContractError(f"it compares at {width}x{height}, which is larger than what was asked for ({where})")


def check_what_it_does_not_know_is_refused(of: MetricSubject) -> None:
    """A size, a model and a pool that it does not know are the user's mistake, and are told in one line."""
    metric, pictures = of.metric, Pictures(width=640, height=360)
    for what, call in (
        ("a size", lambda: metric.decide(Asked(size="large"), pictures)),
        ("a model", lambda: metric.decide(Asked(model="a_model_that_nobody_made"), pictures)),
        ("a pool", lambda: metric.check_pool("a_pool_that_nobody_made")),
    ):
        try:
            call()
        except UserError as error:
            _check_one_line(error, f"that it takes no such thing as {what}")
        else:
            raise ContractError(f"it takes {what} that does not exist")


def check_each_frame_gets_a_score(of: MetricSubject) -> None:
    """As many frames are scored as were compared, each by a finite number within the metric's limits."""
    scores, parts = of.scores(_NOISE[2]), len(of.metric.parts)
    shape = (_FRAMES,) if parts == 1 else (_FRAMES, parts)
    if scores.shape != shape:
        raise ContractError(f"{_FRAMES} frames were compared, and scores have shape {scores.shape}, not {shape}")
    low, high = of.metric.limits(of.compared().model)
    outside = scores[~((scores >= low) & (scores <= high))]
    if outside.size:
        raise ContractError(f"a frame has score {outside.flat[0]:g}, outside {low:g} to {high:g}")


def check_scores_of_parts_become_one(of: MetricSubject) -> None:
    """of_frames gives a number for each frame, pooled one for all, within the metric's limits, by each pool that it takes."""
    scores = of.scores(_NOISE[2])
    each = of.metric.of_frames(scores)
    if each.shape != (len(scores),):
        raise ContractError(f"of_frames gives shape {each.shape} for {len(scores)} frames")
    if not np.array_equal(each[:2], of.metric.of_frames(scores[:2])):
        raise ContractError("of_frames gives a frame another score beside other frames")
    low, high = of.metric.limits(of.compared().model)
    of.metric.check_pool("mean")
    for pool in (*_POOLS, "harmonic_mean"):
        try:
            of.metric.check_pool(pool)
        except UserError:
            continue
        one = of.metric.pooled(scores, pool)
        if not (isinstance(one, float) and low <= one <= high):
            raise ContractError(f"pool {pool} gives {one!r}, which is no score from {low:g} to {high:g}")


def check_an_identical_pair_scores_best(of: MetricSubject) -> None:
    """Pictures against themselves score better than with noise, frame by frame."""
    same, noisy = of.of_frames(0), of.of_frames(_NOISE[2])
    for frame, (one, other) in enumerate(zip(same.tolist(), noisy.tolist(), strict=True)):
        if not of.better(one, other):
            raise ContractError(f"frame {frame} scores {one:g} against itself, and {other:g} with noise")


def check_a_worse_encode_scores_worse(of: MetricSubject) -> None:
    """The more noise, the worse the mean, in the direction that it declares."""
    means = [(noise, of.metric.pooled(of.scores(noise), "mean")) for noise in _NOISE]
    for (less, better), (more, worse) in itertools.pairwise(means):
        if not of.better(better, worse):
            direction = "higher" if of.metric.higher_is_better else "lower"
            raise ContractError(
                f"noise {less} scores {better:g} and {more} scores {worse:g}, and {direction} is better"
            )


def check_the_log_may_have_any_name(of: MetricSubject) -> None:
    """Quotes, colons, commas, brackets and white space in the path of the log are a name like any other."""
    plain, (hostile, _) = of.scores(_NOISE[2]), of.measured(_NOISE[2], log_name=_HOSTILE)
    if not np.array_equal(plain, hostile):
        raise ContractError(f"with a log called {_HOSTILE!r} scores are others")


def check_a_lost_log_is_an_error(of: MetricSubject) -> None:
    """A log that is not there raises VmafTuneError, in one line; half a log does, or gives fewer frames."""
    _, whole = of.measured(_NOISE[2])
    with workspace() as folder:
        log = folder / "scores.log"
        for content, what in (
            (None, "a log that is not there"),
            (b"", "an empty log"),
            (whole[: len(whole) // 2], "half a log"),
        ):
            if content is not None:
                log.write_bytes(content)
            try:
                frames = len(of.metric.read_log(log))
            except VmafTuneError as error:
                if isinstance(error, PluginError):
                    raise
                _check_one_line(error, f"of {what}")
                continue
            if content is None or frames >= _FRAMES:
                raise ContractError(f"it reads {frames} frames from {what}")


def _check_one_line(error: VmafTuneError, what: str) -> None:
    if "\n" in str(error) or not str(error):
        raise ContractError(f"it tells {what} in {str(error)!r}, which is not one line") from error


def check_neighbours_are_enough(of: MetricSubject) -> None:
    """A frame that is read with as many neighbours as it says has exactly the score that it has in the whole."""
    beside = of.metric.neighbours(of.compared())
    if beside is None:
        raise NotChecked("it scores no part of the frames")
    part = plan_part([_LONG], beside)
    if part is None:
        raise NotChecked(f"{beside} neighbours leave no part of {_LONG} frames")
    whole, _ = of.measured(_NOISE[1], frames=_LONG)
    some, _ = of.measured(_NOISE[1], frames=_LONG, selection=part.selection(_LONG))
    expected = whole[part.indices(_LONG)]
    if some.shape != expected.shape:
        raise ContractError(f"of a part it scores {len(some)} frames, not {len(expected)}")
    if not np.array_equal(some, expected):
        frame = int(part.indices(_LONG)[np.argmax((some != expected).reshape(len(some), -1).any(axis=1))])
        raise ContractError(f"frame {frame} has another score when read with {beside} neighbours than in the whole")


def check_the_smallest_pictures_get_a_score(of: MetricSubject) -> None:
    """The smallest pictures that decide() takes get scores; smaller ones it refuses in words."""
    low, high = _SMALLEST_SIDE, _LARGEST_LEAST_SIDE
    if not _takes(of, high):
        raise ContractError(f"it refuses pictures of {high}x{high}")
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _takes(of, middle) else (middle + 1, high)
    if not len(of.scores(_NOISE[2], size=(high, high))):
        raise ContractError(f"it takes pictures of {high}x{high}, and gives them no score")


def _takes(of: MetricSubject, side: int) -> bool:
    try:
        of.compared((side, side))
    except UserError as error:
        _check_one_line(error, f"that it takes no pictures of {side}x{side}")
        return False
    return True


CHECKS = (
    check_name_can_be_typed,
    check_words_are_fit_to_be_shown,
    check_range_is_consistent,
    check_decides_the_same_again,
    check_what_it_does_not_know_is_refused,
    check_each_frame_gets_a_score,
    check_scores_of_parts_become_one,
    check_an_identical_pair_scores_best,
    check_a_worse_encode_scores_worse,
    check_the_log_may_have_any_name,
    check_a_lost_log_is_an_error,
    check_neighbours_are_enough,
    check_the_smallest_pictures_get_a_score,
)
