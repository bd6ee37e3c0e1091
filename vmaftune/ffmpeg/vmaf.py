"""How two videos are compared: the VMAF model, the size and format of the comparison, the filter graph, the pooling.

Frame pairing decides every number we print. Frames are paired by index: timestamps are dropped on both branches
(``settb=AVTB,setpts=N``), because pairing by timestamp pairs the wrong frames as soon as a container rounds times.
A whole is never scored with ``n_subsample``: the mean of some frames is not the mean of all. Where a part is scored, and said
to be one, a Selection takes frames from both branches by index, before they are scaled.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from vmaftune.errors import PairingError, UserError, VmafTuneError
from vmaftune.escape import filter_value, nested_value

MODEL_HD = "vmaf_v0.6.1"
MODEL_4K = "vmaf_4k_v0.6.1"
LEAST_SIDE = 17
"""Least width and height in pixels that libvmaf scores (measured: at 16 it ends by a signal)."""


class ScoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How scores are made; all of it is part of the cache key, but for pool and threads.

    Attributes:
        model: ``--vmaf-model``: a built-in version, or a model file; None chooses by size.
        scale: ``--vmaf-scale``: ``auto``, ``none`` or ``WxH``.
        pool: ``--pool``, see check_pool.
        threads: of libvmaf.
    """

    model: str | None = None
    scale: str = "auto"
    pool: str = "mean"
    threads: int = 1


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A decided comparison.

    Attributes:
        model: built-in version, or path of a model file.
        size: pixels (width, height) both branches are scaled to; None leaves them as they are.
        pix_fmt: format both branches are converted to.
    """

    model: str
    size: tuple[int, int] | None
    pix_fmt: str


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """The frames that libvmaf reads and those that it scores, where that is not all.

    libvmaf (from 2.0.0 on, vmaf_read_pictures) computes motion over every frame it reads, whatever ``n_subsample`` is; so a
    frame gets the score that it has in the whole when the frames beside it are read too.

    Attributes:
        expression: of ffmpeg's ``select`` filter, true for the frames read; by index (``n``), not by time.
        frames: how many are read.
        every: one of so many that are read is scored, the first one among them.
    """

    expression: str
    frames: int
    every: int

    @property
    def scored(self) -> int:
        """Frames that get a score."""
        return -(-self.frames // self.every)


def decide(settings: ScoreSettings, width: int, height: int, bit_depth: int) -> Comparison:
    """Choose model, size and format for pictures of ``width`` x ``height``, by ab-av1's rule so that scores compare.

    Unlike there, the bounds turn with the picture: a clip held upright is compared at the size of the same clip held level, and
    gets the same score. ``--vmaf-scale WxH`` is taken as it is written.

    Raises:
        UserError: ``--vmaf-scale`` or ``--vmaf-model`` cannot be understood.
    """
    upright = height > width
    large = max(width, height) > 2560 and min(width, height) > 1440
    model = settings.model or (MODEL_4K if large else MODEL_HD)
    if Path(model).suffix == ".json" and not Path(model).is_file():
        raise UserError(f"--vmaf-model {model}: no such file")
    bound = (3840, 2160) if "4k" in Path(model).name else (1920, 1080)
    bound = bound[::-1] if upright else bound
    size: tuple[int, int] | None = None
    if settings.scale == "auto":
        if width < bound[0] * 0.9 and height < bound[1] * 0.9:
            size = _fit(width, height, bound)
    elif settings.scale != "none":
        size = _fit(width, height, _parse_size(settings.scale))
    return Comparison(model=model, size=size, pix_fmt="yuv420p10le" if bit_depth > 8 else "yuv420p")


def check_size(comparison: Comparison, width: int, height: int) -> None:
    """Raise UserError where pictures of ``width`` x ``height`` are compared at a size that libvmaf crashes at."""
    compared = comparison.size or (width, height)
    if min(compared) < LEAST_SIDE:
        raise UserError(
            f"pictures of {width}x{height} would be compared at {compared[0]}x{compared[1]}, and libvmaf takes"
            f" {LEAST_SIDE}x{LEAST_SIDE} and more;"
            " --vmaf-scale WxH compares them at a larger size"
        )


def _parse_size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (_is_side(width) and _is_side(height)):
        raise UserError(f"--vmaf-scale {text!r} must be auto, none or WIDTHxHEIGHT, such as 1920x1080")
    return int(width), int(height)


def _is_side(text: str) -> bool:
    return text.isdecimal() and LEAST_SIDE <= int(text) <= 16384


def _fit(width: int, height: int, bound: tuple[int, int]) -> tuple[int, int]:
    """The largest size inside ``bound`` that keeps the aspect of ``width`` x ``height``."""
    if width * bound[1] > height * bound[0]:
        return bound[0], max(1, round(bound[0] * height / width))
    return max(1, round(bound[1] * width / height)), bound[1]


def graph(
    distorted: str,
    reference: str,
    comparison: Comparison,
    *,
    reference_filter: str | None,
    distorted_filter: str | None = None,
    threads: int,
    log: Path,
    selection: Selection | None = None,
) -> str:
    """The filter graph that compares two streams and writes libvmaf's log; its output is labelled ``[scored]``.

    Args:
        distorted, reference: stream labels, such as ``dec:0`` and ``0:0``.
        comparison: model, size and format.
        reference_filter: chain that the reference goes through first (what the encode went through too).
        distorted_filter: chain that the distorted video goes through first.
        threads: of libvmaf.
        log: JSON file that libvmaf writes.
        selection: frames that are read and scored; None scores all.
    """
    chain = [f"format={comparison.pix_fmt}", "settb=AVTB", "setpts=N"]
    if comparison.size is not None:
        chain.insert(0, "scale={}:{}:flags=bicubic".format(*comparison.size))
    if selection is not None:
        chain.insert(0, f"select={filter_value(selection.expression)}")
    common = ",".join(chain)
    before = f"{reference_filter}," if reference_filter else ""
    first = f"{distorted_filter}," if distorted_filter else ""
    file = Path(comparison.model)
    key, value = ("path", str(file.absolute())) if file.suffix == ".json" else ("version", comparison.model)
    options = {
        "model": f"{key}={nested_value(value)}",
        "n_threads": str(threads),
        "log_fmt": "json",
        "log_path": str(log.absolute()),
    }
    if selection is not None:
        options["n_subsample"] = str(selection.every)
    arguments = ":".join(f"{name}={filter_value(value)}" for name, value in options.items())
    return (
        f"[{distorted}]{first}{common}[distorted];[{reference}]{before}{common}[reference];"
        f"[distorted][reference]libvmaf={arguments}[scored]"
    )


@contextlib.contextmanager
def plainly_named(comparison: Comparison, folder: Path) -> Iterator[Comparison]:
    """The comparison with a model that libvmaf can be told of: it takes a ``|`` in a path for the end of the model.

    Raises:
        UserError: ``folder``, where a copy of the model would go, has such a name too.
    """
    if "|" not in comparison.model or not Path(comparison.model).is_file():
        yield comparison
        return
    copy = folder.absolute() / "model.json"
    if "|" in str(copy):
        raise UserError(f"--vmaf-model {comparison.model}: libvmaf reads no path with a '|'; rename it")
    shutil.copyfile(comparison.model, copy)
    try:
        yield msgspec.structs.replace(comparison, model=str(copy))
    finally:
        copy.unlink(missing_ok=True)


class _Frame(msgspec.Struct):
    metrics: dict[str, float]


class _Log(msgspec.Struct):
    frames: list[_Frame]


def read_log(log: Path) -> list[dict[str, float]]:
    """Metrics of each frame from libvmaf's log; the score is ``vmaf``.

    Raises:
        VmafTuneError: the log is not there or not whole (a full disk).
    """
    try:
        return [frame.metrics for frame in msgspec.json.decode(log.read_bytes(), type=_Log).frames]
    except (OSError, msgspec.DecodeError) as error:
        raise VmafTuneError(
            f"libvmaf's log in {log.parent} is missing or not whole: {error}; is the disk full?"
        ) from error


def check_pairing(scored: int, reference: int, what: str) -> None:
    """Raise PairingError unless as many frames were scored as the reference has."""
    if scored != reference:
        raise PairingError(
            f"{what}: {scored} frames were scored but the source has {reference}, so the score would be of the wrong "
            "pairs; please report this file"
        )


def check_pool(pool: str) -> str:
    """``pool`` if it is ``mean``, ``harmonic_mean``, ``min`` or ``pN`` with N from 0 to 100.

    Raises:
        UserError: it is none of these.
    """
    percentile = pool[1:]
    if pool in ("mean", "harmonic_mean", "min") or (
        pool[:1] == "p" and percentile.isdecimal() and int(percentile) <= 100
    ):
        return pool
    raise UserError(f"--pool {pool!r} must be mean, harmonic_mean, min or pN (a percentile, such as p5)")


def pooled(scores: np.ndarray, pool: str) -> float:
    """One VMAF from the scores of all frames.

    Args:
        scores: VMAF per frame, shape (frames,).
        pool: see check_pool. The harmonic mean is libvmaf's, ``1 / mean(1 / (v + 1)) - 1``.
    """
    if pool == "mean":
        return float(np.mean(scores))
    if pool == "harmonic_mean":
        return float(1.0 / np.mean(1.0 / (scores + 1.0)) - 1.0)
    if pool == "min":
        return float(np.min(scores))
    return float(np.percentile(scores, int(pool[1:])))
