"""What commands that read a corpus share: its options, and reading it with a person watching."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from vmaftune.jobs.session import Session
    from vmaftune.tiny.table import FrameTable

_PATH = click.Path(path_type=Path)
_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--size", metavar="WxH", help="Raw YUV: size of the references in pixels.  [default: guessed]"),
    click.option("--pix-fmt", help="Raw YUV: pixel format.  [default: by the name, else yuv420p]"),
    click.option(
        "--targets-source",
        type=(click.Choice(["mos"]), _PATH),
        metavar="mos FILE.csv",
        help="Targets: subjective scores, columns clip,mos.  [default: vmaf_v0.6.1 of each frame]",
    ),
    click.option(
        "--tiny-cache",
        type=_PATH,
        metavar="DIR",
        help="Folder of what was measured.  [default: $VMAF_TINY_AI_CACHE, else ~/.cache/vmaf-tiny-ai]",
    ),
    click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Pairs measured at a time."),
)


def corpus_options(function: _Command) -> _Command:
    """Options that read_corpus takes."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def read_corpus(
    corpus: Path,
    session: Session,
    *,
    size: str | None,
    pix_fmt: str | None,
    targets_source: tuple[str, Path] | None,
    tiny_cache: Path | None,
    jobs: int,
) -> FrameTable:
    """The table of CORPUS: a folder in the Netflix layout, which is measured first, or a file of ``tiny features``.

    Raises:
        UserError: it is neither, or something in it is wrong.
    """
    from vmaftune.cli.output import say
    from vmaftune.cli.tiny.screen import WorkScreen
    from vmaftune.errors import UserError
    from vmaftune.media.raw import parse_size
    from vmaftune.tiny.corpus.guess import Told
    from vmaftune.tiny.corpus.load import load_table
    from vmaftune.tiny.tablefile import read_table

    if corpus.is_file():
        if targets_source is not None:
            raise UserError(f"--targets-source: {corpus} holds its targets; name the corpus that it was made from")
        return read_table(corpus)
    told = Told(size=parse_size(size) if size is not None else None, pix_fmt=pix_fmt)
    ffmpeg = session.ffmpeg()
    screen = WorkScreen("pairs")
    try:
        with screen:
            return load_table(
                corpus,
                ffmpeg,
                cache=tiny_cache,
                jobs=jobs,
                told=told,
                mos=targets_source[1] if targets_source is not None else None,
                watcher=screen,
            )
    except (KeyboardInterrupt, SystemExit):
        say(f"{screen.done_now} pairs measured now; the same command goes on from there")
        raise
