"""``--report``: the page of a finished job, and what a person sees while its pictures are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, TextColumn

from vmaftune.cli.live import LiveLine
from vmaftune.contract.curves import FloatArray
from vmaftune.jobs.encode_report import EncodeReport
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.search_report import SearchReport
from vmaftune.jobs.session import Session

if TYPE_CHECKING:
    from vmaftune.jobs.compare import CompareReport
    from vmaftune.jobs.ladder import LadderReport


def write_search_page(session: Session, source: Path, report: SearchReport, file: Path) -> None:
    """Look at the result of a search and write its page.

    Raises:
        UserError: the file cannot be written.
    """
    from vmaftune.report.look import look_at_search
    from vmaftune.report.page import write_page
    from vmaftune.report.search import search_page

    with _shown("pictures of the report") as progress:
        look = look_at_search(session, source, report.crf, progress)
    write_page(search_page(report, source, look), file)


class KeptScores(JobObserver):
    """Keeps the scores of single frames of a full encode for its page; None where they were not measured."""

    scores: FloatArray | None = None

    def scored(self, scores: FloatArray) -> None:
        self.scores = scores


def write_encode_page(
    session: Session, report: EncodeReport, scores: FloatArray | None, missed: str | None, file: Path
) -> None:
    """Look at a full encode and write its page. Raises as write_search_page.

    Args:
        scores: of every frame, where they were measured.
        missed: where its quality falls short, in a sentence.
    """
    from vmaftune.report.encode import encode_page
    from vmaftune.report.look import look_at_encode
    from vmaftune.report.page import write_page

    source, output = Path(report.source), Path(report.output)
    with _shown("pictures of the report") as progress:
        look = look_at_encode(session, source, output, report.crf, scores, progress)
    write_page(encode_page(report, look, missed), file)


def write_compare_page(report: CompareReport, file: Path) -> None:
    """Raises as write_search_page."""
    from vmaftune.report.compare import compare_page
    from vmaftune.report.page import write_page

    write_page(compare_page(report), file)


def write_ladder_page(report: LadderReport, file: Path) -> None:
    """Raises as write_search_page."""
    from vmaftune.report.ladder import ladder_page
    from vmaftune.report.page import write_page

    write_page(ladder_page(report), file)


@contextmanager
def _shown(what: str) -> Iterator[Callable[[float], None]]:
    """Takes the share that is done, for a live line on a terminal."""
    with LiveLine() as line:
        live = line.show_live(TextColumn("  {task.description}"), BarColumn(30), TextColumn("{task.percentage:>3.0f}%"))
        task = None if live is None else live.add_task(what, total=1.0)

        def progress(share: float) -> None:
            if live is not None and task is not None:
                live.update(task, completed=share)

        yield progress
