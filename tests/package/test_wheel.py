"""The artifact: wheel and sdist hold plugins and models, and a wheel in an empty environment does the main job."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.package.conftest import ROOT, new_environment, pythons

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NEEDED = {
    "vmaftune/py.typed",
    "vmaftune/cli/main.py",
    "vmaftune/models/registry.py",
    "vmaftune_plugins/encoders.py",
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


def test_every_package_of_the_tree_is_declared() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    for top, folder in declared["package-dir"].items():
        inits = (ROOT / folder).rglob("__init__.py")
        found = {".".join((top, *init.parent.relative_to(ROOT / folder).parts)) for init in inits}
        assert found - {"vmaftune_models"} == {
            name for name in declared["packages"] if name.split(".")[0] == top and name != "vmaftune_models"
        }


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


@pytest.mark.parametrize("python", pythons(), ids=lambda path: path.parts[-3] if ".pyenv" in path.parts else path.name)
def test_the_wheel_without_constraints_does_the_main_jobs_from_another_folder(
    artifacts: Path, clip: Path, tmp_path: Path, python: Path
) -> None:
    environment = new_environment(python, tmp_path)
    environment.install(next(artifacts.glob("*.whl")))

    checked = environment.vmaf_tune("doctor")
    assert checked.returncode == 0 and "trial: a made clip of 10 frames was read" in checked.stdout, checked.stdout

    command = ["--crf-search", "--plugin", "ridge-sidecar", "-i", clip, "-e", "libx264", "--min-vmaf", "90", "--json"]
    report = json.loads(_done(environment.vmaf_tune(*command)).stdout)
    assert report["vmaf"] >= 90 and report["predictor"].startswith("mlp@mlp_v1-")

    encode = tmp_path / "encode.mp4"
    _done(environment.vmaf_tune("encode", "-i", clip, "-o", encode, "-e", "libx264", "--crf", "30"))
    scored = json.loads(_done(environment.vmaf_tune("score", clip, encode, "--json")).stdout)
    assert scored["frames"] == 15 and 0 < scored["vmaf"] < 100

    plot = environment.vmaf_tune(*command, "--plot", tmp_path / "plot.svg")
    assert plot.returncode == 2 and "pip install 'matplotlib>=" in plot.stderr

    heavy = "import importlib.util as u; print([m for m in ('torch', 'onnx', 'scipy') if u.find_spec(m)])"
    found = environment.run([environment.python, "-c", heavy])
    assert found.stdout.strip() == "[]", found.stderr


def _done(run: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert run.returncode == 0, run.stderr
    return run
