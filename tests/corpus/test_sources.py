"""Which files are sources, what they are called, and the sizes they are scaled to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vmaftune.corpus.sources import Source, list_sources, scaled_size
from vmaftune.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files that are called as videos are; nobody looks into them here."""
    for name in ("game__run.mkv", "plain.MP4", "notes.txt", ".hidden.mkv", "more/later.webm"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"video")
    return tmp_path


def _named(sources: list[Source]) -> list[tuple[str, str, str]]:
    return [(source.clip, source.source, source.kind) for source in sources]


def test_names_tell_source_and_kind(folder: Path) -> None:
    sources = list_sources([folder / "plain.MP4", folder / "game__run.mkv"], None, (None, 360))
    assert _named(sources) == [("plain", "plain", "unknown"), ("game__run", "game__run", "game")]
    assert sources[0].heights == (None, 360)


def test_a_folder_is_the_videos_in_it(folder: Path) -> None:
    assert [s.path.name for s in list_sources([folder], None, (None,))] == ["game__run.mkv", "plain.MP4"]
    (folder / "none").mkdir()
    with pytest.raises(UserError, match="none holds no video file"):
        list_sources([folder / "none"], None, (None,))


def test_a_file_is_taken_once(folder: Path) -> None:
    sources = list_sources([folder / "plain.MP4", folder, folder / "more" / ".." / "plain.MP4"], None, (None,))
    assert [source.path.name for source in sources] == ["plain.MP4", "game__run.mkv"]


def test_two_files_of_one_name_are_refused(folder: Path) -> None:
    (folder / "more" / "plain.mkv").write_bytes(b"video")
    with pytest.raises(UserError, match=r"plain\.MP4 and .*plain\.mkv have one name"):
        list_sources([folder, folder / "more"], None, (None,))


def test_a_name_that_is_not_utf8_can_be_written(folder: Path) -> None:
    path = folder / os.fsdecode(b"caf\xe9.mkv")
    path.write_bytes(b"video")
    assert _named(list_sources([path], None, (None,))) == [("caf?", "caf?", "unknown")]


def test_a_manifest_goes_before_names(folder: Path) -> None:
    manifest = folder / "about.csv"
    manifest.write_text(
        '\ufeffkind, file,licence,source\nsport,"game__run.mkv",CC0,A match\nfilm,more/later.webm,CC0,A film\n'
    )
    alone = list_sources([], manifest, (None,))
    assert _named(alone) == [("game__run", "A match", "sport"), ("later", "A film", "film")]
    beside = list_sources([folder], manifest, (None,))
    assert _named(beside) == [
        ("game__run", "A match", "sport"),
        ("plain", "plain", "unknown"),
        ("later", "A film", "film"),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "its first line must name the columns file,source,kind; no file"),
        ("file,source\nplain.MP4,a\n", "no kind"),
        ("file,source,kind\nplain.MP4,a\n", "line 2: the column kind is empty"),
        ("file,source,kind\nplain.MP4, ,b\n", "line 2: the column source is empty"),
        ("file,source,kind\nplain.MP4,a,b\n\nmissing.mkv,a,b\n", "line 4: cannot open"),
        ("file,source,kind\nmore,a,b\n", "line 2: "),
        ("file,source,kind\nplain.MP4,a,b\n./plain.MP4,c,b\n", "line 3: "),
        ('file,source,kind\n"plain.MP4,a,b\n', "is no manifest"),
        ("file,source,kind\nplain.MP4,\udcff,b\n", "is no manifest"),
    ],
)
def test_a_wrong_manifest_is_one_line(folder: Path, content: str, said: str) -> None:
    manifest = folder / "about.csv"
    manifest.write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(UserError) as caught:
        list_sources([], manifest, (None,))
    assert "about.csv" in str(caught.value) and said in str(caught.value)


def test_no_source_is_an_error(folder: Path) -> None:
    with pytest.raises(UserError, match="no source is named"):
        list_sources([], None, (None,))
    with pytest.raises(UserError, match="No such file"):
        list_sources([folder / "missing.mkv"], None, (None,))
    with pytest.raises(UserError, match="cannot read the manifest"):
        list_sources([], folder / "missing.csv", (None,))


@pytest.mark.parametrize(
    ("size", "short", "scaled"),
    [
        ((1920, 1080), 720, (1280, 720)),
        ((1080, 1920), 720, (720, 1280)),
        ((1920, 800), 540, (1296, 540)),
        ((333, 333), 180, (180, 180)),
        ((1920, 1080), 1080, None),
        ((640, 360), 720, None),
        ((4000, 20), 18, (3600, 18)),
    ],
)
def test_heights_are_of_the_short_side(size: tuple[int, int], short: int, scaled: tuple[int, int] | None) -> None:
    assert scaled_size(*size, short) == scaled
