"""The events, a tagged union: ``event`` says which one a line holds. Units stand in the names; times are seconds.

Within one version fields and events are only added: a reader passes over those that it does not know.
"""

from __future__ import annotations

import time
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from vmaftune.contract.records import ProbeRecord
from vmaftune.jobs.compare import CompareReport
from vmaftune.jobs.encode_report import EncodeReport
from vmaftune.jobs.ladder import LadderReport
from vmaftune.jobs.predict import PredictReport
from vmaftune.jobs.score import ScoreReport
from vmaftune.jobs.search_report import SampleReport, SearchReport
from vmaftune.jobs.worst_frames import WorstFramesReport
from vmaftune.quality.scored import ScoredReport

VERSION: Literal[1] = 1


def _now() -> float:
    return round(time.time(), 3)


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """What every line has.

    Attributes:
        v: version of this schema.
        unix_seconds: when it happened.
    """

    v: Literal[1] = VERSION
    unix_seconds: float = msgspec.field(default_factory=_now)


class _ScoredEvent(ScoredReport, frozen=True, kw_only=True, tag_field="event"):
    """The same of a line that holds scores, with what they are of."""

    v: Literal[1] = VERSION
    unix_seconds: float = msgspec.field(default_factory=_now)


class Started(_Event, tag="started", frozen=True, kw_only=True):
    """The first line.

    Attributes:
        job: the command: ``crf-search``, ``score``, ``predict``, ``encode``, …
        inputs: files, as they were named.
        version: of vmaf-tune.
    """

    job: str
    inputs: list[str]
    version: str


class Warned(_Event, tag="warning", frozen=True, kw_only=True):
    """Something a person should know beside the result."""

    text: str


class Prepared(_ScoredEvent, tag="prepared", frozen=True, kw_only=True):
    """A source was read, cut into samples and measured.

    Attributes:
        source: the file.
        width, height, fps, codec, source_pix_fmt, duration_seconds: of its video.
        samples: spans that are encoded and scored.
        encoder, preset, pix_fmt: the encode.
        feature_seconds: wall time of measuring; 0 where the features were cached.
        target, tolerance: of the search, in ``unit``; None where nothing is searched for.
    """

    source: str
    width: int
    height: int
    fps: float
    codec: str
    source_pix_fmt: str
    duration_seconds: float
    samples: list[SampleReport]
    encoder: str
    preset: str | None
    pix_fmt: str
    feature_seconds: float
    target: float | None
    tolerance: float | None


class Predicted(_ScoredEvent, tag="predicted", frozen=True, kw_only=True):
    """The curve that is expected; ``crfs``, ``mean`` and ``deviation`` are of shape (n,).

    Attributes:
        predictor: name, and version after an ``@``.
        corrections: plugins that had learned something and shifted the curve.
        notes: what predictor and corrections say a person should know.
        crf, score, vmaf: the first guess, and what is expected of it.
        crfs: the CRF grid, best quality first.
        mean, deviation: score at each CRF, corrected, and its standard deviation.
    """

    predictor: str
    corrections: list[str]
    notes: list[str]
    crf: float
    score: float
    vmaf: float | None = None
    crfs: list[float]
    mean: list[float]
    deviation: list[float]


class Probing(_Event, tag="probing", frozen=True, kw_only=True):
    """A trial encode begins.

    Attributes:
        number: 1 for the first of its search.
        crf: of the encode.
        purpose: ``verify`` (its score can be the result) or ``explore``.
        probability: that its verified score lies within tolerance; null where it is no guess at a target.
    """

    number: int
    crf: float
    purpose: Literal["verify", "explore"]
    probability: float | None


class Searching(_Event, tag="searching", frozen=True, kw_only=True):
    """One search of a job that makes several begins; ``what`` names it, such as ``libx265 slow, VMAF 93``."""

    what: str


class Progress(_Event, tag="progress", frozen=True, kw_only=True):
    """How far the present step is, a few times a second at most.

    Attributes:
        step: ``probe``, ``score``, ``encode`` or ``check``.
        share: done of it, 0 to 1.
    """

    step: Literal["probe", "score", "encode", "check"]
    share: float


