"""What ffmpeg says of damaged video while it goes on: decoders report it, fill the holes, and the run ends well."""

from __future__ import annotations

import re
from collections.abc import Iterable

import av.codec

# [h264 @ 0x55] [error] …, or [vist#0:0/h264 @ 0x55] [dec:h264 @ 0x56] [error] …
_ERROR = re.compile(
    r"^\[(?:[vad]ist#\S+|(?:dec:)?(?P<name>[\w-]+)) @ [^\]]*\] (?:\[[^\]]*\] )*\[(?:error|fatal)\] (?P<text>.*)"
)

_OF_JOINING = re.compile(r"mmco:|reference (picture|frame)|Could not find ref|co located POCs|recovery", re.IGNORECASE)


def damage_of(lines: Iterable[str], *, joined: bool = False) -> str:
    """The first error of a decoder among ffmpeg's lines, as ``h264: error while decoding MB 5 0``; empty without one.

    Args:
        joined: the video was joined in its midst, where decoders miss references that no shown picture needs.
    """
    for line in lines:
        found = _ERROR.match(line)
        if found is None or (joined and _OF_JOINING.search(found["text"])):
            continue
        if found["name"] is None or _is_decoder(found["name"]):
            return f"{found['name'] or 'decoder'}: {found['text']}"
    return ""


def _is_decoder(name: str) -> bool:
    """Of video: an encoder of sound may have the name of its decoder, and complains under it of other things."""
    try:
        return av.codec.Codec(name, "r").type == "video"
    except av.codec.codec.UnknownCodecError:
        return False
