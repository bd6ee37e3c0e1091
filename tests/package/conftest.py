"""What tests of the artifact share: our wheel and sdist, and virtual environments that hold nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
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
        """Install wheels by path and other packages by name, at the newest versions that go together: what a user gets."""
        self.pip("install", *packages)

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


def pythons() -> list[Path]:
    """This Python, and the oldest and the newest others of those we support that the machine has."""
    minors = range(10, 15)
    named = [shutil.which(f"python3.{minor}") for minor in minors]
    built = sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin/python3"))
    found: dict[tuple[int, int], Path] = {}
    for candidate in (*filter(None, named), *built):
        ask = "import sys, venv, ensurepip; print(*sys.version_info[:2])"
        answer = subprocess.run([candidate, "-c", ask], capture_output=True, text=True)
        if answer.returncode == 0:  # a shim of pyenv may be there for a version that is not chosen
            major, minor = map(int, answer.stdout.split())
            found.setdefault((major, minor), Path(candidate))
    others = sorted(version for version in found if version != sys.version_info[:2] and version[1] in minors)
    return [Path(sys.executable), *(found[version] for version in sorted({*others[:1], *others[-1:]}))]


def new_environment(python: Path, folder: Path) -> Environment:
    """An empty environment of one Python, with pip alone."""
    subprocess.run([python, "-m", "venv", folder / "venv"], check=True, capture_output=True)
    return Environment(folder)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An empty environment of this Python."""
    return new_environment(Path(sys.executable), tmp_path_factory.mktemp("environment"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 15 frames with sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mkv"
    picture = "mandelbrot=size=192x108:rate=25,noise=alls=6:all_seed=1,format=yuv420p"
    make = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi"]
    subprocess.run(
        [*make, "-i", "sine", "-t", "0.6", "-c:v", "libx264", "-crf", "5", "-c:a", "aac", str(path)], check=True
    )
    return path
