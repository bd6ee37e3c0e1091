"""How scores of different scales belong together: measured on real clips, and fitted to the table that vmaf-tune ships.

    scales.py measure [CLIP ...]   encodes and scores clips, a row for each encode, into --rows; goes on where it was
    scales.py fit                  fits --rows, prints what the relations are worth, and writes --table; without --rows, those
                                   that the shipped table was made from (scales.rows.jsonl.gz)

One clip of each source of ../shared/clips (or those named), its first --frames frames: x264 medium at CRF 17 22 27 33, and on
every third clip SVT-AV1 8 at 22 32 42. Each encode is scored by every scale of vmaftune.host.relations, frame by frame; by the
models for 2160p only on every fourth clip, at two of the CRFs, and by its first 24 frames.

``fit`` prints for each relation: the mean difference of the two scores where the known one is at --at, the standard deviation
between sources there, and, for sources left out in their turn, the root mean square by which the mean is off and the share of
scores within the band of 90 %.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from scale_fit import BAND, LEAST_SOURCES, Fitted, Points, fit

from vmaftune import models
from vmaftune.contract import EncoderSpec, FloatArray
from vmaftune.corpus.rows import parse_rows
from vmaftune.encoders.spec import number, settings_for
from vmaftune.encoding.arguments import encoded
from vmaftune.errors import VmafTuneError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import PASS_THROUGH, Output, chained, command, one_size, read
from vmaftune.ffmpeg.locate import Ffmpeg, locate
from vmaftune.host.manager import PluginManager
from vmaftune.host.relations import (
    MEASURED,
    OWN_SIZE,
    PERCENTILES,
    POOLED,
    UHD,
    V1_UHD,
    Relations,
    percentile_pool,
)
from vmaftune.media.facts import MediaFacts, read_facts
from vmaftune.quality.compare import graph
from vmaftune.quality.metric import Asked, Comparison, Metric, Pictures
from vmaftune.quality.scale import USUAL, Scale
from vmaftune.state.atomic import write
from vmaftune.state.store import Store

ROOT = Path(__file__).resolve().parents[1]
KEPT, MADE = ROOT / "benchmarks" / "scales.rows.jsonl.gz", ROOT / "out" / "scales" / "rows.jsonl"
SHARED = ROOT.parent / "shared" / "clips"
FRAMES_UHD = 24
LEAST_FRAMES_POOLED = 48  # of rows that say how pools follow from the mean
CORPUS, LOW, HIGH = "mlp_v1.rows.jsonl.gz", 50.0, 99.0  # mean VMAF of the rows that are looked at
_X264, _SVT = ("libx264", "medium", (17.0, 22.0, 27.0, 33.0)), ("libsvtav1", "8", (22.0, 32.0, 42.0))
_SVT_EVERY, _UHD_EVERY, _UHD_CRFS = 3, 4, (22.0, 32.0, 33.0)
_LARGEST, _LEAST = 2560, 96  # sides in pixels of the clips that are taken


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One encode.

    Attributes:
        clip, source: file, and the shoot that it is of.
        encoder, preset, crf: the encode.
        scores: of each frame by the scale's identity; for each frame several numbers where the metric has several parts.
    """

    clip: str
    source: str
    encoder: str
    preset: str
    crf: float
    scores: dict[str, list[float | list[float]]]

    @property
    def key(self) -> tuple[str, str, float]:
        return (self.clip, self.encoder, self.crf)


def read_rows(path: Path) -> list[Row]:
    """All rows that are whole."""
    content = path.read_bytes() if path.exists() else b""
    lines = (gzip.decompress(content) if path.suffix == ".gz" else content).splitlines(keepends=True)
    return [msgspec.json.decode(line, type=Row) for line in lines if line.endswith(b"\n")]


def one_of_each_source(folder: Path) -> list[dict[str, str]]:
    """Entries of the folder's manifest, kinds in turn, so that every beginning of the list has many kinds."""
    by_kind: dict[str, list[dict[str, str]]] = defaultdict(list)
    seen = set()
    for entry in json.loads((folder / "manifest.json").read_text()):
        if entry["source"] not in seen:
            seen.add(entry["source"])
            by_kind[entry["kind"]].append(entry)
    longest = max(map(len, by_kind.values()))
    return [by_kind[kind][n] for n in range(longest) for kind in sorted(by_kind) if n < len(by_kind[kind])]


