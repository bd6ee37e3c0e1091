"""The Python API: what the command line can do, with the same options, defaults, configuration files and errors.

    >>> import vmaftune
    >>> report = vmaftune.search("film.mkv", encoder="libx265", min_vmaf=93)  # doctest: +SKIP
    >>> report.crf, report.score, report.target_met  # doctest: +SKIP
    (24.0, 93.12, True)

Options are those of the command line with underscores; what is left out is the configuration's, else the default.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from vmaftune.crf_search.engine import Observer
from vmaftune.errors import UserError
from vmaftune.jobs.encode import run_encode
from vmaftune.jobs.encode_report import EncodeReport
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.options import EncodeOptions, PredictOptions, ScoreJobOptions, SearchOptions, checked
from vmaftune.jobs.predict import PredictReport, run_predict
from vmaftune.jobs.score import ScoreReport, run_score
from vmaftune.jobs.search import run_search
from vmaftune.jobs.search_report import SearchReport
from vmaftune.jobs.session import Session
from vmaftune.jobs.worst_frames import WorstFramesReport, run_worst_frames

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = [
    "EncodeReport",
    "JobObserver",
    "Observer",
    "PredictReport",
    "ScoreReport",
    "SearchReport",
    "WorstFramesReport",
    "encode",
    "predict",
    "score",
    "search",
    "worst_frames",
]

_log = logging.getLogger("vmaftune")


def search(source: str | Path, *, observer: Observer | None = None, **options: Unpack[SearchOptions]) -> SearchReport:
    """Find the coarsest CRF whose verified VMAF reaches ``min_vmaf``, or whose score of another metric ``min_score``.

    Args:
        source: a video file.
        observer: told of every step; an exception that it raises ends ffmpeg and the search.
        **options: see SearchOptions. Warnings go to the logger ``vmaftune``.

    Returns:
        The report; ``target_met`` is False where nothing reaches the target, and ``crf`` is then the closest.

    Raises:
        UserError: an option or the source is wrong.
        VmafTuneError: a failure of ours or of the machine.
    """
    session = Session(checked(options, SearchOptions), _log.warning)
    return run_search(session, Path(source), observer or Observer())


def encode(
    source: str | Path,
    output: str | Path | None = None,
    *,
    observer: JobObserver | None = None,
    **options: Unpack[EncodeOptions],
) -> EncodeReport:
    """Search the CRF of ``source``, then encode the whole with every stream kept.

    Args:
        output: its suffix names the container; None is ``<stem>.<encoder>.mkv`` beside the source.
        observer: told of every step; an exception that it raises ends ffmpeg and the job, and nothing is left of the output.
        **options: see EncodeOptions.

    Raises:
        UserError: an option or the source is wrong, or the output is there already.
        TargetError: no CRF reaches the target, or the encode is over ``max_encoded_percent``; there is no output.
        VmafTuneError: a failure of ours or of the machine; there is no output.
    """
    session = Session(checked(options, EncodeOptions), _log.warning)
    return run_encode(session, Path(source), None if output is None else Path(output), observer or JobObserver())


def predict(
    source: str | Path, *, observer: JobObserver | None = None, **options: Unpack[PredictOptions]
) -> PredictReport:
    """The curve of VMAF, or another metric, over CRF that is expected of ``source``, with its deviation; nothing is verified.

    Args:
        observer: told when the source is measured.
        **options: see PredictOptions.

    Raises:
        UserError: an option or the source is wrong.
        VmafTuneError: a failure of ours or of the machine.
    """
    return run_predict(Session(checked(options, PredictOptions), _log.warning), Path(source), observer)


def score(
    reference: str | Path,
    distorted: str | Path,
    *,
    per_frame: bool = False,
    model: str | None = None,
    observer: JobObserver | None = None,
    **options: Unpack[ScoreJobOptions],
) -> ScoreReport:
    """VMAF, or another metric, of ``distorted`` against ``reference``, frame by frame in order; both must have as many frames.

    Args:
        per_frame: keep the score of every frame too.
        model: tiny model whose score is told beside the real one: a registered one's name, or an ONNX file.
        observer: told how far it is; an exception that it raises ends ffmpeg and the job.
        **options: see ScoreJobOptions.

    Raises:
        UserError: an option or a file is wrong, or the files cannot be paired.
        VmafTuneError: a failure of ours or of the machine.
    """
    kept = checked(options, ScoreJobOptions)
    session, files = Session(kept, _log.warning), (Path(reference), Path(distorted))
    return run_score(session, *files, kept, per_frame=per_frame, model=model, observer=observer)


def worst_frames(
    reference: str | Path,
    distorted: str | Path,
    *,
    count: int = 5,
    apart: int = 1,
    pictures: str | Path | None = None,
    picture_width: int | None = None,
    observer: JobObserver | None = None,
    **options: Unpack[ScoreJobOptions],
) -> WorstFramesReport:
    """The frames of ``distorted`` that have the worst scores, worst first.

    Args:
        count: how many at most.
        apart: so many frames from each other at least.
        pictures: folder for a PNG of each, reference on the left and encode on the right.
        picture_width: of each half in pixels, where the reference is wider.
        observer, **options: as of score.

    Raises:
        UserError: an option or a file is wrong, or the files cannot be paired.
        VmafTuneError: a failure of ours or of the machine.
    """
    kept = checked(options, ScoreJobOptions)
    if count < 1 or apart < 1:
        raise UserError(f"count {count} and apart {apart} must be at least 1")
    return run_worst_frames(
        Session(kept, _log.warning),
        Path(reference),
        Path(distorted),
        kept,
        count=count,
        apart=apart,
        pictures=None if pictures is None else Path(pictures),
        picture_width=picture_width,
        observer=observer,
    )