class Probed(_Event, tag="probed", frozen=True, kw_only=True):
    """A trial encode was made and scored, or was known from before (``cached``)."""

    probe: ProbeRecord


class Encoding(_Event, tag="encoding", frozen=True, kw_only=True):
    """The full encode begins: to which file, at which CRF, how many frames."""

    output: str
    crf: float
    frames: int


class Checking(_Event, tag="checking", frozen=True, kw_only=True):
    """A check of the full encode begins: ``decode`` or ``score``."""

    what: str


class Queued(_Event, tag="queued", frozen=True, kw_only=True):
    """A batch knows its files: how many are to do, were done before and have failed before."""

    to_do: int
    done: int
    failed: int


class FileBegan(_Event, tag="file_began", frozen=True, kw_only=True):
    """A file of a batch is begun; ``output`` is None where it is only searched."""

    file: str
    output: str | None


class FileStep(_Event, tag="file_step", frozen=True, kw_only=True):
    """Where a file of a batch stands, a few times a second at most.

    Attributes:
        file: as in ``file_began``.
        what: the step in a few words, such as ``CRF 27``.
        share: of the step that is done, 0 to 1.
        done: of the whole file, 0 to 1, as far as can be known.
    """

    file: str
    what: str
    share: float
    done: float


class FileAgain(_Event, tag="file_again", frozen=True, kw_only=True):
    """The process that did a file died, for ``reason``; the file is begun again."""

    file: str
    reason: str


class FileEnded(_Event, tag="file_ended", frozen=True, kw_only=True):
    """A file of a batch is done, and its result is in the queue.

    Attributes:
        file, output: as in ``file_began``.
        code: 0, or the exit code that the same command alone would have had.
        reason: why it is not 0.
        seconds: wall time.
        report: what ``crf-search --json`` or ``encode --json`` prints; None where there is none.
        warnings: what a person was told of the file besides, a line each.
    """

    file: str
    output: str | None
    code: int
    reason: str | None
    seconds: float
    report: dict[str, Any] | None
    warnings: list[str] = []


class BatchSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How many files of a batch are done, failed and left, and its wall time; of those done, how many encodes are larger than
    their source, and of how many files something was said besides."""

    done: int
    failed: int
    left: int
    total_seconds: float
    larger: int = 0
    warned: int = 0


class Result(_Event, tag="result", frozen=True, kw_only=True):
    """The last line of a job that came to an end.

    Attributes:
        exit_code: 0, or 3 where the target cannot be met; of a batch also 1, where files failed.
        message: what was said to a person, where that was more than the result.
        search, predict, score, encode, compare, ladder, worst_frames: what the command prints with ``--json``; or ``batch``,
            the files of which were told of before. One of them is there.
    """

    exit_code: int
    message: str | None = None
    search: SearchReport | UnsetType = UNSET
    predict: PredictReport | UnsetType = UNSET
    score: ScoreReport | UnsetType = UNSET
    encode: EncodeReport | UnsetType = UNSET
    compare: CompareReport | UnsetType = UNSET
    ladder: LadderReport | UnsetType = UNSET
    worst_frames: WorstFramesReport | UnsetType = UNSET
    batch: BatchSummary | UnsetType = UNSET


class Failed(_Event, tag="error", frozen=True, kw_only=True):
    """The last line of a job that failed, was interrupted or was ended.

    Attributes:
        exit_code: 1 a failure of ours or the machine's, 2 a mistake of the user's, 130 interrupted, 143 terminated.
        message: what is wrong and what to do, in one line.
    """

    exit_code: int
    message: str


Event = (
    Started
    | Warned
    | Searching
    | Prepared
    | Predicted
    | Probing
    | Progress
    | Probed
    | Encoding
    | Checking
    | Queued
    | FileBegan
    | FileStep
    | FileAgain
    | FileEnded
    | Result
    | Failed
)
