"""``vmaf-tune corpus``: measure curves, and make the population prior from them."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

import click
import msgspec

from vmaftune.cli.options import host_options
from vmaftune.cli.session import Session
from vmaftune.corpus.measure import Curve, Source, measure_corpus
from vmaftune.corpus.population import fit_population
from vmaftune.corpus.rows import read_rows
from vmaftune.encoders.spec import EncoderSpec, number
from vmaftune.errors import UserError
from vmaftune.media.facts import check_is_file
from vmaftune.state import atomic


@click.group("corpus")
def command() -> None:
    """Measure VMAF(CRF) curves of real video, and make predictors from them."""


@command.command("measure")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="Corpus file (JSON Lines); resumed if it exists.",
)
@click.option("-e", "--encoder", required=True, help="ffmpeg's name of the encoder.")
@click.option("--preset", help="Its preset.  [default: the encoder's]")
@click.option("--crfs", required=True, help="CRFs, separated by commas.")
@click.option("--max-frames", type=click.IntRange(2), help="Only the first so many frames of each source.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Probes at a time.")
@host_options
def measure(
    sources: tuple[Path, ...], output: Path, crfs: str, max_frames: int | None, jobs: int, **options: Any
) -> int:
    """Encode and score SOURCES at each CRF and append the rows; what a file holds already is not measured again.

    The name of a source up to its first "__" is its kind of content.
    """
    for path in sources:
        check_is_file(path)
    session = Session(options)
    ffmpeg = session.ffmpeg()
    spec = session.encoder(ffmpeg)
    curve = Curve(spec=spec, preset=options["preset"] or spec.default_preset, crfs=_crfs(crfs, spec))
    listed = [Source(path=p, source=p.stem, kind=p.stem.split("__")[0]) for p in sources]

    def report(done: int, total: int, what: str) -> None:
        click.echo(f"{done}/{total} {what}", err=True)

    failed = measure_corpus(ffmpeg, listed, [curve], output, max_frames=max_frames, jobs=jobs, report=report)
    click.echo(f"{output}: {len(read_rows(output))} rows, {failed} probes failed")
    return 1 if failed else 0


@command.command("population")
@click.argument("rows", type=click.Path(path_type=Path))
@click.option(
    "--exclude",
    multiple=True,
    metavar="SOURCE",
    help="Leave a source out (repeatable; the start of its name is enough).",
)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder with registry.json.")
@click.option("--id", "model_id", default="population_v1", show_default=True, help="Name of the model.")
@host_options
def population(rows: Path, exclude: tuple[str, ...], output: Path, model_id: str, **options: Any) -> None:
    """Make the population prior from the corpus file ROWS, and register it: model, data and their hashes."""
    session = Session(options)
    kept = [row for row in read_rows(rows) if not row.source.startswith(exclude)] if exclude else read_rows(rows)
    if not kept:
        raise UserError(f"{rows} holds no row that is not excluded")
    ranges = {name: spec.search_range for name, spec in session.manager.encoders.items()}
    model = fit_population(kept, ranges)
    content = msgspec.json.encode(model)
    order = sorted(kept, key=lambda r: (r.encoder, r.preset or "", r.source, r.crf))
    data = gzip.compress(b"".join(msgspec.json.encode(row) + b"\n" for row in order), mtime=0)
    entry: dict[str, Any] = {
        "id": model_id,
        "kind": "population",
        "file": f"{model_id}.json",
        "sha256": hashlib.sha256(content).hexdigest(),
        "encoders": [f"{prior.encoder} {prior.preset}" for prior in model.priors],
        "data": f"{model_id}.rows.jsonl.gz",
        "data_sha256": hashlib.sha256(data).hexdigest(),
        "licence": "Apache-2.0",
    }
    registry_file = output / "registry.json"
    registry: dict[str, Any] = {"schema": 1, "models": []}
    if registry_file.is_file():
        try:
            registry = msgspec.json.decode(registry_file.read_bytes())
        except msgspec.DecodeError as error:
            raise UserError(f"{registry_file} cannot be read: {error}") from error
    registry["models"] = [*(m for m in registry["models"] if m["id"] != model_id), entry]
    atomic.write(output / entry["data"], data)
    atomic.write(output / entry["file"], content)
    atomic.write(registry_file, msgspec.json.format(msgspec.json.encode(registry), indent=1) + b"\n")
    for prior in model.priors:
        click.echo(f"{prior.encoder} {prior.preset}: {prior.sources} sources")


def _crfs(text: str, spec: EncoderSpec) -> tuple[float, ...]:
    try:
        crfs = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UserError(f"--crfs {text!r} must be numbers separated by commas") from error
    least, most = spec.quality_range
    if not all(least <= crf <= most for crf in crfs):
        raise UserError(f"--crfs {text}: {spec.name} takes CRF {number(least)} to {number(most)}")
    return crfs
