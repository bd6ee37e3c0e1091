"""File names are data: how a path is written so that ffmpeg reads it as that plain file and nothing else.

Source: ffmpeg-filters(1), "Notes on filtergraph escaping", and ffmpeg-protocols(1), "file".
"""

from __future__ import annotations

from pathlib import Path


def file_url(path: Path) -> str:
    """A path as an ffmpeg argument.

    The ``file:`` protocol prefix keeps a leading ``-`` from being read as an option and a ``concat:`` or ``http:``
    from being read as another protocol.
    """
    return f"file:{path.absolute()}"


def filter_value(text: str) -> str:
    """A value of one filter option inside a filter graph: option level first, graph level second."""
    return _escaped(_escaped(text, "\\':"), "\\'[],;")


def nested_value(text: str) -> str:
    """A value inside a ``key=value:key=value`` string that is itself the value of a filter option.

    libvmaf's ``model`` option is such a string, so it needs one level of escaping more. It has no escape for ``|``, which
    parts one model from the next.
    """
    return _escaped(text, "\\':=")


def _escaped(text: str, special: str) -> str:
    """White space too: at the ends of a value it would be dropped."""
    return "".join(f"\\{char}" if char in special or char in " \t\r\n" else char for char in text)
