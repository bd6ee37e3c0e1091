"""The real program, run as a user runs it, in folders of its own, on tiny generated clips."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
X264 = ("-e", "libx264", "--preset", "ultrafast", "--vmaf-scale", "none")
SIDECAR = ("--plugin", "ridge-sidecar")


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
        return sorted(self.temporary.iterdir())

    def env(self, **more: str) -> dict[str, str]:
        for name in ("cache", "config", "tmp"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        ours = {
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
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
        """The JSON of a search that must go well."""
        ended = self("crf-search", "-i", clip, *X264, "--min-vmaf", "90", *arguments, "--json")
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


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg itself."""
    command: Sequence[str] = [FFMPEG, "-y", "-nostdin", "-loglevel", "error", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    home = tmp_path / "home"
    home.mkdir()
    return Program(home=home)


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
