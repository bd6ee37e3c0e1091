"""Commands are put together in one module; what it says is what ffmpeg is told, option for option and letter for letter."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import FRAMES, ROOT, Clips, Moving
from vmaftune.escape import filter_value
from vmaftune.ffmpeg import command as module
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import (
    LIST_FRAMES,
    LIST_PACKETS,
    PASS_THROUGH,
    SUM_FRAMES,
    Output,
    chained,
    command,
    filtered,
    generated,
    read,
    split,
)
from vmaftune.ffmpeg.listing import count_frames
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.raw import Geometry

_WORDS = {"-i", "-map", "-vf", "-filter_complex", "-dec", "-f"}
"""No command has a file in it without one of them."""


def _modules() -> Iterator[Path]:
    folders = ROOT / "vmaftune", ROOT / "plugins"
    return (path for folder in folders for path in folder.rglob("*.py") if path != Path(module.__file__))


def test_no_other_module_puts_a_command_together() -> None:
    """``-i`` is an option of our own command line too, which has nothing to do with ffmpeg's."""
    for path in _modules():
        words = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
        own = {"-i"} if path.parent.name == "cli" else set()
        assert not words & (_WORDS - own), path


def test_no_other_module_knows_the_library() -> None:
    for path in _modules():
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert all(name.partition(".")[0] != "ffmpeg" for name in names), path


@pytest.mark.parametrize(
    "chain",
    [
        "hflip",
        "split[a][b];[a]hflip[c];[b][c]overlay=W/2",
        "split[s0][s1];[s0]hflip[s2];[s1][s2]overlay=W/2",
        "select='not(mod(n,2))',setpts=N/25/TB",
        r"select=not(mod(n\,2)),scale=80:-2",
        "crop=100:80:7:3,drawgrid=c='red@0.5'",
        "lutyuv=y='if(gt(val,128),val,255-val)'",
    ],
)
def test_a_users_chain_is_passed_as_it_is(
    chain: str, moving: Moving, clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    """Also where its labels are those that the library gives."""
    every, some = split(chained(read(moving.plain)["0"], chain))
    turned, straight = tmp_path / "turned", tmp_path / "straight"
    process.run(
        ffmpeg.path,
        command(
            Output([some.filter("vflip")], turned, PASS_THROUGH | {"f": "framemd5"}),
            Output([every], straight, PASS_THROUGH | {"f": "framemd5"}),
        ),
    )
    for listing, after in ((turned, f"{chain},vflip"), (straight, chain)):
        lines = [line for line in listing.read_text().splitlines() if not line.startswith("#")]
        sums = [line.rsplit(",", 1)[1].strip() for line in lines]
        assert sums == clips.hashes(moving.plain, video_filter=after)


def test_no_chain_is_no_filter(moving: Moving) -> None:
    assert "-filter_complex" not in command(Output([chained(read(moving.plain)["0"], None)], None))


def test_given_options_keep_order_and_repetitions_and_come_first(tmp_path: Path) -> None:
    given = ["-metadata", "b=1", "-metadata", "a=2", "-x264-params", "keyint=5", "-an"]
    source = read(tmp_path / "a.mkv")
    built = command(
        Output([source["0"]], tmp_path / "one", {"f": "nut"}, given),
        Output([source["1"]], tmp_path / "two", {"shortest": None, "c": "copy"}),
        Output(["0:2"], None, {"t": 1}, ["-c", "copy"]),
        first=["-init_hw_device", "vaapi=va"],
    )
    assert built == [
        *("-init_hw_device", "vaapi=va", "-i", f"file:{tmp_path}/a.mkv"),
        *("-map", "0:0", *given, "-f", "nut", f"file:{tmp_path}/one"),
        *("-map", "0:1", "-c", "copy", "-shortest", f"file:{tmp_path}/two"),
        *("-map", "0:2", "-c", "copy", "-t", "1", "-f", "null", "-"),
    ]


def test_a_file_compared_with_itself_is_two_inputs() -> None:
    one, other = (read(Path("/a")) for _ in range(2))
    built = command(Output(["[o]"], None), inputs=(one, other), graph="[0:0][1:0]psnr[o]")
    assert built[:4] == ["-i", "file:/a", "-i", "file:/a"]
    scored = filtered("psnr", one["0"].filter("hflip"), other["0"].filter("hflip"))
    assert command(Output([scored], None))[:4] == ["-i", "file:/a", "-i", "file:/a"]


def test_an_encode_is_decoded_again(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    """The model's outputs, a graph in words and its output, in one command."""
    video = generated("testsrc2=size=64x64:rate=5:duration=1")["v"]
    packets, frames = tmp_path / "packets", tmp_path / "frames"
    arguments = command(
        Output([video], None, {"vf": "hflip"}),
        Output([video], packets, {"c:v": "mpeg4"} | LIST_PACKETS),
        Output(["[again]"], frames, PASS_THROUGH | LIST_FRAMES),
        decoders=["1:0"],
        graph="[dec:0]select=not(mod(n\\,2))[again]",
    )
    process.run(ffmpeg.path, arguments)
    assert count_frames(packets) == 5 and count_frames(frames) == 3


_NAMES = ["-y", "a:b", "it's", "%03d", " two  spaces ", "line\nbreak", "[s0];,", "back\\slash", "concat:a|b", "漢字🎬"]


@pytest.mark.parametrize("name", [*_NAMES, os.fsdecode(b"latin-\xe9")], ids=ascii)
def test_names_are_data(
    name: str, moving: Moving, clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As inputs and outputs of the model and in words, within a chain, and as a filter's value."""
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    source, told = Path(f"{name}.mkv"), Path(f"{name}.told").absolute()
    source.write_bytes(moving.plain.read_bytes())
    chain = f"metadata=mode=add:key=k:value=v,metadata=mode=print:file={filter_value(str(told))}"
    opened = read(source)
    video = chained(opened["v:0"], chain)
    stated = filtered("signalstats", video).filter("null")
    scored = filtered("psnr", *split(stated), stats_file=str(Path(f"{name}.log").absolute()))
    outputs = [
        Output([opened["0"]], Path(f"{name}.sums"), PASS_THROUGH | SUM_FRAMES),
        Output([scored], Path(f"{name}.nut"), PASS_THROUGH | {"c:v": "ffv1", "f": "nut"}),
        Output(["0:0"], Path(f"{name}.words"), PASS_THROUGH | LIST_FRAMES),
    ]
    process.run(ffmpeg.path, command(*outputs))
    kinds = ("mkv", "told", "log", "sums", "nut", "words")
    assert {path.name for path in folder.iterdir()} == {f"{name}.{kind}" for kind in kinds}
    assert told.read_text().count("k=v") == FRAMES
    assert count_frames(Path(f"{name}.sums")) == count_frames(Path(f"{name}.words")) == FRAMES
    assert clips.hashes(Path(f"{name}.nut")) == clips.hashes(moving.plain)


def test_raw_video_as_an_input(moving: Moving, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    geometry, again = Geometry(160, 90), tmp_path / "again.yuv"
    output = Output([read(moving.raw, geometry.options)["0"]], again, {"f": "rawvideo"})
    process.run(ffmpeg.path, command(output))
    assert again.read_bytes() == moving.raw.read_bytes()
    assert again.stat().st_size == FRAMES * geometry.frame_bytes
