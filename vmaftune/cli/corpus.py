"""``vmaf-tune corpus``: measure curves, and make the population prior from them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import click
import msgspec

from vmaftune.cli.corpus_screen import CorpusScreen, counted
from vmaftune.cli.options import host_options
from vmaftune.cli.output import say
from vmaftune.corpus.check import LEAST_CRFS, drop_short_curves
from vmaftune.corpus.curves import parse_curves
from vmaftune.corpus.measure import measure_corpus
from vmaftune.corpus.population import fit_population
from vmaftune.corpus.rows import packed, read_rows
from vmaftune.corpus.sources import list_sources
from vmaftune.errors import UserError
from vmaftune.jobs.session import Session, warn
from vmaftune.models import register
from vmaftune.models.entry import ModelEntry

_PATH = click.Path(path_type=Path)
_NATIVE = "native"
_LEAST_HEIGHT = 16


@click.group("corpus")
def command() -> None:
    """Measure VMAF(CRF) curves of real video, and make predictors from them."""


@command.command("measure")
@click.argument("sources", nargs=-1, type=_PATH)
@click.option("-o", "--output", required=True, type=_PATH, help="Corpus file (JSON Lines); resumed if it exists.")
@click.option(
    "--curve",
    "curves",
    multiple=True,
    required=True,
    metavar="NAME[:PRESET][=CRFS]",
    help="Encoder, preset and CRFs (repeatable); left out: its own preset, 8 CRFs over its range.",
)
@click.option("--manifest", type=_PATH, metavar="FILE.csv", help="Sources, with columns file,source,kind.")
@click.option(
    "--heights",
    default="native",
    show_default=True,
    metavar="native,720,…",
    help="Pixels of the short side that sources are scaled to; native: as they are.",
)
@click.option("--max-frames", type=click.IntRange(2), help="Only the first so many frames of each source.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Probes at a time.")
@host_options
def measure(
    sources: tuple[Path, ...],
    output: Path,
    curves: tuple[str, ...],
    manifest: Path | None,
    heights: str,
    max_frames: int | None,
    jobs: int,
    **options: Any,
) -> int:
    """Encode and score SOURCES at each CRF and append the rows; what a file holds already is not measured again.

    SOURCES are video files or folders of them. The name of a file up to a "__" is its kind of content.

    \b
    vmaf-tune corpus measure clips/ -o rows.jsonl --curve libx264:medium=17,24,30 --curve libsvtav1:8
    """
    listed = list_sources(sources, manifest, _heights(heights))
    session = Session(options)
    ffmpeg = session.ffmpeg()
    wanted = parse_curves(curves, session.manager.encoders, ffmpeg)
    screen = CorpusScreen()
    try:
        with screen:
            measure_corpus(ffmpeg, listed, wanted, output, max_frames=max_frames, jobs=jobs, observer=screen)
    except (KeyboardInterrupt, SystemExit):
        say(f"{output}: {counted(screen.measured_now)} measured now; the same command goes on from there")
        raise
    click.echo(f"{output}: {screen.result()}")
    if not screen.failures:
        return 0
    screen.show_failures()
    return 1


@command.command("population")
@click.argument("rows", type=click.Path(path_type=Path))
@click.option(
    "--exclude",
    multiple=True,
    metavar="SOURCE",
    help="Leave a source out (repeatable; the start of its name is enough).",
)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder with registry.json.")
@click.option("--id", "model_id", default="own_population", show_default=True, help="Name of the model.")
@click.option("--data", metavar="NAME", help="File that keeps the rows.  [default: ID.rows.jsonl.gz]")
@host_options
def population(
    rows: Path, exclude: tuple[str, ...], output: Path, model_id: str, data: str | None, **options: Any
) -> None:
    """Make the population prior from the corpus file ROWS, and register it: model, data and their hashes.

    \b
    vmaf-tune corpus population rows.jsonl.gz -o models --exclude park_joy
    """
    session = Session(options)
    kept = [row for row in read_rows(rows) if not row.source.startswith(exclude)]
    if not kept:
        raise UserError(f"{rows} holds no row that is not excluded")
    whole, short = drop_short_curves(kept)
    if short:
        warn(f"{rows}: {short} curve{'s' if short > 1 else ''} with fewer than {LEAST_CRFS} CRFs left out")
    ranges = {name: spec.search_range for name, spec in session.manager.encoders.items()}
    model = fit_population(whole, ranges)
    content = msgspec.json.encode(model)
    rows_kept = packed(kept)
    entry = ModelEntry(
        id=model_id,
        kind="population",
        file=f"{model_id}.json",
        sha256=hashlib.sha256(content).hexdigest(),
        encoders=tuple(f"{prior.encoder} {prior.preset or 'none'}" for prior in model.priors),
        data=data or f"{model_id}.rows.jsonl.gz",
        data_sha256=hashlib.sha256(rows_kept).hexdigest(),
        licence="Apache-2.0",
    )
    register(output, entry, {entry.file: content, entry.data: rows_kept})
    for prior in model.priors:
        click.echo(f"{prior.encoder} {prior.preset}: {prior.sources} sources")


def _heights(text: str) -> tuple[int | None, ...]:
    """Short sides in pixels, None for that of the source."""
    heights: list[int | None] = []
    for part in text.split(","):
        if part.strip() == _NATIVE:
            heights.append(None)
        elif part.strip().isdecimal() and int(part) >= _LEAST_HEIGHT and int(part) % 2 == 0:
            heights.append(int(part))
        else:
            raise UserError(
                f"--heights {text!r}: {part!r} is neither {_NATIVE} nor an even number from {_LEAST_HEIGHT} on"
            )
    return tuple(dict.fromkeys(heights))
