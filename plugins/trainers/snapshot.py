"""What a learner needs to go on where it was, as one ``.npz`` file."""

from __future__ import annotations

import io
import json
from typing import Any

import msgspec
import numpy as np

from vmaftune.state.arrays import read_arrays

_FACTS = "progress"
_RANDOM = "random"


class Progress(msgspec.Struct, kw_only=True):
    """How far a learner is.

    Attributes:
        base: version of the model that training began with.
        optimiser: whose state is in the snapshot.
        taken: samples taken in, those left out among them; ``used`` without those.
        left_out: samples that were not learned from, by reason.
        trained_to: number of the buffer's row that training has come to.
        loss: of the last steps, smoothed, in VMAF.
        trained_unix_seconds: when the last step ended.
        checked_unix_seconds: when the last checkpoint was made, or waiting for the first began.
        used_at_checkpoint: ``used`` at the last checkpoint.
        published_step: step of the last checkpoint, and ``last_number`` its number, which is never given again.
    """

    base: str
    optimiser: str
    taken: int = 0
    used: int = 0
    left_out: dict[str, int] = {}
    trained_to: int = 0
    loss: float | None = None
    trained_unix_seconds: float | None = None
    checked_unix_seconds: float | None = None
    used_at_checkpoint: int = 0
    published_step: int = 0
    last_number: int = 0

    def leave_out(self, why: str) -> None:
        """Count a sample that is not learned from."""
        self.left_out[why] = self.left_out.get(why, 0) + 1


def packed(progress: Progress, random: np.random.Generator, parts: dict[str, dict[str, np.ndarray]]) -> bytes:
    """The content of the file.

    Args:
        parts: arrays by name of each part, such as a buffer's.
    """
    texts = {_FACTS: msgspec.json.encode(progress), _RANDOM: json.dumps(random.bit_generator.state).encode()}
    arrays = {name: np.frombuffer(text, dtype=np.uint8) for name, text in texts.items()}
    for part, state in parts.items():
        arrays |= {f"{part}.{name}": value for name, value in state.items()}
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def unpacked(content: bytes) -> tuple[Progress, np.random.Generator, dict[str, dict[str, Any]]]:
    """What was packed.

    Raises:
        ValueError: it is no such file.
    """
    try:
        arrays = read_arrays(content)
        progress = msgspec.json.decode(arrays.pop(_FACTS).tobytes(), type=Progress)
        random = np.random.default_rng()
        random.bit_generator.state = json.loads(arrays.pop(_RANDOM).tobytes())
        parts: dict[str, dict[str, Any]] = {}
        for name, value in arrays.items():
            part, _, own = name.partition(".")
            parts.setdefault(part, {})[own] = value
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise ValueError(f"cannot be read ({error})") from error
    return progress, random, parts
