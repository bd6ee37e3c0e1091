"""A corpus as a table: right values, kept well, and measured again when and only when something changed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.tiny.corpus.conftest import FRAMES, PAIRS
from vmaftune.errors import UserError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.models.full_reference import CANONICAL_6
from vmaftune.tiny.corpus.guess import Told
from vmaftune.tiny.corpus.load import load_table
from vmaftune.tiny.corpus.watch import Watcher
from vmaftune.tiny.table import FrameTable


class Heard(Watcher):
    """What a watcher is told."""

    def __init__(self) -> None:
        self.begun_with: tuple[int, int] | None = None
        self.finished: list[str] = []
        self.failures: list[str] = []
        self.warnings: list[str] = []

    def begun(self, count: int, there: int, work: float) -> None:
        self.begun_with = count, there

    def done(self, what: str, work: float) -> None:
        self.finished.append(what.partition(":")[0])

    def failed(self, name: str, reason: str, work: float) -> None:
        self.failures.append(reason)

    def warned(self, text: str) -> None:
        self.warnings.append(text)


def same(one: FrameTable, other: FrameTable) -> bool:
    arrays = ("features", "scores", "clips", "sources", "frames")
    names = one.clip_names == other.clip_names and one.source_names == other.source_names
    return names and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)


def test_each_frame_has_features_and_score(corpus: Path, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    table = load_table(corpus, ffmpeg, cache=tmp_path / "cache", jobs=2)
    assert len(table) == PAIRS * FRAMES and table.source_names == ("Bars", "Old_Town")
    assert table.frames.tolist() == list(range(FRAMES)) * PAIRS
    means = {name: table.scores[table.clips == place].mean() for place, name in enumerate(table.clip_names)}
    assert means["Bars_80_90_400"] > means["Bars_20_90_100"] + 5
    assert means["Old_Town_80_90_400"] > means["Old_Town_20_90_100"] + 5
    assert means["Bars_20_44_50"] < means["Bars_80_90_400"]
    assert ((table.scores >= 0) & (table.scores <= 100)).all()
    motion = table.features[:, CANONICAL_6.index("motion2")]
    assert (motion[table.frames == 0] == 0).all() and (motion[table.frames == 5] > 0).all()
    assert (table.features[:, : CANONICAL_6.index("motion2")] <= 1.01).all()


def test_raw_and_encoded_pictures_measure_alike(corpus: Path, raw_corpus: Path, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    encoded = load_table(corpus, ffmpeg, cache=tmp_path / "encoded")
    raw = load_table(raw_corpus, ffmpeg, cache=tmp_path / "raw-cache", told=Told(size=(160, 90)))
    eight_bits = np.isin(
        encoded.clips, [p for p, name in enumerate(encoded.clip_names) if name != "Old_Town_80_90_400"]
    )
    assert np.array_equal(raw.features[eight_bits], encoded.features[eight_bits])
    assert np.array_equal(raw.scores[eight_bits], encoded.scores[eight_bits])


def test_a_warm_cache_needs_neither_video_nor_ffmpeg(corpus: Path, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    cold = load_table(corpus, ffmpeg, cache=tmp_path / "cache")
    for path in corpus.glob("*/*.mkv"):
        status = path.stat()
        path.write_bytes(bytes(status.st_size))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    heard = Heard()
    gone = msgspec.structs.replace(ffmpeg, path=tmp_path / "no-ffmpeg")
    warm = load_table(corpus, gone, cache=tmp_path / "cache", watcher=heard)
    assert same(cold, warm) and heard.begun_with == (0, PAIRS)


def test_the_cache_is_where_the_variable_says(
    corpus: Path, ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMAF_TINY_AI_CACHE", str(tmp_path / "elsewhere"))
    load_table(corpus, ffmpeg)
    envelope = json.loads((tmp_path / "elsewhere" / "Old_Town" / "Old_Town_20_90_100.json").read_text())
    assert envelope["libvmaf"] and envelope["ffmpeg"] == ffmpeg.version and envelope["model"] == "vmaf_v0.6.1"
    assert len(envelope["vmaf"]) == FRAMES and tuple(envelope["features"]) == CANONICAL_6


def test_what_changed_is_measured_again(corpus: Path, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cold = load_table(corpus, ffmpeg, cache=cache)
    shutil.copy(corpus / "dis" / "Bars_80_90_400.mkv", corpus / "dis" / "Bars_20_90_100.mkv")
    heard = Heard()
    changed = load_table(corpus, ffmpeg, cache=cache, watcher=heard)
    assert heard.finished == ["Bars_20_90_100"] and not same(cold, changed)
    at = {name: changed.clips == place for place, name in enumerate(changed.clip_names)}
    assert np.array_equal(changed.scores[at["Bars_20_90_100"]], changed.scores[at["Bars_80_90_400"]])

    (corpus / "ref" / "Old_Town_30fps.mkv").touch()
    heard = Heard()
    load_table(corpus, ffmpeg, cache=cache, watcher=heard)
    assert heard.finished == ["Old_Town_20_90_100", "Old_Town_80_90_400"]

    heard = Heard()
    load_table(corpus, msgspec.structs.replace(ffmpeg, version="another"), cache=cache, watcher=heard)
    assert len(heard.finished) == PAIRS


@pytest.mark.parametrize("damage", ["empty", "half", "rubbish", "short", "null"])
def test_a_damaged_file_is_measured_again(corpus: Path, ffmpeg: Ffmpeg, tmp_path: Path, damage: str) -> None:
    cache = tmp_path / "cache"
    cold = load_table(corpus, ffmpeg, cache=cache)
    path = cache / "Bars" / "Bars_20_90_100.json"
    envelope = json.loads(path.read_text())
    if damage == "short":
        envelope["features"]["adm2"].pop()
    elif damage == "null":
        envelope["vmaf"][3] = None
    content = {"empty": b"", "half": path.read_bytes()[:200], "rubbish": b"\xff\x00{"}
    path.write_bytes(content.get(damage, json.dumps(envelope).encode()))
    heard = Heard()
    assert same(cold, load_table(corpus, ffmpeg, cache=cache, watcher=heard))
    assert heard.finished == ["Bars_20_90_100"]
    assert heard.warnings and all("Bars_20_90_100.json" in text and "measured again" in text for text in heard.warnings)


def test_one_bad_file_costs_no_other(corpus: Path, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    (corpus / "dis" / "Bars_20_90_100.mkv").write_bytes(b"this is no video")
    heard = Heard()
    with pytest.raises(UserError, match=r"a pair cannot be measured: .*Bars_20_90_100\.mkv cannot be read as a video"):
        load_table(corpus, ffmpeg, cache=tmp_path / "cache", watcher=heard)
    assert len(heard.failures) == 1 and len(heard.finished) == PAIRS - 1


def test_another_number_of_frames_is_no_pair(corpus: Path, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    shutil.copy(corpus / "dis" / "Bars_80_90_400.mkv", tmp_path / "whole.mkv")
    short = corpus / "dis" / "Bars_80_90_400.mkv"
    arguments = ["-i", str(tmp_path / "whole.mkv"), "-frames:v", "7", "-c:v", "libx264", "-y", str(short)]
    process.run(ffmpeg.path, arguments)
    with pytest.raises(UserError, match=f"has 7 frames and its reference {FRAMES}; they cannot be paired"):
        load_table(corpus, ffmpeg, cache=tmp_path / "cache")


def test_subjective_scores_are_targets(corpus: Path, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    cache, scores = tmp_path / "cache", tmp_path / "mos.csv"
    distilled = load_table(corpus, ffmpeg, cache=cache)
    lines = [f"{name}{'.yuv' if place % 2 else ''},{10 * place}" for place, name in enumerate(distilled.clip_names)]
    scores.write_text("\n".join(["clip,mos", *lines, "Other_1_2_3,7"]))
    table = load_table(corpus, ffmpeg, cache=cache, mos=scores)
    assert np.array_equal(table.features, distilled.features)
    assert np.array_equal(table.scores, 10.0 * table.clips)
    for content, complaint in {
        "clip,score\n": "must name the columns clip,mos",
        "\n".join(["clip,mos", *lines[1:]]): r"has no score of Bars_20_44_50 \(1 of 5 clips have none\)",
        "\n".join(["clip,mos", *lines, lines[0]]): "is named twice",
        "\n".join(["clip,mos", *lines[1:], "Bars_20_44_50,good"]): "line 6: mos 'good' is not a number",
    }.items():
        scores.write_text(content)
        with pytest.raises(UserError, match=complaint):
            load_table(corpus, ffmpeg, cache=cache, mos=scores)
