"""What tests of the artifact share: our wheel and sdist, and virtual environments that hold nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import pytest

ROOT = Path(__file__).parents[2]
_NOT_SOURCE = shutil.ignore_patterns(".*", "out", "build", "dist", "*.egg-info", "__pycache__")


@dataclass(frozen=True)
class Environment:
    """A virtual environment that shares nothing with the one the tests run in.

    Attributes:
        folder: that holds it, the cache of its runs, and the folder they run in.
    """

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    def pip(self, *arguments: str | Path) -> None:
        """Run pip, which must succeed."""
        quiet = ["-q", "--disable-pip-version-check"]
        subprocess.run([self.python, "-m", "pip", *arguments, *quiet], check=True, capture_output=True)

    def install(self, *packages: str | Path) -> None:
        """Install wheels by path and other packages by name, at the versions of constraints.txt."""
        self.pip("install", "-c", ROOT / "constraints.txt", *packages)

    def run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run a command away from the source tree; nothing of the environment the tests run in is importable."""
        away = self.folder / "away"
        away.mkdir(exist_ok=True)
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache"), "PYTHONPATH": ""}
        return subprocess.run(command, cwd=away, env=environment, capture_output=True, text=True)

    def vmaf_tune(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the installed program."""
        return self.run([self.folder / "venv" / "bin" / "vmaf-tune", *arguments])


def built(tree: Path, folder: Path, name: str, *what: str) -> Path:
    """Build a package from a copy of its tree: two processes that build in one tree would remove each other's files.

    Args:
        tree: of the package.
        folder: for the copy and for what is built.
        name: of the copy.
        what: ``--wheel`` for a wheel alone.

    Returns:
        The folder that holds what was built.
    """
    folder.mkdir(exist_ok=True)
    copy, output = folder / name, folder / "dist"
    shutil.copytree(tree, copy, ignore=_NOT_SOURCE)
    subprocess.run(
        [sys.executable, "-m", "build", *what, "--outdir", str(output), str(copy)], check=True, capture_output=True
    )
    return output


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of our wheel and sdist."""
    return built(ROOT, tmp_path_factory.mktemp("artifacts"), "vmaf-tune")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An empty environment with pip alone."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "venv", with_pip=True)
    return Environment(folder)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 15 frames."""
    path = tmp_path_factory.mktemp("clip") / "clip.mkv"
    picture = "mandelbrot=size=192x108:rate=25,noise=alls=6:all_seed=1,format=yuv420p"
    make = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "lavfi", "-i", picture, "-t", "0.6"]
    subprocess.run([*make, "-c:v", "libx264", "-crf", "5", str(path)], check=True)
    return path
