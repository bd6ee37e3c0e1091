"""Measuring with the real ffmpeg: sizes, order, and what stays on the disk meanwhile."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from vmaftune_plugins.encoders import vmaftune_encoders

from tests.conftest import Clips
from vmaftune.contract.features import Features
from vmaftune.corpus.curves import Curve, parse_curves
from vmaftune.corpus.failures import Failure
from vmaftune.corpus.measure import measure_corpus
from vmaftune.corpus.rows import CorpusRow, read_rows
from vmaftune.corpus.schedule import Observer
from vmaftune.corpus.sources import Source
from vmaftune.escape import file_url
from vmaftune.ffmpeg.locate import Ffmpeg


class _Seen(Observer):
    """Remembers what it is told, and which scaled files there were at each row."""

    def __init__(self, temporary: Path) -> None:
        self._temporary = temporary
        self.planned = self.there = 0
        self.work_left = 0.0
        self.rows: list[CorpusRow] = []
        self.failures: list[Failure] = []
        self.scaled: list[int] = []

    def begun(self, rows: int, there: int, work: float) -> None:
        self.planned, self.there, self.work_left = rows, there, work

    def measured(self, row: CorpusRow, work: float) -> None:
        self.rows.append(row)
        self.work_left -= work
        self.scaled.append(len(list(self._temporary.rglob("scaled.mkv"))))

    def failed(self, failure: Failure, rows: int, work: float) -> None:
        self.failures.append(failure)
        self.work_left -= work


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Seen:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return _Seen(temporary)


def _curves(ffmpeg: Ffmpeg, *texts: str) -> list[Curve]:
    return parse_curves(texts, {spec.name: spec for spec in vmaftune_encoders()}, ffmpeg)


def _source(path: Path, *heights: int | None) -> Source:
    return Source(path=path, source=path.stem, kind="generated", heights=heights)


def _landscape(clips: Clips) -> Path:
    return clips.lavfi("landscape.mkv", "testsrc2=size=160x90:rate=25:duration=0.4")


def test_the_short_side_of_upright_video_counts(ffmpeg: Ffmpeg, clips: Clips, tmp_path: Path, seen: _Seen) -> None:
    upright = clips.lavfi("upright.mkv", "testsrc2=size=90x160:rate=25:duration=0.4")
    turned = clips.make("turned.mp4", ["-display_rotation", "90", "-i", file_url(_landscape(clips)), "-c", "copy"])
    sources = [_source(upright, None, 64), _source(turned, 64, 90)]
    curves, output = _curves(ffmpeg, "libx264:ultrafast=30"), tmp_path / "rows.jsonl"
    measure_corpus(ffmpeg, sources, curves, output, max_frames=None, jobs=2, observer=seen)
    assert seen.failures == [] and seen.work_left == pytest.approx(0.0)
    sizes = {(row.clip, row.width, row.height) for row in read_rows(output)}
    assert sizes == {("upright", 90, 160), ("upright", 64, 114), ("turned", 64, 114)}
    measure_corpus(ffmpeg, sources, curves, output, max_frames=None, jobs=1, observer=seen)
    assert (seen.planned, seen.there) == (0, 3)


def test_a_scaled_file_is_there_until_its_last_probe(ffmpeg: Ffmpeg, clips: Clips, tmp_path: Path, seen: _Seen) -> None:
    other = clips.lavfi("other.mkv", "mandelbrot=size=160x90:rate=25,trim=end_frame=10")
    sources = [_source(_landscape(clips), 64), _source(other, 64)]
    curves = _curves(ffmpeg, "libx264:ultrafast=30,40", "libx264:superfast=30")
    measure_corpus(ffmpeg, sources, curves, tmp_path / "rows.jsonl", max_frames=6, jobs=1, observer=seen)
    assert [(row.preset, row.clip, row.crf) for row in seen.rows] == [
        *(("ultrafast", "landscape", crf) for crf in (30.0, 40.0)),
        *(("ultrafast", "other", crf) for crf in (30.0, 40.0)),
        *(("superfast", clip, 30.0) for clip in ("landscape", "other")),
    ]
    assert seen.scaled == [1, 1, 2, 2, 2, 1]


def test_encoders_have_the_features_of_their_own_pilot(
    ffmpeg: Ffmpeg, clips: Clips, tmp_path: Path, seen: _Seen
) -> None:
    curves = _curves(ffmpeg, "libx264:ultrafast=30", "libsvtav1:13=40")
    path = tmp_path / "rows.jsonl"
    measure_corpus(ffmpeg, [_source(_landscape(clips), 64)], curves, path, max_frames=None, jobs=2, observer=seen)
    first, second = (Features(schema=row.feature_schema, values=row.features) for row in read_rows(path))
    assert first["si_mean"] == second["si_mean"] and first["log2_bits_per_pixel"] == second["log2_bits_per_pixel"]
    assert first["pilot_psnr_fine"] != second["pilot_psnr_fine"]


def test_a_source_with_no_height_left_is_passed_over(ffmpeg: Ffmpeg, clips: Clips, tmp_path: Path, seen: _Seen) -> None:
    larger = clips.lavfi("larger.mkv", "testsrc2=size=320x180:rate=25:duration=0.4")
    sources = [_source(_landscape(clips), 90), _source(larger, 90)]
    curves = _curves(ffmpeg, "libx264:ultrafast=30")
    measure_corpus(ffmpeg, sources, curves, tmp_path / "rows.jsonl", max_frames=None, jobs=1, observer=seen)
    assert [(row.clip, row.width, row.height) for row in seen.rows] == [("larger", 160, 90)]
