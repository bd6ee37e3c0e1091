"""Two registries: the shipped one is only read, the user's own is written whole; no file is used that was not registered."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.conftest import ROOT
from tests.models import build
from vmaftune import models
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.models import ModelEntry
from vmaftune.state import folders

BASE = {
    "id": "own",
    "kind": "predictor",
    "file": "own.onnx",
    "sha256": "0" * 64,
    "encoders": ["libx264 medium"],
    "data": "own.rows",
    "data_sha256": "0" * 64,
    "licence": "Apache-2.0",
}


def ids() -> list[str]:
    return [model.id for model in models.entries() if model.origin == "own"]


def write(folder: Path, content: str | list[dict[str, Any]], schema: int = 1) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "registry.json"
    path.write_text(content if isinstance(content, str) else json.dumps({"schema": schema, "models": content}))
    return path


# --- Reading -----------------------------------------------------------------------------------------------------------


def test_shipped_models_come_first_and_each_says_whose_it_is(own: Path) -> None:
    shipped = models.entries()
    assert shipped and all(model.origin == "shipped" for model in shipped)
    build.register(own, "b")
    build.register(own, "a")
    assert [(m.id, m.origin) for m in models.entries()[len(shipped) :]] == [("b", "own"), ("a", "own")]


def test_an_own_model_is_read_with_its_facts(own: Path) -> None:
    content = build.network()
    build.register(own, "mine", content, card=b"# mine\n", metrics={"mean_error_vmaf": 2.5}, smoke=True)
    model, loaded = models.load("mine")
    assert loaded == content and model.version == f"mine-{hashlib.sha256(content).hexdigest()[:8]}"
    assert model.opset == 17 and model.smoke and model.metrics == {"mean_error_vmaf": 2.5}
    assert model.card is not None and models.read(model, model.card) == b"# mine\n"


def test_entries_without_the_newer_fields_are_read(own: Path) -> None:
    write(own, [BASE])
    model = models.find("own")
    assert (model.opset, model.card, model.metrics, model.smoke) == (None, None, {}, False)


def test_a_name_that_nobody_has_lists_those_there_are(own: Path) -> None:
    build.register(own, "mine")
    with pytest.raises(models.UnknownModel, match=r"no model 'yours' is registered; there is: population_v2.*, mine$"):
        models.find("yours")


def test_an_own_registry_with_a_shipped_name_is_refused_and_hides_nothing(own: Path) -> None:
    write(own, [{**BASE, "id": "population_v2", "kind": "population"}])
    with pytest.raises(UserError, match="population_v2 is the name of a model that vmaf-tune ships"):
        models.entries()
    assert models.find("population_v2").origin == "shipped"
    assert models.load("population_v2")[0].origin == "shipped"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "Input data was truncated"),
        ("{", "truncated"),
        ("\x00\x01", "malformed"),
        ('{"models": ' + "[" * 100_000, "Expected `object`, got `array`"),
        ("[]", "Expected `object`"),
        ('{"schema": 1}', "missing required field `models`"),
        ([{**BASE, "kind": "oracle"}], "Invalid enum value 'oracle'"),
        ([{key: value for key, value in BASE.items() if key != "sha256"}], "missing required field `sha256`"),
        ([{**BASE, "sha256": "beef"}], "'beef' of own is no sha256"),
        ([{**BASE, "metrics": {"error": None}}], "Expected `float`, got `null`"),
        ([{**BASE, "hash": "beef"}], "unknown field `hash`"),
        ([{**BASE, "file": "../own.onnx"}], "'../own.onnx' of own must be a plain file name"),
        ([{**BASE, "data": "/etc/passwd"}], "'/etc/passwd' of own must be a plain file name"),
        ([{**BASE, "card": ".."}], "'..' of own must be a plain file name"),
        ([{**BASE, "file": "registry.json"}], "must be a plain file name"),
        ([{**BASE, "id": "../own"}], "id '../own' must be letters"),
        ([BASE, BASE], "it holds own twice"),
    ],
)
def test_a_broken_own_registry_is_one_line_that_names_the_file(own: Path, content: Any, why: str) -> None:
    path = write(own, content)
    for call in (models.entries, lambda: models.find("own"), lambda: build.register(own, "mine")):
        with pytest.raises(UserError) as caught:
            call()
        assert str(path) in str(caught.value) and why in str(caught.value) and "\n" not in str(caught.value)
    assert models.load("population_v2"), "a shipped model is used all the same"


def test_a_registry_of_another_version_is_refused(own: Path) -> None:
    write(own, [BASE], schema=2)
    with pytest.raises(UserError, match="its schema is 2, this vmaf-tune reads 1"):
        models.entries()


def test_a_registry_in_no_utf8_is_refused(own: Path) -> None:
    write(own, "").write_bytes(json.dumps({"schema": 1, "models": [BASE]}).encode().replace(b"Apache", b"\xff\xfe"))
    with pytest.raises(UserError, match=r"registry\.json is no registry of models"):
        models.entries()


def test_a_folder_that_is_none_is_one_line(own: Path) -> None:
    own.write_text("a file")
    with pytest.raises(UserError, match=r"registry\.json cannot be read: Not a directory"):
        models.entries()


@pytest.mark.parametrize("harm", [lambda p: p.write_bytes(p.read_bytes()[:-1]), Path.unlink], ids=["cut", "gone"])
def test_an_own_file_that_is_not_the_registered_one_is_refused(own: Path, harm: Callable[[Path], object]) -> None:
    build.register(own, "mine")
    harm(own / "mine.onnx")
    with pytest.raises(UserError, match=r"mine\.onnx of model mine .*; train or register it again"):
        models.load("mine")


def test_a_shipped_file_that_is_not_the_registered_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.register(tmp_path, "ours")
    monkeypatch.setattr(importlib.resources, "files", lambda package: tmp_path)
    assert models.load("ours")[0].origin == "shipped"
    (tmp_path / "ours.onnx").write_bytes(b"another")
    with pytest.raises(VmafTuneError, match=r"sha256 differs.*install vmaf-tune anew") as caught:
        models.load("ours")
    assert caught.value.exit_code == 1
    (tmp_path / "registry.json").write_text("{")
    with pytest.raises(VmafTuneError, match=r"registry\.json of this installation is broken.*anew") as caught:
        models.entries()
    assert caught.value.exit_code == 1


def test_the_folder_is_the_users_data_folder_unless_the_environment_moves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMAFTUNE_MODELS", "/elsewhere")
    assert folders.models_folder() == Path("/elsewhere")
    monkeypatch.setenv("VMAFTUNE_MODELS", "")
    monkeypatch.setattr(folders.platformdirs, "user_data_dir", lambda name, appauthor: f"/data/{name}")
    assert folders.models_folder() == Path("/data/vmaf-tune/models")


# --- Registering -------------------------------------------------------------------------------------------------------


def test_a_shipped_name_cannot_be_registered(own: Path) -> None:
    with pytest.raises(UserError, match="population_v2 is the name of a model that vmaf-tune ships"):
        build.register(own, "population_v2")
    assert not own.exists()


def test_the_shipped_folder_itself_takes_shipped_names_and_keeps_file_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.resources, "files", lambda package: tmp_path)
    (tmp_path / "registry.json").write_text('{"schema": 1, "models": []}')
    build.register(tmp_path, "ours")
    again = build.register(tmp_path, "ours", build.network(mean=build.means() - 1))
    assert again.file == "ours.onnx" and models.load("ours")[0].sha256 == again.sha256


def test_registering_again_replaces_the_entry_and_leaves_the_old_file_alone(own: Path) -> None:
    first, second = build.network(), build.network(mean=build.means() - 1)
    build.register(own, "other")
    build.register(own, "mine", first)
    entry = build.register(own, "mine", second)
    assert ids() == ["other", "mine"] and models.load("mine")[1] == second
    assert (own / "mine.onnx").read_bytes() == first
    assert entry.file == f"mine-{hashlib.sha256(second).hexdigest()[:8]}.onnx"
    assert entry.data == "mine.rows", "the same content keeps its name"


def test_an_entry_that_was_read_can_be_registered_elsewhere(own: Path, tmp_path: Path) -> None:
    build.register(own, "mine")
    model, content = models.load("mine")
    files = {model.file: content, model.data: models.read(model, model.data)}
    models.register(tmp_path / "copy", model, files)
    assert (tmp_path / "copy" / "registry.json").read_bytes() == (own / "registry.json").read_bytes()


def test_a_metric_that_is_no_number_is_refused_before_anything_is_written(own: Path) -> None:
    build.register(own, "other")
    before = sorted(path.name for path in own.iterdir())
    with pytest.raises(UserError, match="model mine cannot be registered"):
        build.register(own, "mine", metrics={"mean_error_vmaf": float("nan")})
    assert sorted(path.name for path in own.iterdir()) == before and ids() == ["other"]


def test_files_must_be_those_of_the_entry(own: Path) -> None:
    entry, files = build.entry("mine", build.network())
    wrong: list[tuple[ModelEntry, dict[str, bytes]]] = [
        (entry, {entry.file: files[entry.file]}),
        (entry, {**files, "more": b""}),
        (entry, {**files, entry.file: b"another"}),
        (entry, {**files, entry.data: b"another"}),
        (msgspec.structs.replace(entry, card="mine.md"), files),
    ]
    for wrong_entry, wrong_files in wrong:
        with pytest.raises(ValueError, match=r"mine"):
            models.register(own, wrong_entry, wrong_files)
    assert not own.exists()


REGISTER = """
import os, signal, sys
from pathlib import Path
from tests.models import build
from vmaftune.state import atomic

