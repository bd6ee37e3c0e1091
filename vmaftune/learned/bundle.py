"""A bundle: what corrections learned on one host, without anything that names it or a source, signed, for other hosts.

One JSON object. What is signed is its canonical form: all but the signature, keys sorted, no spaces.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.errors import UserError
from vmaftune.learned.allowed import Census, census, check_version
from vmaftune.learned.key import SigningKey, verified
from vmaftune.state.regular import read_regular

FORMAT = "vmaf-tune learned state"
VERSION = 1
_LARGEST_BYTES = 16 * 2**20
_MOST_VALUES = 2_000_000
"""Decoded, they take some 200 MB. The 2,000 captures that a state holds at most are 30,000."""

_END = re.compile(
    rb'"format":"(?P<format>[^"]*)","plugin":"[^"]*","public_key":"(?P<key>[^"]*)"'
    rb'(?P<field>,"signature":"(?P<signature>[^"]*)"),"version":(?P<version>\d{1,9})\}\Z'
)
"""How the canonical form ends. Without the field of the signature, the whole is what was signed."""

_LONGEST_END = 1024


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
        content = msgspec.json.format(read_regular(path, _LARGEST_BYTES), indent=-1)  # white space is no change
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is no bundle of vmaf-tune sidecar export: {error}") from error
    end = _END.search(content, max(0, len(content) - _LONGEST_END))
    if end is None or end["format"] != FORMAT.encode():
        raise UserError(f"{path} is no bundle of vmaf-tune sidecar export")
    if end["version"] != str(VERSION).encode():
        version = end["version"].decode()
        raise UserError(f"{path} is a bundle of version {version}, this vmaf-tune reads {VERSION}: upgrade it")
    # Checked before it is decoded: what somebody changed costs no more than a hash of it.
    public_key, signature = _bytes(end["key"]), _bytes(end["signature"])
    if not verified(public_key, signature, content[: end.start("field")] + content[end.end("field") :]):
        raise UserError(f"{path}: the signature does not fit: it was changed after it was signed; ask for it again")
    if content.count(b",") + content.count(b"[") + content.count(b"{") > _MOST_VALUES:
        raise UserError(f"{path} holds more values than any bundle")
    try:
        bundle = msgspec.json.decode(content, type=Bundle)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is no bundle of vmaf-tune sidecar export: {error}") from error
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


def _bytes(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
