"""Rows that were never measured."""

from __future__ import annotations

from typing import Any

from vmaftune.contract.features import FEATURES, SCHEMA_VERSION
from vmaftune.corpus.rows import CorpusRow


def made_row(**changes: Any) -> CorpusRow:
    """An ordinary row, with what a test changes of it."""
    values: dict[str, Any] = {
        "source": "film",
        "kind": "animation",
        "encoder": "libx264",
        "preset": "medium",
        "crf": 24.0,
        "features": tuple(scale.centre for scale in FEATURES.values()),
        "feature_schema": SCHEMA_VERSION,
        "vmaf_mean": 90.0,
        "vmaf_harmonic_mean": 89.0,
        "vmaf_min": 80.0,
        "vmaf_p5": 85.0,
        "bitrate_kbps": 1000.0,
        "frames": 48,
        "probe_seconds": 2.0,
        "width": 1280,
        "height": 720,
        "ffmpeg": "n9.0.2-17-g2a571b6068",
        "vmaf_model": "vmaf_v0.6.1",
    }
    return CorpusRow(**{**values, **changes})
