"""The models that come with vmaf-tune: a registry with a hash for each, and files that are used only when theirs matches."""

from __future__ import annotations

import hashlib
import importlib.resources

import msgspec

from vmaftune.errors import VmafTuneError

_PACKAGE = "vmaftune_models"


class ModelEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of registry.json.

    Attributes:
        id: name of the model.
        kind: ``population``, ``predictor`` or ``fr``.
        file: within the models' folder.
        sha256: of the file, in hexadecimal.
        encoders: encoders (with presets) it was made for.
        data: file it was made from, and ``data_sha256`` its hash.
        licence: SPDX identifier.
    """

    id: str
    kind: str
    file: str
    sha256: str
    encoders: tuple[str, ...]
    data: str
    data_sha256: str
    licence: str

    @property
    def version(self) -> str:
        """Id and short hash; what learned state is keyed by."""
        return f"{self.id}-{self.sha256[:8]}"


class _Registry(msgspec.Struct, frozen=True):
    schema: int
    models: tuple[ModelEntry, ...]


def entries() -> tuple[ModelEntry, ...]:
    """All entries of the registry.

    Raises:
        VmafTuneError: the registry is missing or broken: the installation is not whole.
    """
    return msgspec.json.decode(_bytes("registry.json"), type=_Registry).models


def load(model_id: str) -> tuple[ModelEntry, bytes]:
    """A model's entry and its file.

    Raises:
        VmafTuneError: there is no such model, or its file is not the one that was registered.
    """
    entry = next((e for e in entries() if e.id == model_id), None)
    if entry is None:
        raise VmafTuneError(f"no model {model_id} in the registry")
    content = _bytes(entry.file)
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise VmafTuneError(
            f"model {model_id} is not the file that was registered (sha256 differs); install vmaf-tune anew"
        )
    return entry, content


def _bytes(name: str) -> bytes:
    try:
        return importlib.resources.files(_PACKAGE).joinpath(name).read_bytes()
    except (OSError, ModuleNotFoundError) as error:
        raise VmafTuneError(f"{name} is missing from this installation; install vmaf-tune anew") from error
