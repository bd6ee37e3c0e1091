"""The two registries: the one that vmaf-tune ships, which is only read, and the user's own."""

from __future__ import annotations

import hashlib
import importlib.resources
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from vmaftune.errors import UserError, VmafTuneError
from vmaftune.models.entry import REGISTRY_FILE, ModelEntry, RegisteredModel, decode, encode
from vmaftune.models.stable import LATEST_STABLE, promoted
from vmaftune.nearest import meant
from vmaftune.state import atomic
from vmaftune.state.folders import models_folder
from vmaftune.state.regular import read_regular

_PACKAGE = "vmaftune_models"
_LOCK_FILE = "registry.json.lock"
_LOCK_SECONDS = 20.0
_LARGEST_BYTES = 2**30  # of a file of a model


class UnknownModel(UserError):
    """No registry has a model of that name."""


def entries() -> tuple[RegisteredModel, ...]:
    """All models, those shipped first.

    Raises:
        VmafTuneError: the shipped registry is missing or broken: the installation is not whole.
        UserError: the user's registry is broken, or holds the id of a shipped model.
    """
    shipped = _shipped()
    return (*shipped, *_own(shipped))


def find(model_id: str) -> RegisteredModel:
    """The model of that name. The user's registry is not looked at for a shipped one: what is wrong there harms only itself.

    Args:
        model_id: also ``latest-stable``, which is the model that was promoted last, or the shipped predictor.

    Raises:
        UnknownModel: there is none.
        VmafTuneError, UserError: as of ``entries``.
    """
    shipped = _shipped()
    if model_id == LATEST_STABLE:
        return _stable(shipped)
    found = next((m for m in shipped if m.id == model_id), None)
    if found is not None:
        return found
    own = _own(shipped)
    found = next((m for m in own if m.id == model_id), None)
    if found is None:
        there = [m.id for m in (*shipped, *own)]
        listed = f"{', '.join(there) or 'none'}{meant(model_id, there)}"
        raise UnknownModel(f"no model {model_id!r} is registered; there is: {listed}")
    return found


def load(model_id: str) -> tuple[RegisteredModel, bytes]:
    """A model's entry and its file.

    Raises:
        UnknownModel: there is none of that name.
        VmafTuneError: the file of a shipped model is missing, or not the one that was registered.
        UserError: the same of a model of the user's own.
    """
    model = find(model_id)
    return model, read(model, model.file, model.sha256)


def read(model: RegisteredModel, name: str, sha256: str | None = None) -> bytes:
    """One file of a model.

    Args:
        name: as the entry has it.
        sha256: that it must have; None for a file without one.

    Raises:
        VmafTuneError, UserError: as of ``load``.
    """
    content = _shipped_file(name) if model.origin == "shipped" else _own_file(model, name)
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        differs = f"{name} of model {model.id} is not the file that was registered (sha256 differs)"
        if model.origin == "shipped":
            raise VmafTuneError(f"{differs}; install vmaf-tune anew")
        raise UserError(f"{models_folder()}: {differs}; train or register it again")
    return content


def register(folder: Path, entry: ModelEntry, files: Mapping[str, bytes]) -> ModelEntry:
    """Put a model into the registry of ``folder``, in place of one of the same id. Several processes may do so at once.

    The registry is written last, and no file that it may name is written over: a kill at any time leaves it valid, with
    or without the new model. Files of an entry that is replaced stay, for a run that has just read of them.

    Args:
        folder: of a registry; made when it is not there. Only the one that vmaf-tune ships may hold shipped ids.
        files: content by name: the model itself, its data and its card, as ``entry`` names them.

    Returns:
        The entry as registered: a name that another content has gets the content's hash put in.

    Raises:
        ValueError: ``files`` are not those that ``entry`` names, or not those of its hashes.
        UserError: the registry there is broken, the id is that of a shipped model, or a field of the entry is wrong.
        VmafTuneError: another process kept the registry locked.
        OSError: something could not be written.
    """
    _check_files(entry, files)
    entry = ModelEntry(**{name: getattr(entry, name) for name in ModelEntry.__struct_fields__})
    shipping = folder.resolve() == Path(str(importlib.resources.files(_PACKAGE))).resolve()
    if not shipping:
        _refuse_shipped_ids(folder, [entry], _shipped())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / _LOCK_FILE, timeout=_LOCK_SECONDS):
            # In a source tree, which git guards, names stay as they are.
            names = {name: name if shipping else _free_name(folder, name, files[name]) for name in files}
            card = names[entry.card] if entry.card is not None else None
            entry = msgspec.structs.replace(entry, file=names[entry.file], data=names[entry.data], card=card)
            registered = [other for other in _read_registry(folder) if other.id != entry.id]
            try:
                registry = encode([*registered, entry])
            except ValueError as error:
                raise UserError(f"model {entry.id} cannot be registered: {error}") from error
            for name, content in files.items():
                atomic.write(folder / names[name], content)
            atomic.write(folder / REGISTRY_FILE, registry)
    except Timeout as error:
        raise VmafTuneError(f"{folder}: another process is registering a model there and does not end") from error
    return entry


