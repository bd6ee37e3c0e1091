"""Which features there are, their units, and the fixed scale on which learners see them."""

from __future__ import annotations

import msgspec
import numpy as np

SCHEMA_VERSION = 2
"""Raised whenever a feature is added, dropped or measured in another way; learned state of another version is not used."""


class FeatureScale(msgspec.Struct, frozen=True):
    """Typical centre and spread of a feature over ordinary video; constants, so that nothing learned hangs on them."""

    centre: float
    spread: float


FEATURES: dict[str, FeatureScale] = {
    # log2 of width x height, pixels
    "log2_pixels": FeatureScale(19.5, 1.3),
    # frames per second
    "fps": FeatureScale(30.0, 10.0),
    # bits per component
    "bit_depth": FeatureScale(8.0, 2.0),
    # log2 of the source's own bits per pixel
    "log2_bits_per_pixel": FeatureScale(-3.5, 1.5),
    # share of the source's bytes that is in key frames, 0 to 1
    "keyframe_byte_share": FeatureScale(0.2, 0.2),
    # standard deviation over mean of the source's packet sizes
    "packet_size_variation": FeatureScale(1.2, 0.8),
    # spatial information (ITU-T P.910) at 480 pixels of width: mean over frames
    "si_mean": FeatureScale(75.0, 35.0),
    # temporal information (ITU-T P.910) at 480 pixels of width: mean over pairs of frames
    "ti_mean": FeatureScale(11.0, 9.0),
    # the same, standard deviation over pairs
    "ti_spread": FeatureScale(4.0, 3.5),
    # signalstats: mean luma, 0 to 255
    "luma_mean": FeatureScale(108.0, 40.0),
    # signalstats: difference of the 90th and 10th percentile of luma, 0 to 255
    "luma_range": FeatureScale(115.0, 45.0),
    # signalstats: mean saturation, 0 to 181
    "saturation_mean": FeatureScale(15.0, 11.0),
    # signalstats: mean absolute luma difference of consecutive frames, 0 to 255
    "luma_difference": FeatureScale(4.5, 5.0),
    # signalstats: share of pixels that are temporal outliers (noise), 0 to 1
    "temporal_outliers": FeatureScale(0.003, 0.006),
    # the pilots (vmaftune.features.pilot) at their finer and coarser CRF: VMAF at half size, 0 to 100
    "pilot_vmaf_fine": FeatureScale(93.0, 5.0),
    "pilot_vmaf_coarse": FeatureScale(80.0, 11.0),
    # luma PSNR of the pilots in dB
    "pilot_psnr_fine": FeatureScale(43.0, 4.0),
    "pilot_psnr_coarse": FeatureScale(38.0, 4.0),
    # log2 of the pilots' bits per pixel
    "pilot_log2_bits_per_pixel_fine": FeatureScale(-3.5, 1.5),
    "pilot_log2_bits_per_pixel_coarse": FeatureScale(-5.0, 1.5),
}

NAMES: tuple[str, ...] = tuple(FEATURES)


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """Features of one source.

    Attributes:
        schema: SCHEMA_VERSION they were measured under.
        values: in the order of NAMES, in the units stated there; shape (len(NAMES),).
    """

    schema: int
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.schema == SCHEMA_VERSION and len(self.values) != len(NAMES):
            raise ValueError(f"{len(self.values)} values where schema {SCHEMA_VERSION} has {len(NAMES)}")

    def __getitem__(self, name: str) -> float:
        return self.values[NAMES.index(name)]

    def scaled(self) -> np.ndarray:
        """Features on their fixed scale, clipped to four spreads: shape (len(NAMES),), float64, no unit.

        What could not be measured (NaN) counts as ordinary.
        """
        scales = FEATURES.values()
        centred = (np.array(self.values) - [s.centre for s in scales]) / [s.spread for s in scales]
        return np.nan_to_num(np.clip(centred, -4.0, 4.0))
