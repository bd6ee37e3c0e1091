"""The display of a batch on a terminal: a line for each running file and one for all of them, at any width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import Task
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from vmaftune.cli.live import Display

_BAR_FROM, _TIME_FROM = 60, 50  # columns of a terminal that has room for a bar, for a time
_BAR_WIDTH, _TIME_WIDTH = 10, 7
_MARGIN = 1
_LINES_OF_OTHERS = 3  # the line of all files, the one that says how many are not shown, and the cursor's


class BatchDisplay(Display):
    """Draws tasks that have a field ``state``: those of files in their order, and below them the one with a field ``all``.

    No line is wider than the terminal, and no more lines are drawn than it has: else a terminal scrolls what is redrawn, and
    every redrawing leaves lines behind.
    """

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is drawn, as of now."""
        yield _Lines(self.tasks)


class _Lines:
    def __init__(self, tasks: Sequence[Task]) -> None:
        self._files = [task for task in tasks if not task.fields.get("all")]
        self._all = [task for task in tasks if task.fields.get("all")]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = max(1, console.height - _LINES_OF_OTHERS)
        yield _table(
            [*self._files[:room], *self._all], console.width - 1
        )  # the last column begins a line on some terminals
        if len(self._files) > room:
            yield Text(f"  and {len(self._files) - room} files more", style="dim")


def _table(tasks: Sequence[Task], width: int) -> Table:
    names = [short(task.description, max(10, width * 3 // 10 - 2)) for task in tasks]
    widths = [_MARGIN, max([0, *map(cell_len, names)])]
    widths += [_BAR_WIDTH] if width >= _BAR_FROM else []
    time_width = [_TIME_WIDTH] if width >= _TIME_FROM else []
    rest = width - sum(widths) - sum(time_width) - len(widths) - len(time_width)
    table = Table.grid(padding=(0, 1, 0, 0))
    for one in (*widths, max(1, rest), *time_width):
        table.add_column(width=one, no_wrap=True, overflow="ellipsis")
    for task, name in zip(tasks, names, strict=True):
        row: list[RenderableType] = [Text(""), Text(name)]
        row += [ProgressBar(task.total, task.completed, _BAR_WIDTH)] if width >= _BAR_FROM else []
        row += [Text(_state(task, width))]
        row += [Text(str(timedelta(seconds=int(task.elapsed or 0))), style="yellow")] if time_width else []
        table.add_row(*row)
    return table


def _state(task: Task, width: int) -> str:
    """A narrow terminal has its own words, where there are some."""
    narrow = task.fields.get("narrow")
    return str(narrow if narrow and width < _BAR_FROM else task.fields["state"])


def short(name: str, width: int) -> str:
    """A name in at most so many columns, with its beginning and its end."""
    if cell_len(name) <= width:
        return name
    before, after = name, name
    while cell_len(before) > (width - 1) // 2:
        before = before[:-1]
    while cell_len(after) > width - 1 - cell_len(before):
        after = after[1:]
    return f"{before}…{after}"
