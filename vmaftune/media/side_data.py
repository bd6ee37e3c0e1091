"""Names of the data that come with a picture, by whichever PyAV is installed."""

from __future__ import annotations

from typing import Any


def side_data_names(frame: Any) -> frozenset[str]:
    """ffmpeg's names, such as ``MASTERING_DISPLAY_METADATA``, of a decoded frame's side data.

    PyAV to 18 gives an enumeration, which raises ValueError for a kind that it does not know (the views of spatial video), even
    where others are beside it; a type may also be a number or an enumeration of another kind. What has no name is left out.
    """
    try:
        return frozenset(filter(None, (_name(item) for item in frame.side_data)))
    except (ValueError, KeyError, AttributeError):  # then PyAV shows none of them
        return frozenset()


def _name(item: Any) -> str | None:
    try:
        kind = item.type
    except (ValueError, AttributeError):
        return None
    name = getattr(kind, "name", kind)
    return name.upper() if isinstance(name, str) else None