class Scorer:
    """Encodes and scores the first frames of one clip.

    Args:
        frames: how many.
        folder: for the frames, uncompressed, and all else that is written.
    """

    def __init__(
        self, ffmpeg: Ffmpeg, manager: PluginManager, path: Path, facts: MediaFacts, frames: int, folder: Path
    ) -> None:
        self._ffmpeg, self._manager, self._folder, self._rate = ffmpeg, manager, folder, facts.fps
        self._frames = folder / "frames.nut"
        even = "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0"
        chain = one_size((facts.width, facts.height), f"trim=end_frame={frames},{even}")
        pictures = chained(read(path)[str(facts.stream_index)], chain)
        self._run(Output([pictures], self._frames, {**PASS_THROUGH, "c:v": "rawvideo", "f": "nut"}))
        self._facts = read_facts(self._frames)

    def row(self, encoder: EncoderSpec, preset: str, crf: float, uhd: bool) -> dict[str, list[float]]:
        """Scores of one encode, by the identity of their scale."""
        facts, file = self._facts, self._folder / "encoded.nut"
        settings = settings_for(
            encoder,
            preset=preset,
            pix_fmt=None,
            video_filter=None,
            extra=(),
            source_pix_fmt=facts.pix_fmt,
            source_size=(facts.width, facts.height),
        )
        self._run(encoded(self._frames, 0, settings, crf, file, {"f": "nut"}))
        depth = 10 if "10" in settings.pix_fmt else 8
        pictures = Pictures(
            width=facts.width,
            height=facts.height,
            bit_depth=max(facts.bit_depth, depth),
            fps=self._rate,
            encoded_depth=depth,
        )
        found = {}
        for scale in (USUAL, *(asked for known, asked in MEASURED if known == USUAL)):
            metric = self._manager.metrics[scale.metric]
            if scale in (UHD, V1_UHD) and not uhd:
                continue
            comparison = metric.decide(Asked(model=scale.model or None, size=scale.size), pictures)
            if scale == OWN_SIZE and comparison == metric.decide(Asked(model=scale.model), pictures):
                continue
            frames = FRAMES_UHD if scale in (UHD, V1_UHD) else None
            found[scale.identity] = np.round(self._scores(file, comparison, frames), 4).tolist()
        return found

    def _scores(self, file: Path, comparison: Comparison, frames: int | None) -> FloatArray:
        """Of the first so many frames."""
        log, chain = self._folder / "scores.log", f"trim=end_frame={frames}" if frames else None
        compared = graph(
            "1:v:0", "0:v:0", comparison, reference_filter=chain, distorted_filter=chain, threads=1, log=log
        )
        self._run(Output(["[scored]"], None, PASS_THROUGH), inputs=(read(self._frames), read(file)), graph=compared)
        return comparison.metric.scores(comparison.metric.read_log(log))

    def _run(self, output: Output, **more: Any) -> None:
        process.run(self._ffmpeg.path, command(output, **more))


def measure(clips: Sequence[dict[str, str]], folder: Path, rows: Path, frames: int) -> None:
    """Append a row for each encode that has none."""
    manager, ffmpeg = PluginManager(), locate(None, Store(None))
    there = {row.key for row in read_rows(rows)}
    rows.parent.mkdir(parents=True, exist_ok=True)
    for place, clip in enumerate(clips):
        path = folder / clip["file"]
        curves = [_X264, *([_SVT] if place % _SVT_EVERY == 0 else [])]
        todo = [(e, p, crf) for e, p, crfs in curves for crf in crfs if (clip["file"], e, crf) not in there]
        try:
            facts = read_facts(path)
            sides = facts.width, facts.height
            if not todo or facts.hdr or max(sides) > _LARGEST or min(sides) < _LEAST:
                continue
            with tempfile.TemporaryDirectory() as scratch:
                scorer = Scorer(ffmpeg, manager, path, facts, frames, Path(scratch))
                for encoder, preset, crf in todo:
                    uhd = place % _UHD_EVERY == 0 and crf in _UHD_CRFS
                    scores = scorer.row(manager.encoders[encoder], preset, crf, uhd)
                    row = Row(
                        clip=clip["file"],
                        source=clip["source"],
                        encoder=encoder,
                        preset=preset,
                        crf=crf,
                        scores=scores,
                    )
                    with rows.open("ab") as file:
                        file.write(msgspec.json.encode(row) + b"\n")
                    print(f"{place + 1}/{len(clips)} {clip['file']} {encoder} {number(crf)}", file=sys.stderr)
        except VmafTuneError as error:
            print(f"{clip['file']}: {error}", file=sys.stderr)


