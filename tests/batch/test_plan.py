"""What is enqueued for files, folders and tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmaftune.batch.plan import Plan
from vmaftune.errors import UserError

ENCODERS = frozenset({"libx264", "libsvtav1"})


def plan(folder: Path | None = None, *, encode: bool = True, **options: object) -> Plan:
    return Plan(encoders=ENCODERS, options=dict(options), folder=folder, encode=encode)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    for name in ("a/x.mkv", "b/x.mkv", "b/.hidden.mkv", ".cache/x.mkv", "b/notes.txt", "-c %d'.mp4"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


def test_a_folder_keeps_its_shape_in_the_output(films: Path, tmp_path: Path) -> None:
    found = plan(tmp_path / "out").of([films])
    outputs = [one.output.relative_to(tmp_path / "out").as_posix() for one in found if one.output]
    assert outputs == ["-c %d'.mkv", "a/x.mkv", "b/x.mkv"]


def test_outputs_are_no_sources(films: Path) -> None:
    (films / "out").mkdir()
    (films / "out" / "y.mkv").write_bytes(b"x")
    (films / "a" / "x.libx264.mkv").write_bytes(b"x")
    assert len(plan(films / "out").of([films])) == 3
    (films / "out" / "y.mkv").unlink()
    beside = plan(encoder="libx264").of([films])
    assert [one.output.name for one in beside if one.output] == ["-c %d'.libx264.mkv", "x.libx264.mkv", "x.libx264.mkv"]


def test_names_that_collide_are_one_line(films: Path, tmp_path: Path) -> None:
    named = [films / "a" / "x.mkv", films / "b" / "x.mkv"]
    with pytest.raises(UserError, match=r"would both become .*x\.mkv"):
        plan(tmp_path / "out").of(named)
    assert len(plan(encode=False).of(named)) == 2
    assert len(plan(tmp_path / "out").of([named[0], named[0]])) == 1
    with pytest.raises(UserError, match="would be overwritten"):
        plan(films / "a").of([named[0]])


def test_a_table_overrides_options_by_file(films: Path, tmp_path: Path) -> None:
    table = films / "list.csv"
    table.write_text(
        "file,output,min-vmaf,encoder,samples,enc\na/x.mkv,first.mp4,90,libx264,3,x264-params=a=b g=12\nb/x.mkv,,,,,\n"
    )
    first, second = plan(tmp_path / "out", min_vmaf=95.0, preset="slow").of([table])
    assert first.output == tmp_path / "out" / "first.mp4" and first.file == films / "a" / "x.mkv"
    assert first.options == {
        "min_vmaf": 90.0,
        "preset": "slow",
        "encoder": "libx264",
        "samples": 3,
        "enc": ["x264-params=a=b", "g=12"],
    }
    assert second.options == {"min_vmaf": 95.0, "preset": "slow"} and second.output == tmp_path / "out" / "x.mkv"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name\nx.mkv\n", "has no column file"),
        ("file,min_vmaff\nx.mkv,3\n", "unknown column 'min_vmaff'"),
        ("file,min_vmaf\nx.mkv,high\n", "line 2: min_vmaf = 'high'"),
        ("file\nx.mkv,3\n", "line 2: more cells than columns"),
        ("file,min_vmaf\n,3\n", "line 2: no file is named"),
        ("file,cache_dir\nx.mkv,/tmp\n", "unknown column 'cache_dir'"),
        ("\xff\xfe\n", "no CSV file in UTF-8"),
    ],
)
def test_a_table_that_is_wrong_is_one_line(tmp_path: Path, content: str, said: str) -> None:
    table = tmp_path / "list.csv"
    table.write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError, match=said):
        plan(encode=False).of([table])


def test_a_folder_without_a_video_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no video"):
        plan().of([tmp_path])
