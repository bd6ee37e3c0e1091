"""Files of numpy arrays (``.npz``), read without trust in what they hold."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from vmaftune.state.regular import read_regular

_LARGEST_BYTES = 2**31


def read_arrays(file: Path | bytes) -> dict[str, np.ndarray[Any, Any]]:
    """All arrays of a file, by name.

    Args:
        file: its path, or its content.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is no whole file of arrays.
    """
    content = read_regular(file, _LARGEST_BYTES) if isinstance(file, Path) else file
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return dict(stored)
    except Exception as error:  # of zipfile, zlib, struct, numpy's reader of headers; MemoryError where a size rotted
        raise ValueError(f"cannot be read ({error})") from error
