"""The Python API: what the command line can do, with the same options, defaults, configuration files and errors.

    >>> import vmaftune
    >>> report = vmaftune.search("film.mkv", encoder="libx265", min_vmaf=93)  # doctest: +SKIP
    >>> report.crf, report.vmaf, report.target_met  # doctest: +SKIP
    (24.0, 93.12, True)

Options are those of the command line with underscores; what is left out is the configuration's, else the default.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from vmaftune.crf_search.engine import Observer
from vmaftune.jobs.options import PredictOptions, ScoreJobOptions, SearchOptions, checked
from vmaftune.jobs.predict import PredictReport, run_predict
from vmaftune.jobs.score import ScoreReport, run_score
from vmaftune.jobs.search import run_search
from vmaftune.jobs.search_report import SearchReport
from vmaftune.jobs.session import Session

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Observer", "PredictReport", "ScoreReport", "SearchReport", "predict", "score", "search"]

_log = logging.getLogger("vmaftune")


def search(source: str | Path, *, observer: Observer | None = None, **options: Unpack[SearchOptions]) -> SearchReport:
    """Find the coarsest CRF whose verified VMAF reaches ``min_vmaf``.

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


def predict(source: str | Path, **options: Unpack[PredictOptions]) -> PredictReport:
    """The VMAF(CRF) curve that is expected of ``source``, with its deviation; nothing is verified.

    Raises:
        UserError: an option or the source is wrong.
        VmafTuneError: a failure of ours or of the machine.
    """
    return run_predict(Session(checked(options, PredictOptions), _log.warning), Path(source))


def score(
    reference: str | Path, distorted: str | Path, *, per_frame: bool = False, **options: Unpack[ScoreJobOptions]
) -> ScoreReport:
    """VMAF of ``distorted`` against ``reference``, frame by frame in order; both must have as many frames.

    Args:
        per_frame: keep the score of every frame too.

    Raises:
        UserError: an option or a file is wrong, or the files cannot be paired.
        VmafTuneError: a failure of ours or of the machine.
    """
    kept = checked(options, ScoreJobOptions)
    return run_score(Session(kept, _log.warning), Path(reference), Path(distorted), kept, per_frame=per_frame)
