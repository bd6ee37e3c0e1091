"""A media file opened for reading, by whichever PyAV is installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av

from vmaftune.escape import file_url

# From PyAV 19 on, tags that are no UTF-8 keep their bytes as lone surrogates; before, it had to be told what to do.
_TOLERANT: dict[str, Any] = {} if int(av.__version__.partition(".")[0]) >= 19 else {"metadata_errors": "replace"}


def open_media(path: Path, options: Mapping[str, str] | None = None) -> av.container.InputContainer:
    """Open a file; tags that are no UTF-8 do not stop it.

    Args:
        options: of ffmpeg's demuxer.

    Raises:
        av.error.FFmpegError: it is no media file, or it cannot be read.
    """
    opened: av.container.InputContainer = av.open(file_url(path), options=dict(options or {}), **_TOLERANT)
    return opened
