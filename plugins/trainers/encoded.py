"""A sample as the learner holds it: one row of float32, the source's features and the place on the network's curves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from vmaftune.contract import Unsupported
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.features import NAMES
from vmaftune.models.choice import curve_weights, knot_range
from vmaftune.models.predictor import Contract

Rows = npt.NDArray[np.float32]

SOURCE_FEATURES = next(place for place, name in enumerate(NAMES) if name.startswith("pilot"))
"""The features up to here are the same for every encoder, so they tell sources apart."""

BEYOND = 5
FIRST, SECOND, SHARE, PLACE, SCORE = range(-BEYOND, 0)
"""Columns after the features: two curves and the share of the second, place among the knots (0 to K - 1), VMAF."""

_PARTS = 1 << 32


class LeftOut(ValueError):
    """A sample that is not learned from; the text says why, in a few words that do not depend on the sample."""


class Encoding:
    """Makes rows for one network.

    Args:
        contract: the network's.
        encoders: by name, for the order of their presets.
    """

    def __init__(self, contract: Contract, encoders: Mapping[str, EncoderSpec]) -> None:
        self._contract, self._encoders = contract, encoders
        self._known: dict[tuple[str, str | None], tuple[int, int, float, float, float]] = {}

    @property
    def width(self) -> int:
        """Columns of a row."""
        return len(self._contract.features) + BEYOND

    def row(self, encoder: str, preset: str | None, crf: float, features: Sequence[float], score: float) -> Rows:
        """The row of one score, shape (width,).

        Raises:
            LeftOut: encoder or preset were not trained on, or a value is none that can be learned from.
        """
        first, second, share, low, high = self._curve(encoder, preset)
        if len(features) != len(self._contract.features):
            raise LeftOut("other features")
        if not low <= crf <= high:
            raise LeftOut("CRF beyond the curve")
        if not 0.0 <= score <= 100.0:
            raise LeftOut("score not 0 to 100")
        place = (crf - low) / (high - low) * (self._contract.knots - 1)
        with np.errstate(over="ignore"):
            row = np.array([*features, first, second, share, place, score], dtype=np.float32)
        row += 0.0  # one zero: by its sign, a source would be two
        if not np.isfinite(row).all():
            raise LeftOut("a feature that is no number")
        return row

    def _curve(self, encoder: str, preset: str | None) -> tuple[int, int, float, float, float]:
        """Two curves, the share of the second, CRFs of the first and last knot."""
        key = (encoder, preset)
        if key not in self._known:
            spec = self._encoders.get(encoder)
            if spec is None:
                raise LeftOut("unknown encoder")
            try:
                weights, _ = curve_weights(self._contract, spec, preset)
            except Unsupported:
                raise LeftOut("untrained encoder or preset") from None
            used = np.flatnonzero(weights)
            first, second = int(used[0]), int(used[-1])
            share = 0.0 if first == second else float(weights[second])
            self._known[key] = (first, second, share, *knot_range(self._contract, weights))
        return self._known[key]


def source_of(row: Rows) -> bytes:
    """What the rows of one source, and no others, have in common."""
    return row[:SOURCE_FEATURES].tobytes()


def is_held_out(source: bytes, share: float) -> bool:
    """Whether a source belongs to the share that is never trained on: a matter of its hash, so it is for all time."""
    digest = hashlib.blake2b(source, digest_size=4).digest()
    return int.from_bytes(digest, "big") < share * _PARTS
