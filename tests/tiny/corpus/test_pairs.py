"""What a corpus holds, and what is wrong with one, in one line each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tiny.corpus.conftest import FRAMES, PAIRS
from vmaftune.errors import UserError
from vmaftune.media.raw import Geometry
from vmaftune.tiny.corpus.guess import Told
from vmaftune.tiny.corpus.pairs import list_pairs

NOTHING, SMALL = Told(), Told(size=(160, 90))


def _fails(corpus: Path, told: Told = NOTHING) -> str:
    with pytest.raises(UserError) as raised:
        list_pairs(corpus, told)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_every_distorted_file_has_its_reference(corpus: Path) -> None:
    pairs = list_pairs(corpus, NOTHING)
    assert len(pairs) == PAIRS and [pair.name for pair in pairs] == sorted(pair.name for pair in pairs)
    assert {(pair.source, pair.reference.path.name) for pair in pairs} == {
        ("Bars", "Bars_25fps.mkv"),
        ("Old_Town", "Old_Town_30fps.mkv"),
    }


def test_clips_of_one_film_are_one_source(corpus: Path) -> None:
    (corpus / "manifest.json").write_text(json.dumps({"sources": {"Bars": "film", "Old_Town": "film"}}))
    assert {pair.source for pair in list_pairs(corpus, NOTHING)} == {"film"}


def test_raw_video_has_a_geometry(raw_corpus: Path) -> None:
    told = list_pairs(raw_corpus, SMALL)
    assert {pair.distorted.stamp.geometry for pair in told} == {Geometry(160, 90)}
    assert "any known size" in _fails(raw_corpus)
    (raw_corpus / "manifest.json").write_text(json.dumps({"raw": {"width": 160, "height": 90}}))
    assert list_pairs(raw_corpus, NOTHING) == told


def test_a_manifest_knows_single_files(raw_corpus: Path) -> None:
    files = {f"ref/{path.name}": {"width": 160, "height": 90} for path in (raw_corpus / "ref").iterdir()}
    files["dis/Bars_20_90_100.yuv"] = {"width": 80, "height": 90, "pix_fmt": "yuv444p"}
    (raw_corpus / "manifest.json").write_text(json.dumps({"files": files}))
    pairs = {pair.name: pair.distorted.stamp.geometry for pair in list_pairs(raw_corpus, NOTHING)}
    assert pairs["Bars_20_90_100"] == Geometry(80, 90, "yuv444p")
    assert pairs["Bars_80_90_400"] == Geometry(160, 90)


def test_truncated_raw_video(raw_corpus: Path) -> None:
    path = raw_corpus / "dis" / "Bars_20_90_100.yuv"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert f"no whole number of frames of 160x90 yuv420p, but its reference has {FRAMES}" in _fails(raw_corpus, SMALL)
    path.write_bytes(whole[: -Geometry(160, 90).frame_bytes])
    assert f"holds {FRAMES - 1} frames of 160x90 yuv420p, but its reference has {FRAMES}" in _fails(raw_corpus, SMALL)
    path.write_bytes(whole)
    reference = raw_corpus / "ref" / "Bars_25fps.yuv"
    reference.write_bytes(reference.read_bytes()[:-5])
    assert "is not a whole number of 160x90 yuv420p frames" in _fails(raw_corpus, SMALL)
    reference.write_bytes(b"")
    assert "is not a whole number" in _fails(raw_corpus, SMALL)


def test_orphans_and_wrong_names(corpus: Path) -> None:
    lost = corpus / "dis" / "Lost_20_90_100.mkv"
    lost.write_bytes(b"x")
    assert _fails(corpus).startswith("dis/Lost_20_90_100.mkv has no reference")
    lost.rename(corpus / "dis" / "Lost.mkv")
    assert _fails(corpus).startswith("dis/Lost.mkv is not named SOURCE_LABEL_HEIGHT_KBPS")
    (corpus / "dis" / "Lost.mkv").rename(corpus / "dis" / "Bars_20_90_100.mp4")
    assert _fails(corpus) == "dis/Bars_20_90_100.mkv and dis/Bars_20_90_100.mp4 have one name; rename one"


@pytest.mark.parametrize("name", ["Bars\n_20_90_100.mkv", "Bars\udcff_20_90_100.mkv"])
def test_names_that_cannot_be_shown(corpus: Path, name: str) -> None:
    (corpus / "dis" / name).write_bytes(b"x")
    assert "must be printable UTF-8" in _fails(corpus)


def test_a_reference_of_nothing_is_only_worth_a_word(corpus: Path) -> None:
    (corpus / "ref" / "Unused_25fps.mkv").write_bytes(b"x")
    (corpus / "dis" / ".half.mkv").write_bytes(b"x")
    (corpus / "dis" / "notes.txt").write_bytes(b"x")
    said: list[str] = []
    assert len(list_pairs(corpus, NOTHING, said.append)) == PAIRS
    assert said == ["ref/Unused_25fps.mkv has no distorted file in dis/"]


def test_no_corpus_at_all(corpus: Path, tmp_path: Path) -> None:
    assert "a corpus is a folder with ref/ and dis/ in it" in _fails(tmp_path / "nothing")
    for path in (corpus / "dis").iterdir():
        path.unlink()
    assert _fails(corpus).endswith("dis holds no video")


@pytest.mark.parametrize(
    "manifest",
    ['{"raw": {"width": "wide"}}', "{", '{"sizes": 3}', '{"sources": {"Bars": "../out"}}', '{"sources": {"Bars": ""}}'],
)
def test_a_wrong_manifest_is_named(corpus: Path, manifest: str) -> None:
    (corpus / "manifest.json").write_text(manifest)
    assert "manifest.json" in _fails(corpus)
