"""Text of files and of ffmpeg as it may stand on a terminal: what would steer the terminal is escaped."""

from __future__ import annotations

import re

# Control characters (C0 but for tab and line feed, DEL, C1), line separators, characters that turn the direction of what
# stands beside them, and lone surrogates, which Python has in place of bytes that are no UTF-8.
_STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_NO_BYTES = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def printable(text: str) -> str:
    """``text`` with ``\\x1b`` and its like written out; tabs, line feeds and everything that shows stay."""
    return _STEERS.sub(_escaped, text) if _STEERS.search(text) else text


def encodable(text: str) -> str:
    """``text`` without lone surrogates that are no bytes of a file name; nothing else is touched."""
    return _NO_BYTES.sub(_escaped, text) if _NO_BYTES.search(text) else text


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte
        return f"\\x{code - 0xDC00:02x}"
    return found[0].encode("unicode_escape").decode("ascii")