def forget(folder: Path, model_ids: Collection[str]) -> None:
    """Take models out of the registry of ``folder``, then remove the files that no other model there names.

    A run that has found one of them may still fail to read it.

    Raises:
        UserError: the registry there is broken.
        VmafTuneError: another process kept the registry locked.
        OSError: something could not be written or removed.
    """
    try:
        with FileLock(folder / _LOCK_FILE, timeout=_LOCK_SECONDS):
            there = _read_registry(folder)
            kept = [entry for entry in there if entry.id not in model_ids]
            if len(kept) == len(there):
                return
            atomic.write(folder / REGISTRY_FILE, encode(kept))
            used = {name for entry in kept for name in entry.files}
            for name in {name for entry in there if entry.id in model_ids for name in entry.files} - used:
                (folder / name).unlink(missing_ok=True)
    except Timeout as error:
        raise VmafTuneError(f"{folder}: another process is registering a model there and does not end") from error


def _shipped() -> tuple[RegisteredModel, ...]:
    try:
        models = decode(_shipped_file(REGISTRY_FILE))
    except ValueError as error:
        what = f"{REGISTRY_FILE} of this installation is broken"
        raise VmafTuneError(f"{what}: {error}; install vmaf-tune anew") from error
    return tuple(RegisteredModel(**msgspec.structs.asdict(entry), origin="shipped") for entry in models)


def _stable(shipped: tuple[RegisteredModel, ...]) -> RegisteredModel:
    ids = promoted(models_folder())
    if not ids:
        found = next((m for m in shipped if m.kind == "predictor"), None)
        if found is None:
            raise UnknownModel(
                f"nothing was promoted to {LATEST_STABLE}, and no predictor ships with this installation"
            )
        return found
    try:
        return find(ids[-1])
    except UnknownModel:
        there = f"{LATEST_STABLE} is {ids[-1]}, which is not registered"
        raise UnknownModel(f"{there}; vmaf-tune models promote ID names another") from None


def _own(shipped: tuple[RegisteredModel, ...]) -> tuple[RegisteredModel, ...]:
    folder = models_folder()
    models = _read_registry(folder)
    _refuse_shipped_ids(folder, models, shipped)
    return tuple(RegisteredModel(**msgspec.structs.asdict(entry), origin="own") for entry in models)


def _read_registry(folder: Path) -> tuple[ModelEntry, ...]:
    path = folder / REGISTRY_FILE
    try:
        return decode(read_regular(path))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is no registry of models: {error}; mend it or move it away") from error


def _refuse_shipped_ids(folder: Path, models: Iterable[ModelEntry], shipped: Iterable[ModelEntry]) -> None:
    taken = {model.id for model in shipped}
    if hiding := next((entry.id for entry in models if entry.id in taken), None):
        raise UserError(f"{folder}: {hiding} is the name of a model that vmaf-tune ships; give yours another one")


def _check_files(entry: ModelEntry, files: Mapping[str, bytes]) -> None:
    if set(files) != set(entry.files):
        raise ValueError(f"files are {sorted(files)}, the entry of {entry.id} names {sorted(set(entry.files))}")
    for name, digest in ((entry.file, entry.sha256), (entry.data, entry.data_sha256)):
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise ValueError(f"{name} does not have the sha256 that the entry of {entry.id} gives it")


def _free_name(folder: Path, name: str, content: bytes) -> str:
    """``name``, or one with the content's hash in it when a file of another content has that name."""
    path = folder / name
    if not path.exists() or (path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content):
        return name
    stem, dot, endings = name.partition(".")
    return f"{stem}-{hashlib.sha256(content).hexdigest()[:8]}{dot}{endings}"


def _shipped_file(name: str) -> bytes:
    try:
        return importlib.resources.files(_PACKAGE).joinpath(name).read_bytes()
    except (OSError, ModuleNotFoundError) as error:
        raise VmafTuneError(f"{name} is missing from this installation; install vmaf-tune anew") from error


def _own_file(model: RegisteredModel, name: str) -> bytes:
    path = models_folder() / name
    try:
        return read_regular(path, _LARGEST_BYTES)
    except OSError as error:
        why = f"{path} of model {model.id} cannot be read: {error.strerror}"
        raise UserError(f"{why}; train or register it again") from error
