"""A bundle: what corrections learned on one host, without anything that names it or a source, signed, for other hosts.

One JSON object. What is signed is its canonical form: all but the signature, keys sorted, no spaces.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from vmaftune.encoders.spec import EncoderSpec
from vmaftune.errors import UserError
from vmaftune.learned.allowed import Census, census, check_version
from vmaftune.learned.key import SigningKey, verified

FORMAT = "vmaf-tune learned state"
VERSION = 1
_LARGEST_BYTES = 256 * 2**20


class Learned(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was learned of one encoder with one predictor.

    Attributes:
        predictor_version, encoder, captures, sources: as in LearnedState.
        content: as the correction exported it; holds what vmaftune.learned.allowed lets through.
    """

    predictor_version: str
    encoder: str
    captures: int
    sources: int
    content: dict[str, Any]


class Bundle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole file. ``public_key`` and ``signature`` are base64; the signature is empty before there is one."""

    format: str
    version: int
    plugin: str
    contents: list[Learned]
    public_key: str = ""
    signature: str = ""

    @property
    def identity(self) -> str:
        """SHA-256 of what was learned, whoever signed it: so that it counts once."""
        return hashlib.sha256(_canonical([self.plugin, self.contents])).hexdigest()

    @property
    def signed_bytes(self) -> bytes:
        """What the signature is of."""
        fields = msgspec.structs.asdict(self)
        del fields["signature"]
        return _canonical(fields)


def signed(plugin: str, contents: list[Learned], key: SigningKey) -> bytes:
    """The file of a bundle.

    Raises:
        UserError, OSError: the key cannot be used or made.
    """
    public_key = key.public(make=True)
    assert public_key is not None
    bundle = Bundle(
        format=FORMAT,
        version=VERSION,
        plugin=plugin,
        contents=contents,
        public_key=base64.b64encode(public_key).decode(),
    )
    signature = base64.b64encode(key.sign(bundle.signed_bytes)).decode()
    return _canonical(msgspec.structs.replace(bundle, signature=signature)) + b"\n"


def opened(path: Path) -> tuple[Bundle, bytes]:
    """A bundle whose signature is good, and the public key that made it.

    Raises:
        UserError: it cannot be read, is no bundle, or was changed after it was signed.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    if len(content) > _LARGEST_BYTES:
        raise UserError(f"{path} is larger than any bundle")
    try:
        bundle = msgspec.json.decode(content, type=Bundle)
        signed_bytes = bundle.signed_bytes
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{path} is no bundle of vmaf-tune sidecar export: {error}") from error
    if bundle.format != FORMAT:
        raise UserError(f"{path} is no bundle of vmaf-tune sidecar export: its format is {bundle.format!r:.40}")
    if bundle.version != VERSION:
        raise UserError(f"{path} is a bundle of version {bundle.version}, this vmaf-tune reads {VERSION}: upgrade it")
    public_key, signature = _bytes(bundle.public_key), _bytes(bundle.signature)
    if not verified(public_key, signature, signed_bytes):
        raise UserError(f"{path}: the signature does not fit: it was changed after it was signed; ask for it anew")
    return bundle, public_key


def check_contents(contents: list[Learned], encoders: Mapping[str, EncoderSpec]) -> Census:
    """How many values of which field and kind there are.

    Raises:
        ValueError: something may not stand in a bundle.
    """
    counts: Census = Counter()
    for learned in contents:
        check_version(learned.predictor_version)
        spec = encoders.get(learned.encoder)
        if spec is None:
            raise ValueError(f"no encoder {learned.encoder!r:.60} is installed")
        try:
            counts += census(learned.content, learned.predictor_version, spec)
        except ValueError as error:
            raise ValueError(f"{learned.encoder}: {error}") from error
    return counts


def _canonical(value: object) -> bytes:
    return json.dumps(msgspec.to_builtins(value), sort_keys=True, separators=(",", ":")).encode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
