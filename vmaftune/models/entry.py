"""What a registry.json holds: an entry for each model, with the hash that its file must have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from vmaftune.models.stable import LATEST_STABLE, STABLE_FILE

SCHEMA = 1
"""Version of the registry's layout."""

REGISTRY_FILE = "registry.json"

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ModelEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One entry of registry.json. All files are plain names within the folder of the registry.

    Attributes:
        id: name of the model, fit for a folder name.
        kind: ``population`` (a table of curves), ``predictor`` (an ONNX network that gives curves) or ``fr`` (one that
            compares a reference with an encode).
        file: the model itself, and ``sha256`` its hash in hexadecimal.
        encoders: encoders (with presets) it was made for.
        data: file it was made from, and ``data_sha256`` its hash.
        licence: SPDX identifier.
        opset: of ONNX, for the kinds that are ONNX.
        quant_mode: how the weights of a model of kind ``fr`` are kept.
        card: Markdown file that says what the model is, what it was made from, and what it cannot do.
        metrics: figures on held-out sources by name; units are in the names.
        smoke: True where it was made only to see that the making works.
        rejected: why the gate of its trainer did not let it through; empty for all others.

    Raises:
        ValueError: a name or a hash is none.
    """

    id: str
    kind: Literal["population", "predictor", "fr"]
    file: str
    sha256: str
    encoders: tuple[str, ...]
    data: str
    data_sha256: str
    licence: str
    opset: int | None = None
    quant_mode: Literal["fp32"] | None = None
    card: str | None = None
    metrics: dict[str, float] = {}
    smoke: bool = msgspec.field(default_factory=bool)  # a factory's value is always written, so that each entry says it
    rejected: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.id == LATEST_STABLE:
            raise ValueError(f"{LATEST_STABLE} always means another model; give this one a name of its own")
        if not _ID.fullmatch(self.id):
            raise ValueError(f"id {self.id!r} must be letters, digits, '.', '_' and '-', the first a letter or digit")
        for name in self.files:
            if (
                name in ("", ".", "..")
                or name.startswith((REGISTRY_FILE, STABLE_FILE))
                or any(mark in name for mark in "/\\\0")
            ):
                raise ValueError(f"file {name!r} of {self.id} must be a plain file name")
        for digest in (self.sha256, self.data_sha256):
            if not _SHA256.fullmatch(digest):
                raise ValueError(f"{digest!r} of {self.id} is no sha256 of 64 hexadecimal digits")

    @property
    def version(self) -> str:
        """Id and short hash; what learned state is keyed by."""
        return f"{self.id}-{self.sha256[:8]}"

    @property
    def files(self) -> tuple[str, ...]:
        """All files of the model: itself, its data, its card where it has one."""
        return (self.file, self.data, *([self.card] if self.card is not None else []))


class RegisteredModel(ModelEntry, frozen=True, kw_only=True):
    """An entry, and whose it is.

    Attributes:
        origin: ``shipped`` with vmaf-tune, or the user's ``own``.
    """

    origin: Literal["shipped", "own"]


class _Registry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: int
    models: tuple[ModelEntry, ...]


def decode(content: bytes) -> tuple[ModelEntry, ...]:
    """The entries of a registry.json.

    Raises:
        ValueError: it is none; the text says what is wrong with it.
    """
    registry = msgspec.json.decode(content, type=_Registry)
    if registry.schema != SCHEMA:
        raise ValueError(f"its schema is {registry.schema}, this vmaf-tune reads {SCHEMA}")
    ids = [entry.id for entry in registry.models]
    if twice := next((model_id for model_id in ids if ids.count(model_id) > 1), None):
        raise ValueError(f"it holds {twice} twice")
    return registry.models


def encode(models: Iterable[ModelEntry]) -> bytes:
    """A registry.json of these entries that ``decode`` reads again.

    Raises:
        ValueError: it would not, because a field is wrong, such as a metric that is no number.
    """
    registry = _Registry(schema=SCHEMA, models=tuple(models))
    content = msgspec.json.format(msgspec.json.encode(registry), indent=1) + b"\n"
    decode(content)
    return content
