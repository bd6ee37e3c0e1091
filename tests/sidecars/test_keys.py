"""Signatures of bundles: keys that anybody can sign for are refused."""

from __future__ import annotations

import pytest

pytest.importorskip("cryptography", reason="bundles are signed with cryptography")
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from vmaftune.learned.key import _PRIME, _SMALL_ORDER, verified

_D = -121665 * pow(121666, -1, _PRIME) % _PRIME


def _doubled(x2: int, y: int) -> tuple[int, int]:
    """x^2 and y of twice a point of -x^2 + y^2 = 1 + d x^2 y^2."""
    product = _D * x2 * y * y % _PRIME
    twice_y = (y * y + x2) * pow(1 - product, -1, _PRIME) % _PRIME
    return _x_squared(twice_y), twice_y


def _x_squared(y: int) -> int:
    return (y * y - 1) * pow(_D * y * y + 1, -1, _PRIME) % _PRIME


@pytest.mark.parametrize("y", sorted(_SMALL_ORDER))
def test_eight_times_each_of_them_is_nothing(y: int) -> None:
    point = (_x_squared(y), y)
    for _ in range(3):
        point = _doubled(*point)
    assert point == (0, 1)


@pytest.mark.parametrize("sign", [0, 1 << 255])
@pytest.mark.parametrize("y", [*sorted(_SMALL_ORDER), _PRIME, _PRIME + 1])
def test_nobody_signs_with_a_key_of_small_order(y: int, sign: int) -> None:
    key = (y | sign).to_bytes(32, "little")
    forged = (1).to_bytes(32, "little") + bytes(32)
    assert not any(verified(key, forged, bytes([number])) for number in range(32))


def test_a_library_alone_takes_some_of_these() -> None:
    forged = (1).to_bytes(32, "little") + bytes(32)
    Ed25519PublicKey.from_public_bytes((1).to_bytes(32, "little")).verify(forged, b"anything")


def test_an_ordinary_key_is_believed() -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    assert verified(public, key.sign(b"content"), b"content") and not verified(public, key.sign(b"other"), b"content")
