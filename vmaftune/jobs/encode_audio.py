"""Loudspeakers of audio that is encoded: the layouts that encoders take."""

from __future__ import annotations

from typing import Any

_VORBIS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
_TO_EIGHT = (
    *("2.1", "3.0(back)", "4.0", "quad(side)", "3.1", "5.0(side)", "4.1", "5.1(side)", "6.0", "6.0(front)"),
    *("hexagonal", "6.1(back)", "6.1(front)", "7.0", "7.0(front)", "7.1(wide)", "7.1(wide-side)", "5.1.2(back)"),
    "octagonal",
)
_NOT_FLAC = ("2.1", "3.0(back)", "4.0", "3.1", "4.1", "6.0", "6.0(front)", "hexagonal")
_TAKEN = {
    # These two end with an error, or put channels to other loudspeakers, where the layout is not one of Vorbis's.
    "libopus": _VORBIS,
    "libvorbis": _VORBIS,
    "aac": (*_VORBIS, *_TO_EIGHT),  # ends with an error otherwise
    # Ends with an error above eight channels, and calls those of other layouts wrongly.
    "flac": (*_VORBIS, *(layout for layout in _TO_EIGHT if layout not in _NOT_FLAC), "5.1.2", "cube", "downmix"),
}
"""Layouts that an encoder takes, for those whose wrapper does not tell ffmpeg, which then converts by itself."""

_NEAREST = {
    **{"quad(side)": "quad", "5.0(side)": "5.0", "5.1(side)": "5.1", "2.1": "5.1", "3.1": "5.1", "7.0": "7.1"},
    **dict.fromkeys(("3.0(back)", "4.0", "4.1", "6.0", "hexagonal", "6.1(back)"), "6.1"),
}
"""The smallest of Vorbis's layouts in which each channel has a place, beside or behind; ffmpeg mixes what else there is."""


def layout_filter(encoder: str, context: Any) -> str | None:
    """The filter that brings sound to a layout that ``encoder`` takes, the nearest one; None where it needs none.

    Args:
        encoder: ffmpeg's name of it.
        context: PyAV's codec context of the stream; None where it has none.
    """
    taken = _TAKEN.get(encoder)
    if taken is None or context is None or context.layout.name in taken:
        return None
    return f"aformat=channel_layouts={_NEAREST.get(context.layout.name, '|'.join(_VORBIS))}"
