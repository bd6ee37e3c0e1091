"""Metrics that break their contract: for each check at least one that fails it, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from vmaftune.contract import Asked, Comparison, Metric, Pictures
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.escape import filter_value
from vmaftune.quality.vmaf import Vmaf

_LINE = re.compile(r"^n:(\d+) mse_avg:(\S+) ", re.MULTILINE)


class Good(Metric):
    """The mean squared error, of which less is better."""

    name = "mse"
    title = "MSE"
    highest = 65025.0
    higher_is_better = False
    usual_range = (1.0, 400.0)
    grain = 2.0
    default_target = 20.0
    filter = "psnr"
    parts = ("mse",)

    def decide(self, asked: Asked, pictures: Pictures) -> Comparison:
        if asked.model is not None:
            raise UserError("MSE has no models")
        if min(pictures.width, pictures.height) < 2:
            raise UserError("MSE takes pictures of 2x2 and more")
        size = None
        if asked.size not in ("auto", "none"):
            width, _, height = asked.size.partition("x")
            if not (width.isdecimal() and height.isdecimal()):
                raise UserError(f"--vmaf-scale {asked.size} is no size")
            least = min(int(width) / pictures.width, int(height) / pictures.height)
            size = (round(pictures.width * least), round(pictures.height * least))
        return Comparison(metric=self, model="", size=size, pix_fmt="yuv420p")

    def filter_text(self, comparison: Comparison, log: Path, *, threads: int, every: int) -> str:
        return f"psnr=stats_file={filter_value(str(log))}"

    def read_log(self, log: Path) -> list[dict[str, float]]:
        try:
            return [{"mse": float(mse)} for _, mse in _LINE.findall(log.read_text())]
        except (OSError, ValueError) as error:
            raise VmafTuneError(f"the log of MSE cannot be read: {error}") from error


def changed(base: type[Metric] = Good, **changes: Any) -> Metric:
    """The good one, with something of another kind."""
    made = type("Changed", (base,), changes)
    assert issubclass(made, Metric)
    return made()


class OtherSizeEachTime(Good):
    def decide(self, asked: Asked, pictures: Pictures) -> Comparison:
        found = super().decide(asked, pictures)
        self.times = getattr(self, "times", 0) + 1
        return Comparison(metric=self, model=str(self.times), size=found.size, pix_fmt=found.pix_fmt)


class OtherShape(Good):
    def decide(self, asked: Asked, pictures: Pictures) -> Comparison:
        found = super().decide(asked, pictures)
        return Comparison(metric=self, model="", size=found.size and (640, 640), pix_fmt="yuv420p")


class NoSuchFormat(Good):
    def decide(self, asked: Asked, pictures: Pictures) -> Comparison:
        deep = pictures.bit_depth > 8
        found = super().decide(asked, pictures)
        return Comparison(metric=self, model="", size=found.size, pix_fmt="yuv999p" if deep else "yuv420p")


class TakesAnyModel(Good):
    def decide(self, asked: Asked, pictures: Pictures) -> Comparison:
        return super().decide(Asked(size=asked.size), pictures)


class LosesAFrame(Good):
    def read_log(self, log: Path) -> list[dict[str, float]]:
        return super().read_log(log)[:5]


class CountsFrames(Good):
    def of_frames(self, scores: Any) -> Any:
        return scores + 0.001 * len(scores)


class PoolsToText(Good):
    def pooled(self, scores: Any, pool: str) -> Any:
        return super().pooled(scores, pool) if pool == "mean" else "much"


class UnescapedLog(Good):
    def filter_text(self, comparison: Comparison, log: Path, *, threads: int, every: int) -> str:
        return f"psnr=stats_file={log}"


class LostLogIsEmpty(Good):
    def read_log(self, log: Path) -> list[dict[str, float]]:
        return super().read_log(log) if log.exists() else []


class LostLogIsAnOsError(Good):
    def read_log(self, log: Path) -> list[dict[str, float]]:
        log.stat()
        return super().read_log(log)


class TooFewNeighbours(Vmaf):
    def neighbours(self, comparison: Comparison) -> tuple[int, int] | None:
        return 0, 0


class TakesTooSmallPictures(Vmaf):
    def decide(self, asked: Asked, pictures: Pictures) -> Comparison:
        large = Pictures(width=max(64, pictures.width), height=max(64, pictures.height), bit_depth=pictures.bit_depth)
        return super().decide(asked, large)


class PraisesAFrame(Good):
    """The fourth frame, where there is some noise."""

    def read_log(self, log: Path) -> list[dict[str, float]]:
        found = super().read_log(log)
        return [{"mse": 0.0 if n == 3 and 20.0 < f["mse"] < 100.0 else f["mse"]} for n, f in enumerate(found)]


class Saturates(Good):
    def scores(self, frames: list[dict[str, float]]) -> Any:
        return np.minimum(super().scores(frames), 9.0)


GOOD = [Good(), Vmaf()]
BROKEN = [
    ("name_can_be_typed", changed(name="Mean Squared Error")),
    ("name_can_be_typed", changed(name="mse_")),
    ("words_are_fit_to_be_shown", changed(title=" ")),
    ("words_are_fit_to_be_shown", changed(unit="d\nB")),
    ("words_are_fit_to_be_shown", changed(filter="")),
    ("range_is_consistent", changed(usual_range=(400.0, 1.0))),
    ("range_is_consistent", changed(usual_range=(-1.0, 400.0))),
    ("range_is_consistent", changed(default_target=1e6)),
    ("range_is_consistent", changed(grain=0.0)),
    ("range_is_consistent", changed(default_tolerance=float("nan"))),
    ("decides_the_same_again", OtherSizeEachTime()),
    ("decides_the_same_again", OtherShape()),
    ("decides_the_same_again", NoSuchFormat()),
    ("what_it_does_not_know_is_refused", TakesAnyModel()),
    ("what_it_does_not_know_is_refused", changed(check_pool=lambda self, pool: pool)),
    ("each_frame_gets_a_score", LosesAFrame()),
    ("scores_of_parts_become_one", CountsFrames()),
    ("scores_of_parts_become_one", PoolsToText()),
    ("an_identical_pair_scores_best", PraisesAFrame()),
    ("a_worse_encode_scores_worse", Saturates()),
    ("the_log_may_have_any_name", UnescapedLog()),
    ("a_lost_log_is_an_error", LostLogIsEmpty()),
    ("a_lost_log_is_an_error", LostLogIsAnOsError()),
    ("neighbours_are_enough", TooFewNeighbours()),
    ("the_smallest_pictures_get_a_score", TakesTooSmallPictures()),
]
