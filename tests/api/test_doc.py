"""docs/api.md: every example runs, as it stands there, beside a film.mkv and an encode.mkv, and is well typed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Program, clip, clips, program
from tests.events.conftest import encode

__all__ = ["clip", "clips", "encode", "program"]

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(
    r"^```python\n(.*?)^```$", (ROOT / "docs" / "api.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
)
SAID = (
    r"CRF [\d.]+: VMAF 90\.\d\d, verified in \d+ trial encodes\n.+\n.*ffmpeg.* -i .*film\.libx264.*\n",
    r".*film\.small\.mkv: CRF [\d.]+, 12 frames, \d+ % of the source's video\n",
    r"VMAF [\d.]+ over 12 frames, lowest [\d.]+\n(frame \d+ at \d\.\d{3} s: VMAF [\d.]+, see worst/frame-\d{6}\.png\n){3}",
    r"(CRF \d+: VMAF [\d.]+ ± [\d.]+, not verified\n)+",
    r"probe 1 at CRF [\d.]+\nVMAF [\d.]+ is all I wanted to know\n",
    r'(\{"event":"probed","v":1,.*\}\n)+',
    r"cannot open nosuch\.mkv: No such file or directory\n",
)


@pytest.mark.parametrize("number", range(len(SAID)))
def test_an_example_runs(program: Program, clip: Path, encode: Path, number: int) -> None:
    assert len(EXAMPLES) == len(SAID)
    (program.home / "film.mkv").write_bytes(clip.read_bytes())
    (program.home / "encode.mkv").write_bytes(encode.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", EXAMPLES[number]], cwd=program.home, env=program.env(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(SAID[number], done.stdout), done.stdout


WRONG = """\
import vmaftune

vmaftune.search("film.mkv", min_vmaf=93, encoder="libx265")
vmaftune.search("film.mkv", min_vmaff=93)  # wrong: call-arg
vmaftune.search("film.mkv", min_vmaf="93")  # wrong: arg-type
vmaftune.search("film.mkv", width=1920)  # wrong: call-arg
vmaftune.score("film.mkv", "encode.mkv", width=1920, height=1080, pool="p5")
vmaftune.score("film.mkv")  # wrong: call-arg
vmaftune.predict("film.mkv", observer=print)  # wrong: arg-type
crf: str = vmaftune.search("film.mkv").crf  # wrong: assignment
print(vmaftune.search("film.mkv").crff)  # wrong: attr-defined
"""


def test_a_type_checker_knows_every_option(tmp_path: Path) -> None:
    """mypy --strict accepts the examples and finds each mistake, in the line where it is and nowhere else."""
    pytest.importorskip("mypy", reason="mypy is not installed")
    for number, example in enumerate(EXAMPLES):
        (tmp_path / f"example_{number}.py").write_text(example)
    (tmp_path / "wrong.py").write_text(WRONG)
    files = sorted(path.name for path in tmp_path.glob("*.py"))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", "cache", *files],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    found = {
        match[1]: match[2] for match in re.finditer(r"^wrong\.py:(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.M)
    }
    wrong = {str(number) for number, line in enumerate(WRONG.splitlines(), 1) if "# wrong" in line}
    assert set(found) == wrong, done.stdout
    for number, code in found.items():
        assert code in WRONG.splitlines()[int(number) - 1], done.stdout
    assert "example_" not in done.stdout, done.stdout