def points(rows: Sequence[Row], known: Scale, asked: Scale, metrics: Mapping[str, Metric]) -> list[Points]:
    """Both scores of every row that has them, by source, over the frames that both were scored on."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        frames = [row.scores.get(msgspec.structs.replace(scale, pool="mean").identity) for scale in (known, asked)]
        if frames[0] is not None and frames[1] is not None:
            count = min(map(len, filter(None, frames)))
            if asked.pool != known.pool and count < LEAST_FRAMES_POOLED:
                continue
            first, second = (
                metrics[scale.metric].pooled(np.array(scores[:count], dtype=float), scale.pool)
                for scale, scores in zip((known, asked), frames, strict=True)
            )
            found[row.source].append((first, second))
    return [
        Points(source, *np.array(sorted(pairs)).T)  # type: ignore[arg-type]
        for source, pairs in sorted(found.items())
    ]


def name_of(scale: Scale) -> str:
    """For a person; the bits of a comparison follow from the model."""
    return str(msgspec.structs.replace(scale, depth=None))


def pairs(metrics: Mapping[str, Metric]) -> Iterator[tuple[Scale, Scale]]:
    """All relations of the table: those of means, then those of pools."""
    yield from MEASURED
    for scale in POOLED:
        pools = [percentile_pool(percentile) for percentile in PERCENTILES]
        for pool in (*(["harmonic_mean"] if metrics[scale.metric].name == "vmaf" else []), *pools):
            yield scale, msgspec.structs.replace(scale, pool=pool)


def report(name: str, sources: Sequence[Points], fitted: Fitted, at: float) -> str:
    """A row of the table that ``fit`` prints."""
    squares, inside = [], []
    for source in sources:
        relation = fitted.without[source.source]
        error = source.asked - relation.mean_at(source.known)
        squares.append(np.mean(error**2))
        inside.append(np.mean(np.abs(error) <= BAND * relation.deviation_at(source.known)))
    place, rows = np.array([at]), sum(len(source.known) for source in sources)
    difference, deviation = fitted.relation.mean_at(place)[0] - at, fitted.relation.deviation_at(place)[0]
    return (
        f"| {name} | {len(sources)} | {rows} | {difference:+.2f} | {deviation:.2f} | {np.sqrt(np.mean(squares)):.2f} |"
        f" {100 * np.mean(inside):.0f} % |"
    )


def on_the_corpus(table: Relations) -> Iterator[str]:
    """How the pools of ``vmaf_v0.6.1`` do on sources of the shipped corpus, other encodes of other spans: a line for each."""
    rows = parse_rows(models.read(models.find("mlp_v1"), CORPUS), CORPUS)
    for pool in ("harmonic_mean", "min", "p5"):
        relation = table.of(USUAL, Scale(pool=pool))
        assert relation is not None
        errors: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for row in rows:
            if row.vmaf_model == USUAL.model and LOW <= row.vmaf_mean < HIGH:
                known = np.array([row.vmaf_mean])
                error = float(getattr(row, f"vmaf_{pool}") - relation.mean_at(known)[0])
                errors[row.source].append((error, float(abs(error) <= BAND * relation.deviation_at(known)[0])))
        of_sources = [np.array(one) for one in errors.values()]
        off = np.sqrt(np.mean([np.mean(one[:, 0] ** 2) for one in of_sources]))
        inside = 100 * np.mean([one[:, 1].mean() for one in of_sources])
        yield f"on {len(of_sources)} sources of {CORPUS}, pool {pool}: off {off:.2f}, {inside:.0f} % in the 90 % band"


def fit_table(rows: Sequence[Row], at: float, every_pool: bool) -> Relations:
    """Fit and print all relations."""
    metrics = PluginManager().metrics
    print("| scale, from | sources | rows | difference | deviation | off, left out | in the 90 % band |")
    print("|---|---|---|---|---|---|---|")
    relations = []
    for known, asked in pairs(metrics):
        sources = points(rows, known, asked, metrics)
        if len(sources) < LEAST_SOURCES:
            raise SystemExit(f"{asked}, from {known}: {len(sources)} sources were measured, {LEAST_SOURCES} are needed")
        fitted = fit(known, asked, sources)
        relations.append(fitted.relation)
        if every_pool or asked.pool in ("mean", "harmonic_mean", "min", "p5"):
            middle = at if known.metric == "vmaf" else float(np.median(np.concatenate([s.known for s in sources])))
            print(report(f"{name_of(asked)}, from {name_of(known)}", sources, fitted, middle), flush=True)
    return Relations(schema=1, relations=tuple(relations))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("measure", "fit"))
    parser.add_argument("clips", nargs="*", help="file names of the folder; all of its sources where none is named")
    parser.add_argument("--folder", type=Path, default=SHARED, help="of clips, with a manifest.json")
    parser.add_argument("--rows", type=Path, help="out/scales/rows.jsonl, and for fit those of the shipped table")
    parser.add_argument("--table", type=Path, default=ROOT / "model" / "scales_v1.json")
    parser.add_argument("--frames", type=int, default=72, help="of each clip")
    parser.add_argument("--at", type=float, default=93.0, help="known VMAF at which differences are printed")
    parser.add_argument("--every-pool", action="store_true", help="print all percentiles")
    arguments = parser.parse_args()
    if arguments.what == "measure":
        clips = one_of_each_source(arguments.folder)
        named = [clip for clip in clips if clip["file"] in arguments.clips]
        measure(named if arguments.clips else clips, arguments.folder, arguments.rows or MADE, arguments.frames)
        return
    table = fit_table(read_rows(arguments.rows or KEPT), arguments.at, arguments.every_pool)
    print("\n".join(on_the_corpus(table)))
    write(arguments.table, msgspec.json.format(msgspec.json.encode(table), indent=0))


if __name__ == "__main__":
    main()