write, last = atomic.write, sys.argv[3:]

def killed(path, content):
    if path.name in last:
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, content)

atomic.write = killed
for number in range(5):
    build.register(Path(sys.argv[1]), f"{sys.argv[2]}{number}")
"""


def start(folder: Path, name: str, *killed_at: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", REGISTER, str(folder), name, *killed_at], cwd=ROOT)


def test_four_processes_that_register_at_once_lose_nothing(own: Path) -> None:
    running = [start(own, name) for name in "abcd"]
    assert [process.wait(120) for process in running] == [0, 0, 0, 0]
    assert sorted(ids()) == sorted(f"{name}{number}" for name in "abcd" for number in range(5))
    assert all(models.load(model_id) for model_id in ids())


@pytest.mark.parametrize("killed_at", ["a0.onnx", "a0.rows", "registry.json"])
def test_a_kill_at_any_write_leaves_the_old_registry_and_its_models(own: Path, killed_at: str) -> None:
    old = build.network(mean=build.means() - 1)
    build.register(own, "a0", old)
    before = (own / "registry.json").read_bytes()
    # The new a0 has another content, so its name has the hash in it.
    new = f"a0-{hashlib.sha256(build.network()).hexdigest()[:8]}.onnx"
    process = start(own, "a", new if killed_at == "a0.onnx" else killed_at)
    assert process.wait(60) == -signal.SIGKILL
    assert (own / "registry.json").read_bytes() == before and models.load("a0")[1] == old
    assert (own / new).exists() is (killed_at != "a0.onnx"), "files come before the registry"
    assert build.register(own, "a0").file == new, "the next one is not in its way"
    assert models.load("a0")[1] == build.network()
