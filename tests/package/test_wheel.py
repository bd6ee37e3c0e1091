"""The artifact: wheel and sdist hold plugins and models, and a wheel in an empty environment does the main job."""

from __future__ import annotations

import json
import tarfile
import zipfile
from pathlib import Path

from tests.package.conftest import Environment

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


def test_an_empty_environment_with_the_wheel_finds_a_crf_from_another_folder(
    artifacts: Path, environment: Environment, clip: Path
) -> None:
    environment.install(next(artifacts.glob("*.whl")))
    command = ["--crf-search", "--plugin", "ridge-sidecar", "-i", clip, "-e", "libx264", "--min-vmaf", "90", "--json"]
    run = environment.vmaf_tune(*command)
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert report["vmaf"] >= 90 and report["predictor"].startswith("mlp@mlp_v1-")
    heavy = "import importlib.util as u; print([m for m in ('torch', 'onnx', 'scipy') if u.find_spec(m)])"
    found = environment.run([environment.python, "-c", heavy])
    assert found.stdout.strip() == "[]", found.stderr
