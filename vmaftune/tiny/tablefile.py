"""A table as one small file: what a training needs when the videos are not there."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from vmaftune.errors import UserError
from vmaftune.media.facts import shown
from vmaftune.models.full_reference import CANONICAL_6
from vmaftune.state import atomic
from vmaftune.state.arrays import read_arrays
from vmaftune.tiny.table import FrameTable

_FORMAT = 1
_MICRO = 1e6
"""libvmaf writes six digits after the point, so that integers of a millionth keep all there is."""


def write_table(table: FrameTable, path: Path) -> None:
    """Write a table whole; the same table gives the same bytes.

    Raises:
        OSError: it could not be written.
    """
    content = io.BytesIO()
    np.savez_compressed(
        content,
        format=np.int32(_FORMAT),
        columns=np.array(CANONICAL_6),
        features=_packed(table.features),
        scores=_packed(table.scores),
        clips=table.clips.astype(np.int32),
        clip_names=np.array(table.clip_names, dtype=np.str_),
        sources=table.sources.astype(np.int32),
        source_names=np.array(table.source_names, dtype=np.str_),
        frames=table.frames.astype(np.int32),
    )
    atomic.write(path, content.getvalue())


def read_table(path: Path) -> FrameTable:
    """Read what write_table wrote.

    Raises:
        UserError: there is no such file, or it is no table.
    """
    try:
        held = read_arrays(path)
        if int(held["format"]) != _FORMAT or tuple(held["columns"]) != CANONICAL_6:
            raise UserError(f"{shown(path)} is a table of another version of vmaf-tune; make it again")
        return FrameTable(
            features=_unpacked(held["features"]),
            scores=_unpacked(held["scores"]),
            clips=held["clips"].astype(np.int64),
            clip_names=tuple(map(str, held["clip_names"])),
            sources=held["sources"].astype(np.int64),
            source_names=tuple(map(str, held["source_names"])),
            frames=held["frames"].astype(np.int64),
        )
    except OSError as error:
        raise UserError(f"cannot open {shown(path)}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{shown(path)} is no table of frames, or a damaged one") from error


def _packed(values: np.ndarray) -> np.ndarray:
    """Column by column, so that neighbours are alike."""
    return np.asfortranarray(np.rint(values * _MICRO).astype(np.int32))


def _unpacked(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values / _MICRO)
