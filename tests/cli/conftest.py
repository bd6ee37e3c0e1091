"""The real program, run as a user runs it, in folders of its own, on tiny generated clips."""

from __future__ import annotations

import ctypes
import dataclasses
import json
import math
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest

from vmaftune.contract.features import FEATURES

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
X264 = ("-e", "libx264", "--preset", "ultrafast", "--vmaf-scale", "none")
USUAL = X264[:4]
"""Without --vmaf-scale: scores are of the scale that is learned."""
SIDECAR = ("--plugin", "ridge-sidecar")
_PR_CAPBSET_DROP, _DAC_OVERRIDE, _DAC_READ_SEARCH = 24, 1, 2


@dataclass(frozen=True, kw_only=True)
class Ended:
    """One run of the program that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def complaint(self) -> str:
        """What the program said of an error, beside the indented lines that tell how the search goes."""
        lines = [line for line in self.err.splitlines() if line.startswith("vmaf-tune: ")]
        assert "Traceback" not in self.err, self.err
        assert len(lines) == 1 and self.err.splitlines()[-1] == lines[0], self.err
        return lines[0].removeprefix("vmaf-tune: ")


@dataclass(frozen=True, kw_only=True)
class Program:
    """vmaf-tune with a home of its own below ``home``."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def cache(self) -> Path:
        return self.home / "cache" / "vmaf-tune"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def temporary(self) -> Path:
        return self.home / "tmp"

    def left_behind(self) -> list[Path]:
        # torch, depending on what is installed beside it, makes an empty cache folder of its own there.
        return sorted(path for path in self.temporary.iterdir() if not path.name.startswith("torchinductor_"))

    def env(self, **more: str) -> dict[str, str]:
        for name in ("cache", "config", "tmp"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        ours = {
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "VMAFTUNE_MODELS": str(self.models),
            "TMPDIR": str(self.temporary),
        }
        return {**os.environ, **ours, **self.environment, **more}

    def command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "vmaftune", *map(str, arguments)]

    def __call__(
        self,
        *arguments: str | Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        before: Callable[[], None] | None = None,
    ) -> Ended:
        done = subprocess.run(
            self.command(*arguments),
            env=self.env(**(env or {})),
            cwd=cwd or self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            preexec_fn=before,
            timeout=240,
        )
        decoded = [stream.decode("utf-8", "surrogateescape") for stream in (done.stdout, done.stderr)]
        return Ended(code=done.returncode, out=decoded[0], err=decoded[1])

    def search(self, clip: Path, *arguments: str | Path) -> Any:
        """The JSON of a search that must go well; of one that plugins learn from, where arguments name one."""
        encode = USUAL if "--plugin" in arguments else X264
        ended = self("crf-search", "-i", clip, *encode, "--min-vmaf", "90", *arguments, "--json")
        assert ended.code == 0, ended.err
        return ended.json

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Begin a run in a process group of its own."""
        return subprocess.Popen(
            self.command(*arguments),
            env=self.env(),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )


def without_privilege() -> None:
    """Even root meets permissions from now on, after exec; of Linux alone."""
    for capability in (_DAC_OVERRIDE, _DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg itself."""
    command: Sequence[str] = [FFMPEG, "-y", "-nostdin", "-loglevel", "error", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    home = tmp_path / "home"
    home.mkdir()
    return Program(home=home)


def capture_lines(sources: int, offset: float = -6.0, encoder: str = "libx264", preset: str = "medium") -> str:
    """A file of captures, four of each source, whose VMAF is ``offset`` away from that of an easy film."""
    lines = []
    for source in range(sources):
        away = math.sin(7.0 * source)
        features = [scale.centre + 0.3 * away * scale.spread for scale in FEATURES.values()]
        for crf, vmaf in ((20, 97.0), (26, 93.0), (32, 85.0), (38, 73.0)):
            capture = {"features": features, "encoder": encoder, "preset": preset, "crf": crf}
            lines.append({**capture, "observed": vmaf + offset + away, "unix_seconds": 1.79e9 + 60 * len(lines)})
    return "".join(json.dumps(line) + "\n" for line in lines)


@pytest.fixture(scope="session")
def taught_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a program that has learned 48 captures of 12 sources; to be copied, not used."""
    home = tmp_path_factory.mktemp("taught")
    (home / "captures.jsonl").write_text(capture_lines(12))
    ended = Program(home=home)("sidecar", "record", "captures.jsonl")
    assert ended.code == 0, ended.err
    return home


@pytest.fixture
def taught(taught_home: Path, program: Program) -> Program:
    """The program with 48 captures of libx264, preset medium, learned."""
    shutil.copytree(taught_home, program.home, dirs_exist_ok=True)
    return program


def install(program: Program, name: str, source: str) -> Program:
    """The program with a plugin more, as pip leaves it."""
    site = program.home / f"site-{name}"
    info = site / f"vmaftune_{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vmaftune-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[vmaftune]\n{name} = plugin_{name}\n")
    (site / f"plugin_{name}.py").write_text(textwrap.dedent(source))
    return dataclasses.replace(program, environment={**program.environment, "PYTHONPATH": str(site)})


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with clip.mkv, of 12 frames, and longer.mkv, of 120."""
    folder = tmp_path_factory.mktemp("clips")
    source = ("-f", "lavfi", "-i", "mandelbrot=size=192x108:rate=24")
    made = ("-c:v", "libx264", "-crf", "8", "-pix_fmt", "yuv420p")
    ffmpeg(*source, "-frames:v", "12", *made, folder / "clip.mkv")
    ffmpeg(*source, "-frames:v", "120", *made, folder / "longer.mkv")
    return folder


@pytest.fixture(scope="session")
def clip(clips: Path) -> Path:
    return clips / "clip.mkv"


@pytest.fixture(scope="session")
def longer(clips: Path) -> Path:
    return clips / "longer.mkv"
