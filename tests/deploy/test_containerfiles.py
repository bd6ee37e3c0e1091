"""The images: what goes into each, who runs it, and that torch is in the trainer's alone."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml

from tests.deploy.chart import CHART, ROOT, defaults, render

CONTAINERS = ROOT / "deploy" / "containers"
IMAGES = ["worker", "trainer"]
_HOST = re.compile(r"\w+\.(io|com|org|net|dev)\b|https?://")


def _instructions(image: str) -> list[tuple[str, str]]:
    """Instruction and arguments of each line, lines joined and comments left out."""
    text = (CONTAINERS / f"{image}.Containerfile").read_text("utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ").splitlines()
    return [(name, " ".join(rest.split())) for name, _, rest in (line.partition(" ") for line in lines if line.strip())]


def _of(image: str, instruction: str) -> list[str]:
    return [rest for name, rest in _instructions(image) if name == instruction]


def _installs(image: str) -> list[list[str]]:
    """The words after each `pip install`."""
    steps = [step for run in _of(image, "RUN") for step in re.split(r"&&|;|\|\|", run) if "pip install" in step]
    return [shlex.split(step.partition("pip install")[2]) for step in steps]


@pytest.mark.parametrize("image", IMAGES)
def test_two_stages_of_one_base_that_can_be_named(image: str) -> None:
    known = {"ARG", "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in _instructions(image)} <= known
    assert _of(image, "ARG")[0].startswith("PYTHON_IMAGE=python:3.")
    assert _of(image, "FROM") == ["${PYTHON_IMAGE} AS build", "${PYTHON_IMAGE}"]
    last = [name for name, _ in _instructions(image)][::-1].index("FROM")
    final = _instructions(image)[-last:]
    assert [rest for name, rest in final if name == "COPY"] == ["--from=build /opt/vmaf-tune /opt/vmaf-tune"]
    assert "RUN" not in {name for name, _ in final}


@pytest.mark.parametrize("image", IMAGES)
def test_never_root_and_the_user_of_the_chart(image: str) -> None:
    security = defaults()["security"]
    assert _of(image, "USER") == [f"{security['uid']}:{security['gid']}"]


@pytest.mark.parametrize("image", IMAGES)
def test_no_host_is_named(image: str) -> None:
    assert not _HOST.search((CONTAINERS / f"{image}.Containerfile").read_text("utf-8"))


@pytest.mark.parametrize("image", IMAGES)
def test_what_is_copied_is_there_and_is_all_that_the_package_needs(image: str) -> None:
    copied = [word for copy in _of(image, "COPY") if "--from" not in copy for word in copy.split()[:-1]]
    assert all((ROOT / word).exists() for word in copied)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    folders = re.findall(r'^vmaftune\w* = "(\w+)"$', project, re.MULTILINE)
    assert {"pyproject.toml", "constraints.txt", "README.md", "LICENSE", *folders} == {*copied}


@pytest.mark.parametrize("image", IMAGES)
def test_every_version_is_pinned(image: str) -> None:
    installs = _installs(image)
    assert installs
    for words in installs:
        assert words[words.index("--constraint") + 1] == "constraints.txt"
    pins = (ROOT / "constraints.txt").read_text("utf-8")
    assert image != "trainer" or re.search(r"^torch==\S+$", pins, re.MULTILINE)


def test_no_torch_in_the_workers() -> None:
    assert "torch" not in " ".join(rest for _, rest in _instructions("worker"))
    (words,) = _installs("worker")
    assert [word for word in words if ".whl" in word] == ["/wheels/*.whl"]  # no extra
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert "torch" not in project.partition("dependencies = [")[2].partition("]")[0]


def test_torch_of_the_trainers_is_the_cpu_build_or_the_build_fails() -> None:
    torch, package = _installs("trainer")
    assert torch[-1] == "torch" and "--no-deps" in torch
    assert torch[torch.index("--index-url") + 1].startswith("${TORCH_INDEX:?")
    assert package[-1].endswith("[train]")
    assert any("torch.version.cuda is None" in run for run in _of("trainer", "RUN"))
    assert "TORCH_INDEX" in _of("trainer", "ARG")


@pytest.mark.parametrize("image", IMAGES)
def test_the_chart_takes_the_images_as_their_files_name_them(image: str) -> None:
    rendered = render({"sidecar": {"trainer": {"enabled": True}}})
    text = (CONTAINERS / f"{image}.Containerfile").read_text("utf-8")
    assert f"-t {rendered.containers[image]['image']} " in text
    assert f"-f {(CONTAINERS / f'{image}.Containerfile').relative_to(ROOT)} " in text


def test_an_image_runs_the_program() -> None:
    for image in IMAGES:
        assert _of(image, "ENTRYPOINT") == ['["vmaf-tune"]']


def test_chart_and_package_are_of_one_version() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert version is not None and chart["version"] == chart["appVersion"] == version[1]
