"""The key that signs what this host shares: Ed25519 (RFC 8032), made once, readable by its owner alone."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from vmaftune.errors import UserError
from vmaftune.extras import install_command
from vmaftune.state import atomic

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_LOCK_SECONDS = 20.0
_GROUP = 4
_PRIME = 2**255 - 19
# y of the points of order 1, 2, 4 and 8 (RFC 8032, section 5.1, gives the curve); libraries do not refuse such keys.
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER = frozenset((0, 1, _PRIME - 1, _ORDER_8, _PRIME - _ORDER_8))
_SHOWN = 32


def require_cryptography() -> None:
    """Raise UserError where bundles can neither be signed nor verified."""
    try:
        import cryptography.hazmat.primitives.asymmetric.ed25519  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"bundles are signed with cryptography, which is missing: {install_command('share')}"
        ) from error


class SigningKey:
    """The key of this host.

    Args:
        file: where it is kept.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def public(self, *, make: bool) -> bytes | None:
        """The public part, 32 bytes; None where there is no key yet and none is to be made.

        Raises:
            UserError: the file holds no key.
            OSError: it cannot be read or written.
        """
        if not make and not self._file.exists():
            return None
        public: bytes = self._private().public_key().public_bytes_raw()
        return public

    def sign(self, content: bytes) -> bytes:
        """The signature, 64 bytes; the key is made where there is none. Raises as public."""
        signature: bytes = self._private().sign(content)
        return signature

    def _private(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._file.with_name(f"{self._file.name}.lock"), timeout=_LOCK_SECONDS):
            try:
                return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self._file.read_text("ascii")))
            except FileNotFoundError:
                made = Ed25519PrivateKey.generate()
                atomic.write(self._file, made.private_bytes_raw().hex().encode(), private=True)
                return made
            except ValueError as error:
                raise UserError(f"{self._file} is no key: move it away, and the next export makes a new one") from error


def verified(public_key: bytes, signature: bytes, content: bytes) -> bool:
    """Whether the owner of ``public_key`` signed ``content``. A key of small order has none: anybody can sign for it."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if _has_small_order(public_key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _has_small_order(public_key: bytes) -> bool:
    without_sign = int.from_bytes(public_key, "little") & ((1 << 255) - 1)
    return without_sign % _PRIME in _SMALL_ORDER


def fingerprint(public_key: bytes) -> str:
    """What people compare to know whose key it is: half of its SHA-256 in groups."""
    digest = hashlib.sha256(public_key).hexdigest()[:_SHOWN]
    return "-".join(digest[place : place + _GROUP] for place in range(0, _SHOWN, _GROUP))
