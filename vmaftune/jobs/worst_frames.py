"""The frames of an encode that came out worst, and what they look like beside the reference."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from vmaftune.errors import VmafTuneError, file_error
from vmaftune.escape import file_url
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import LIST_FRAMES, PASS_THROUGH, Output, Stream, command, filtered, split
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.score import Compared, compare
from vmaftune.jobs.session import Session, names_origins
from vmaftune.quality.scored import Scored, ScoredReport, scored_by
from vmaftune.state import atomic
from vmaftune.state.workspace import workspace


class WorstFrame(Scored, frozen=True, kw_only=True):
    """One frame.

    Attributes:
        index: of the frame, from 0.
        time_seconds: when the reference shows it, after its beginning.
        score, vmaf: of it.
        features: what the metric measures of it beside the score.
        picture: file with the reference on the left and the encode on the right; None where none was asked for.
    """

    index: int
    time_seconds: float
    score: float
    vmaf: float | None = None
    features: dict[str, float]
    picture: str | None


class WorstFramesReport(ScoredReport, frozen=True, kw_only=True):
    """What ``worst-frames --json`` prints; ``worst`` comes worst first, ``score`` is the mean of all ``frames``."""

    score: float
    vmaf: float | None = None
    frames: int
    worst: list[WorstFrame]
    ffmpeg: str


@names_origins
def run_worst_frames(
    session: Session,
    reference: Path,
    distorted: Path,
    raw: Mapping[str, Any],
    *,
    count: int,
    apart: int = 1,
    pictures: Path | None = None,
    picture_width: int | None = None,
    observer: JobObserver | None = None,
) -> WorstFramesReport:
    """Compare two files and find the frames that scored worst.

    Args:
        raw: geometry of raw video, by the names of vmaftune.jobs.options.RawOptions.
        count: how many frames at most.
        apart: frames that lie between two of them at least, plus one.
        pictures: folder for ``frame-INDEX.png`` of each; made when it is not there.
        picture_width: of each half, in pixels, where the reference is wider.

    Raises:
        UserError: as of run_score, or the folder cannot be written to.
    """
    compared = compare(session, reference, distorted, raw, observer)
    metric = compared.comparison.metric
    scores = metric.scores(compared.metrics)
    each = metric.of_frames(scores)
    chosen = lowest(each if metric.higher_is_better else -each, count, apart)
    with workspace() as folder:
        taken, times = _take(compared, sorted(chosen), folder, pictures is not None, picture_width)
        named = {} if pictures is None else _kept(taken, pictures)
    worst = [
        WorstFrame(
            index=index,
            time_seconds=times[index],
            metric=metric.name,
            score=float(each[index]),
            features=metric.features(compared.metrics[index]),
            picture=str(named[index]) if index in named else None,
        )
        for index in chosen
    ]
    return WorstFramesReport(
        **scored_by(compared.comparison, msgspec.structs.replace(compared.scale, pool="mean")),
        score=round(metric.pooled(scores, "mean"), 6),
        frames=len(scores),
        worst=worst,
        ffmpeg=compared.ffmpeg.version,
    )


def lowest(scores: np.ndarray, count: int, apart: int = 1) -> list[int]:
    """Indices of the ``count`` lowest of ``scores``, shape (frames,), lowest first; no two nearer than ``apart``.

    Of equal scores the earlier comes first.
    """
    chosen: list[int] = []
    for index in np.argsort(scores, kind="stable").tolist():
        if len(chosen) == count:
            break
        if all(abs(index - other) >= apart for other in chosen):
            chosen.append(index)
    return chosen


def _take(
    compared: Compared, indices: Sequence[int], folder: Path, with_pictures: bool, width: int | None
) -> tuple[dict[int, Path], dict[int, float]]:
    """Pictures of these frames, reference beside encode, and their times in seconds; frames are found by index."""
    first, second = compared.reference, compared.distorted
    picked = "+".join(f"eq(n,{index})" for index in indices)
    shown = min(width or first.width, first.width)
    size = (shown, max(1, round(shown * first.height / first.width)))
    listing = folder / "times.txt"
    # With the last frame taken, ffmpeg reads no further.
    taken = PASS_THROUGH | {"frames:v": len(indices)}
    # Times in microseconds: the default would round them to the frame rate.
    listed = taken | LIST_FRAMES | {"enc_time_base": "1:1000000"}
    reference = first.opened[str(first.stream_index)].filter("select", expr=picked)
    if with_pictures:
        reference, left = split(reference)
        right = second.opened[str(second.stream_index)].filter("select", expr=picked)
        beside = filtered("hstack", _side(left, size), _side(right, size))
        pattern = file_url(folder).replace("%", "%%") + "/%d.png"
        outputs = [Output([reference], listing, listed), Output([beside], pattern, taken | {"f": "image2"})]
    else:
        outputs = [Output([reference], listing, listed)]
    process.run(compared.ffmpeg.path, command(*outputs))
    times = _times(listing)
    files = [folder / f"{number}.png" for number in range(1, len(indices) + 1)] if with_pictures else []
    if len(times) != len(indices) or not all(path.is_file() for path in files):
        raise VmafTuneError("the worst frames could not be taken from the videos; is the disk full? TMPDIR moves it")
    return dict(zip(indices, files, strict=False)), dict(zip(indices, times, strict=True))


def _side(stream: Stream, size: tuple[int, int]) -> Stream:
    """One half of a picture."""
    scaled = stream.filter("scale", w=size[0], h=size[1], flags="bicubic").filter("setsar", sar=1)
    return scaled.filter("format", pix_fmts="gbrp").filter("settb", expr="AVTB").filter("setpts", expr="N")


def _times(listing: Path) -> list[float]:
    """Presentation times in seconds from a framecrc listing."""
    lines = listing.read_text("ascii").splitlines()
    base = next((Fraction(m[1]) for line in lines if (m := re.match(r"#tb 0: (\d+/\d+)", line))), Fraction(0))
    return [round(float(int(line.split(",")[2]) * base), 6) for line in lines if not line.startswith("#")]


def _kept(taken: Mapping[int, Path], pictures: Path) -> dict[int, Path]:
    named = {index: pictures / f"frame-{index:06d}.png" for index in taken}
    try:
        pictures.mkdir(parents=True, exist_ok=True)
        for index, path in taken.items():
            atomic.write(named[index], path.read_bytes())
    except OSError as error:
        raise file_error(f"cannot write pictures to {pictures}", error) from error
    return named
