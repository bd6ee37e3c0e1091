"""Where a CRF is in the range of its encoder, so that what is learned of one encoder has the same measure as of another."""

from __future__ import annotations

from vmaftune.contract.curves import FloatArray
from vmaftune.contract.encoders import EncoderSpec


def crf_positions(spec: EncoderSpec, crfs: FloatArray) -> FloatArray:
    """Place of each CRF within the encoder's search range: 0 at its best end, 1 at its coarsest; shape as ``crfs``."""
    low, high = spec.search_range
    position = (crfs - low) / (high - low)
    return 1.0 - position if spec.higher_is_better else position
