"""The state of a training that was stopped half way."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch

from vmaftune.state import atomic
from vmaftune.state.arrays import read_arrays

_LEAST_SECONDS = 5.0
_LARGEST_SHARE = 0.05


class Checkpoint:
    """One file, written whole every few seconds.

    Args:
        path: of the file; None keeps nothing.
        training: all that decides what the training gives; a file of another one is not gone on from.
    """

    def __init__(self, path: Path | None, training: object) -> None:
        self._path = path
        whole = msgspec.msgpack.encode([str(torch.__version__), training])
        self._digest = np.frombuffer(hashlib.sha256(whole).digest(), dtype=np.uint8)
        self._next = time.monotonic() + _LEAST_SECONDS

    def resume(self, states: Sequence[Sequence[torch.Tensor]]) -> int:
        """Copy the state that was kept into ``states``; returns how many epochs are done, 0 where nothing fits."""
        if self._path is None or not self._path.is_file():
            return 0
        try:
            held = read_arrays(self._path)
            if not np.array_equal(held["digest"], self._digest):
                return 0
            places = [tensor for state in states for tensor in state]
            values = [torch.from_numpy(held[str(n)]) for n in range(len(places))]
            epoch = int(held["epoch"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0  # what cannot be read is begun anew
        if any(value.shape != place.shape for value, place in zip(values, places, strict=True)):
            return 0
        with torch.no_grad():
            for place, value in zip(places, values, strict=True):
                place.copy_(value)
        return epoch

    def keep(self, epoch: int, states: Sequence[Sequence[torch.Tensor]], *, last: bool) -> None:
        """Write the state after ``epoch`` epochs, unless that was done a moment ago."""
        began = time.monotonic()
        if self._path is None or (began < self._next and not last):
            return
        content = io.BytesIO()
        tensors = [tensor.detach().numpy() for state in states for tensor in state]
        named = {str(n): tensor for n, tensor in enumerate(tensors)}
        np.savez(content, epoch=np.int64(epoch), digest=self._digest, **named)
        atomic.write(self._path, content.getvalue())
        ended = time.monotonic()
        self._next = ended + max(_LEAST_SECONDS, (ended - began) / _LARGEST_SHARE)
