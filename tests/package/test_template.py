"""The life of a third-party plugin: the template is built, installed, used, checked, broken, and uninstalled.

One test, since each step needs the one before: workers that share its steps out would each make the environment.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.package.conftest import ROOT, Environment, built

TEMPLATE = ROOT / "examples" / "vmaftune-plugin-template"
NAMES = ("nearest-neighbour", "constant-bias", "psnr")
BROKEN_CALL = """

def _broken(*arguments):
    raise RuntimeError("broken on purpose")


{method} = _broken
"""
BROKEN_METRIC = """

class _Broken(Psnr):
    def {method}(self, *given, **named):
        raise RuntimeError("broken on purpose")


@hookimpl
def vmaftune_metrics():
    yield _Broken()
"""
BROKEN_IMPORT = "\nraise ImportError('gone on purpose')\n"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The template's wheel."""
    return next(built(TEMPLATE, tmp_path / "build", "template", "--wheel").glob("*.whl"))


def test_the_life_of_a_plugin(
    artifacts: Path, environment: Environment, wheel: Path, clip: Path, tmp_path: Path
) -> None:
    assert "vmaftune_plugin_template/known_sources.json" in zipfile.ZipFile(wheel).namelist()
    environment.install(next(artifacts.glob("*.whl")), wheel, "pytest")
    _is_listed(environment)
    _is_used_by_a_search_and_learns(environment, clip)
    _is_what_a_search_measures(environment, clip)
    _passes_its_own_tests(environment, tmp_path / "copy")
    _keeps_the_contracts(environment)
    _a_correction_that_raises_costs_one_line(environment, clip)
    _a_predictor_that_was_named_and_raises_is_an_error(environment, clip)
    _a_metric_that_raises_ends_the_search_in_one_line(environment, clip)
    _what_cannot_be_imported_is_listed_with_the_reason(environment, clip)
    environment.pip("uninstall", "-y", "vmaftune-plugin-template")
    assert not {*NAMES} & {*_listed(environment)}


def _is_listed(environment: Environment) -> None:
    listed = _listed(environment)
    assert {(listed[name]["kind"], listed[name]["distribution"]) for name in NAMES} == {
        ("predictor", "vmaftune-plugin-template"),
        ("correction", "vmaftune-plugin-template"),
        ("metric", "vmaftune-plugin-template"),
    }


def _is_used_by_a_search_and_learns(environment: Environment, clip: Path) -> None:
    code, report, own = _search(environment, clip, "--predictor", "nearest-neighbour", "--plugin", "constant-bias")
    assert (code, own) == (0, [])
    assert report["predictor"].startswith("nearest-neighbour@nearest5-")
    (state,) = (environment.folder / "cache" / "vmaf-tune" / "constant-bias").glob("*/libx264.json")
    verified = [probe for probe in report["probes"] if probe["purpose"] == "verify"]
    assert [source["captures"] for source in json.loads(state.read_bytes())] == [len(verified)]


def _is_what_a_search_measures(environment: Environment, clip: Path) -> None:
    code, report, own = _search_by_psnr(environment, clip)
    assert (code, own) == (0, [])
    assert 38 <= report["score"] <= 38.5
    assert {probe["scale"]["metric"] for probe in report["probes"]} == {"psnr"}


def _a_metric_that_raises_ends_the_search_in_one_line(environment: Environment, clip: Path) -> None:
    for method in ("filter_text", "read_log"):
        with _appended(environment, "psnr", BROKEN_METRIC.format(method=method)):
            code, report, own = _search_by_psnr(environment, clip)
        assert (code, report) == (1, {})
        assert own == [f"vmaf-tune: metric psnr failed in {method}: RuntimeError: broken on purpose"]


def _passes_its_own_tests(environment: Environment, copy: Path) -> None:
    shutil.copytree(TEMPLATE / "tests", copy / "tests")
    shutil.copy(TEMPLATE / "pyproject.toml", copy)
    done = environment.run([environment.python, "-m", "pytest", "-q", copy])
    assert done.returncode == 0, done.stdout + done.stderr


def _keeps_the_contracts(environment: Environment) -> None:
    for name in NAMES:
        done = environment.vmaf_tune("plugins", "check", name)
        assert done.returncode == 0, done.stdout + done.stderr


def _a_correction_that_raises_costs_one_line(environment: Environment, clip: Path) -> None:
    with _appended(environment, "constant_bias", BROKEN_CALL.format(method="ConstantBias.correct")):
        code, report, own = _search(environment, clip, "--plugin", "constant-bias")
        checked = environment.vmaf_tune("plugins", "check", "constant-bias")
    assert (code, len(own)) == (0, 1)
    assert "plugin constant-bias failed in correct: RuntimeError: broken on purpose" in own[0]
    assert report["vmaf"] >= 90
    assert checked.returncode == 1 and "broken on purpose" in checked.stdout


def _a_predictor_that_was_named_and_raises_is_an_error(environment: Environment, clip: Path) -> None:
    with _appended(environment, "nearest_neighbour", BROKEN_CALL.format(method="NearestNeighbour.predict")):
        code, report, own = _search(environment, clip, "--predictor", "nearest-neighbour")
        assert (code, report) == (1, {})
        assert own == ["vmaf-tune: plugin nearest-neighbour failed in predict: RuntimeError: broken on purpose"]
        assert _search(environment, clip)[0] == 0


def _what_cannot_be_imported_is_listed_with_the_reason(environment: Environment, clip: Path) -> None:
    with _appended(environment, "constant_bias", BROKEN_IMPORT):
        row = _listed(environment)["constant-bias"]
        assert (row["enabled"], row["why_not"]) == (False, "ImportError: gone on purpose")
        assert _search(environment, clip)[0] == 0
        code, report, own = _search(environment, clip, "--plugin", "constant-bias")
    assert (code, report) == (2, {})
    assert own == ["vmaf-tune: plugin constant-bias cannot be used: ImportError: gone on purpose"]


def _listed(environment: Environment) -> dict[str, dict[str, Any]]:
    listed = environment.vmaf_tune("plugins", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    return {row["name"]: row for row in json.loads(listed.stdout)}


def _search(environment: Environment, clip: Path, *options: str) -> tuple[int, dict[str, Any], list[str]]:
    """Exit code, what ``--json`` printed, and the lines of the program's own on stderr."""
    command = ["crf-search", "-i", clip, "-e", "libx264", "--preset", "medium", "--min-vmaf", "90", "--json"]
    done = environment.vmaf_tune(*command, *options)
    own = [line for line in done.stderr.splitlines() if line.startswith("vmaf-tune: ")]
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout or "{}"), own


def _search_by_psnr(environment: Environment, clip: Path) -> tuple[int, dict[str, Any], list[str]]:
    """As _search, by the metric of the template."""
    target = ["--metric", "psnr", "--min-score", "38", "--tolerance", "0.5", "--no-cache"]
    command = ["crf-search", "-i", clip, "-e", "libx264", "--preset", "medium", *target, "--json"]
    done = environment.vmaf_tune(*command)
    own = [line for line in done.stderr.splitlines() if line.startswith("vmaf-tune: ")]
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout or "{}"), own


@contextmanager
def _appended(environment: Environment, module: str, text: str) -> Iterator[None]:
    """A module of the installed template with something at its end, for as long as this lasts."""
    (path,) = (environment.folder / "venv" / "lib").glob(f"*/site-packages/vmaftune_plugin_template/{module}.py")
    before = path.read_text()
    path.write_text(before + text)
    try:
        yield
    finally:
        path.write_text(before)
