"""The artifact: wheel and sdist hold plugins and models, and a wheel in an empty environment does the main job."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import imageio_ffmpeg
import pytest

ROOT = Path(__file__).parents[2]
NEEDED = {
    "vmaftune/py.typed",
    "vmaftune/cli/main.py",
    "vmaftune/models/registry.py",
    "vmaftune_plugins/predictors/mlp.py",
    "vmaftune_plugins/predictors/population.py",
    "vmaftune_plugins/sidecars/ridge.py",
    "vmaftune_plugins/trainers/__init__.py",
    "vmaftune_models/registry.json",
    "vmaftune_models/population_v2.json",
    "vmaftune_models/population_v2.md",
    "vmaftune_models/mlp_v1.onnx",
    "vmaftune_models/mlp_v1.md",
    "vmaftune_models/mlp_v1.rows.jsonl.gz",
}


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the tree: two test processes that build in one tree would remove each other's files."""
    folder, tree = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("source") / "vmaf-tune"
    shutil.copytree(
        ROOT, tree, ignore=shutil.ignore_patterns(".*", "out", "build", "dist", "*.egg-info", "__pycache__")
    )
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(folder), str(tree)], check=True, capture_output=True)
    return folder


def test_the_wheel_holds_plugins_and_models_and_no_package_called_plugins(artifacts: Path) -> None:
    names = set(zipfile.ZipFile(next(artifacts.glob("*.whl"))).namelist())
    assert names >= NEEDED
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "vmaftune",
        "vmaftune_plugins",
        "vmaftune_models",
    }


def test_the_sdist_holds_what_builds_the_wheel(artifacts: Path) -> None:
    with tarfile.open(next(artifacts.glob("*.tar.gz"))) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "plugins/sidecars/ridge.py", "model/registry.json"} <= names


def test_an_empty_environment_with_the_wheel_finds_a_crf_from_another_folder(artifacts: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    wheel = next(artifacts.glob("*.whl"))
    constraints = ["-c", str(ROOT / "constraints.txt")]
    subprocess.run([python, "-m", "pip", "install", "-q", *constraints, str(wheel)], check=True, capture_output=True)
    clip = tmp_path / "clip.mkv"
    picture = "mandelbrot=size=192x108:rate=25,noise=alls=6:all_seed=1,format=yuv420p"
    make = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "lavfi", "-i", picture, "-t", "0.6"]
    subprocess.run([*make, "-c:v", "libx264", "-crf", "5", str(clip)], check=True)
    away = tmp_path / "away"
    away.mkdir()
    program = tmp_path / "venv" / "bin" / "vmaf-tune"
    command = [program, "--crf-search", "--plugin", "ridge-sidecar", "-i", clip, "-e", "libx264", "--min-vmaf", "90"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": ""}
    run = subprocess.run([*command, "--json"], cwd=away, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert report["vmaf"] >= 90 and report["predictor"].startswith("mlp@mlp_v1-")
    heavy = "import importlib.util as u; print([m for m in ('torch', 'onnx', 'scipy') if u.find_spec(m)])"
    found = subprocess.run([python, "-c", heavy], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
