"""Text of files and of ffmpeg goes to the terminal with its control characters escaped, whatever it comes through."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.progress import TextColumn
from rich.text import Text

import vmaftune
from tests.cli.conftest import X264, Program, ffmpeg
from tests.cli.terminal import blocks, on_a_terminal
from vmaftune.cli.console import console
from vmaftune.cli.live import LiveLine
from vmaftune.cli.output import json_line
from vmaftune.cli.streams import Escaped
from vmaftune.printable import encodable, printable

STEERS = "\x1b]0;owned\x07\x9b31m\x7f\u202e\x08"
ESCAPED = r"\x1b]0;owned\x07\x9b31m\x7f\u202e\x08"
DRAWN = r"\x1b]0;owned\x9b31m\x7f\u202e"  # rich drops a few itself


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        return True


def test_what_steers_is_escaped_and_nothing_else() -> None:
    assert printable(STEERS) == ESCAPED
    assert printable("Жуки 蟲 é 👨‍👩‍👧\tx\n") == "Жуки 蟲 é 👨‍👩‍👧\tx\n"
    assert printable(os.fsdecode(b"a\xff\x9b") + "\ud800\r") == r"a\xff\x9b\ud800\r"
    assert encodable(os.fsdecode(b"a\xff") + "\ud800\x1b") == os.fsdecode(b"a\xff") + "\\ud800\x1b"


def test_a_stream_takes_any_text() -> None:
    bare = io.TextIOWrapper(io.BytesIO(), encoding="latin-1", write_through=True)
    stream = Escaped(bare)
    assert stream.write(STEERS + "蟲\ud800é") == len(STEERS) + 3
    stream.writelines(["\x1b"])
    assert bare.buffer.getvalue().decode("latin-1") == ESCAPED + r"\u87f2\ud800" + "é" + r"\x1b"  # type: ignore[attr-defined]


def test_json_is_escaped_as_json_does_it() -> None:
    for text in (STEERS, "\u2028 Жуки", os.fsdecode(b"\xff") + STEERS):
        line = json_line({text: [text]})
        assert printable(line) == line and json.loads(line) == {text: [text]}


def test_a_console_draws_colours_of_its_own_and_none_of_a_text() -> None:
    terminal = Terminal()
    drawn = console(terminal, force_terminal=True)  # type: ignore[arg-type]
    drawn.print(Text(STEERS, style="red"))
    drawn.print(f"[b]{STEERS}")
    assert "\x1b[31m" in terminal.getvalue()
    assert re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue()) == f"{DRAWN}\n[b]{DRAWN}\n"


def test_a_live_line_takes_no_markup_and_what_is_printed_meanwhile_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stderr", terminal)
    with LiveLine() as live:
        display = live.show_live(TextColumn("{task.description}"))
        assert display is not None
        display.add_task(f"[/b]{STEERS}[link=x]", total=1.0)
        display.refresh()
        print(f"said {STEERS}", file=sys.stderr)
    assert sys.stderr is terminal
    shown = terminal.getvalue()
    assert r"[/b]\x1b]0;owned" in shown and f"said {ESCAPED}" in shown
    assert not re.search("\x1b\\]|\x07|\x9b|\u202e", shown)


def test_nothing_else_makes_a_console() -> None:
    package = Path(vmaftune.__file__).parent
    made = {p.relative_to(package).as_posix(): p.read_text() for p in package.rglob("*.py")}
    assert [name for name, text in made.items() if "Console(" in text] == ["cli/console.py"]
    assert [name for name, text in made.items() if re.search(r"rich.*\bprint\b|__stdout__|__stderr__", text)] == []
    displays = [call for text in made.values() for call in re.findall(r"[ =](?:Progress|kind)\(\s*\*[^:]*", text)]
    assert len(displays) == 2 and all("console=" in line for line in displays)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film whose audio language, titles and attachment steer a terminal."""
    folder = tmp_path_factory.mktemp("hostile")
    film, attached = folder / "film.mkv", folder / "attached"
    attached.write_bytes(b"text")
    sources = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10:duration=1"]
    sources += ["-f", "lavfi", "-i", "sine=duration=1"]
    tags = ["-metadata:s:a", f"language={STEERS}", "-metadata", f"title={STEERS}", "-metadata:s:v", f"title={STEERS}"]
    tags += ["-attach", attached, "-metadata:s:t", f"mimetype={STEERS}", "-metadata:s:t", f"filename={STEERS}.ttf"]
    ffmpeg(*sources, "-c:v", "libx264", "-qp", "5", "-c:a", "aac", *tags, film)
    return film


