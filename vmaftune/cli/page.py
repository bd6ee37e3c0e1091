"""``--report``: the page of a finished job, and what a person sees while its pictures are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, TextColumn

from vmaftune.cli.live import LiveLine
from vmaftune.jobs.search_report import SearchReport
from vmaftune.jobs.session import Session


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
