"""``vmaf-tune tiny features``: measure a corpus, and say what is in it."""

from __future__ import annotations

from collections.abc import Sized
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmaftune.cli.options import host_options
from vmaftune.cli.tiny.corpus import corpus_options, read_corpus

if TYPE_CHECKING:
    from vmaftune.tiny.table import FrameTable

_BANDS = (0, 20, 40, 60, 70, 80, 90, 95, 100)
_PATH = click.Path(path_type=Path)
_CORPUS = ("size", "pix_fmt", "targets_source", "tiny_cache", "jobs")


@click.command("features")
@click.argument("corpus", type=_PATH)
@click.option("-o", "--output", type=_PATH, metavar="FILE.npz", help="Also write the table to one small file.")
@corpus_options
@host_options
def command(corpus: Path, output: Path | None, **options: Any) -> None:
    """Measure canonical-6 and vmaf_v0.6.1 of every frame of CORPUS, and keep them; what is kept is not measured again.

    CORPUS is a folder with ref/ and dis/, or a file written by -o. Files in dis/ are named SOURCE_LABEL_HEIGHT_KBPS; their
    references in ref/ have names that begin with SOURCE.

    \b
    vmaf-tune tiny features corpus -o table.npz
    """
    from vmaftune.jobs.session import Session
    from vmaftune.tiny.tablefile import write_table

    table = read_corpus(corpus, Session(options), **{name: options[name] for name in _CORPUS})
    if output is not None:
        write_table(table, output)
    click.echo("\n".join(_lines(table)))


def _lines(table: FrameTable) -> list[str]:
    import numpy as np

    lines = [
        ", ".join(
            (_counted(table.source_names, "source"), _counted(table.clip_names, "clip"), _counted(table, "frame"))
        )
    ]
    counts, _ = np.histogram(table.scores, _BANDS)
    for (low, high), count in zip(pairwise(_BANDS), counts, strict=True):
        lines.append(f"  targets {low:3d} to {high:3d}: {count:7d} frames  {100 * count / len(table):5.1f} %")
    return lines


def _counted(things: Sized, unit: str) -> str:
    return f"{len(things)} {unit}{'' if len(things) == 1 else 's'}"