def on_terminal(program: Program, *arguments: str | Path) -> str:
    """What the program writes to a terminal, which both its output and its errors go to."""
    child, terminal = on_a_terminal(program.command(*arguments), program.env(TERM="xterm"), program.home)
    written = b"".join(blocks(terminal))
    os.close(terminal)
    child.wait(60)
    return written.decode("utf-8", "surrogateescape")


def test_an_encode_of_a_hostile_film_steers_no_terminal(program: Program, hostile: Path) -> None:
    shown = on_terminal(program, "encode", "-i", hostile, *X264, "--crf", "40", "-o", program.home / "out.mkv")
    assert (program.home / "out.mkv").exists() and r"\x1b]0;owned" in shown
    assert not re.search("\x1b\\]|\x07|\x9b|\u202e|\x7f", shown)


def test_a_batch_of_a_file_named_so_steers_no_terminal(program: Program, hostile: Path) -> None:
    folder = program.home / "films"
    folder.mkdir()
    (folder / f"[bold]a[-b]{STEERS}.mkv").write_bytes(hostile.read_bytes())
    (folder / "broken[-c]\x1b]0;x\x07.mkv").write_bytes(b"nothing")
    shown = on_terminal(program, "batch", folder, "-o", program.home / "out", *X264, "--crf", "40")
    assert not re.search("\x1b\\]|\x07|\x9b|\u202e|\x7f", shown), shown
    assert len(list((program.home / "out").iterdir())) == 1


# As PyAV 19 gives tags that are no UTF-8, whichever is installed.
SURROGATES = """
import vmaftune.media.opened as opened
opened._TOLERANT = opened._TOLERANT and {"metadata_errors": "surrogateescape"}
from vmaftune.cli.main import main
main()
"""


@pytest.mark.parametrize(
    "how", [["--json"], ["--events", "jsonl"], ["--report", "page.html"], ["--per-shot", "--json"]]
)
def test_tags_that_are_no_text_crash_nothing(program: Program, tmp_path: Path, how: list[str]) -> None:
    film, broken = tmp_path / "film.mkv", os.fsdecode(b"a\xff\x9b\xc3")
    sources = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10:duration=1", "-f", "lavfi", "-i", "sine=duration=1"]
    (tmp_path / "attached").write_bytes(b"text")
    tags = ["-metadata:s:a", f"language={broken}", "-metadata", f"title={broken}", "-metadata:s:v", f"title={broken}"]
    tags += ["-metadata:s:a", f"timecode={broken}", "-metadata", f"{broken}={broken}"]
    tags += ["-attach", str(tmp_path / "attached"), "-metadata:s:t", f"mimetype={broken}"]
    tags += ["-metadata:s:t", f"filename={broken}"]
    ffmpeg(*sources, "-c:v", "libx264", "-qp", "5", "-c:a", "aac", *tags, film)
    output = tmp_path / "out.mkv"
    line = ["encode", "-i", film, *X264, "--min-vmaf", "50", "--max-probes", "1", "-o", output, *how]
    done = subprocess.run(
        [sys.executable, "-c", SURROGATES, *map(str, line)], env=program.env(), cwd=program.home, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert output.exists() and b"Traceback" not in done.stderr
    if "--report" not in how:
        for text in done.stdout.decode().splitlines():
            json.loads(text)
