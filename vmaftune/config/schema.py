"""What may stand in a configuration file. Names are those of the command line's options."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Percent = Annotated[float, msgspec.Meta(gt=0.0, le=100000.0)]
Vmaf = Annotated[float, msgspec.Meta(gt=0.0, le=100.0)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Seconds = Annotated[float, msgspec.Meta(ge=0.0, le=86400.0)]
Pool = Annotated[
    str,
    msgspec.Meta(
        pattern="^(mean|harmonic_mean|min|p([0-9]{1,2}|100))$",
        description='"mean", "harmonic_mean", "min" or "pN" (a percentile, such as "p5")',
    ),
]
Scale = Annotated[
    str,
    msgspec.Meta(
        pattern="^(auto|none|[0-9]{2,5}x[0-9]{2,5})$",
        description='"auto", "none" or "WIDTHxHEIGHT", such as "1920x1080"',
    ),
]


class SearchTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """``[search]``: defaults for the options of the same name; None leaves them to vmaf-tune."""

    encoder: str | None = None
    preset: str | None = None
    metric: str | None = None
    min_score: float | None = None
    min_vmaf: Vmaf | None = None
    min_xpsnr: float | None = None
    tolerance: Annotated[float, msgspec.Meta(ge=0.0, le=20.0)] | None = None
    max_encoded_percent: Percent | None = None
    min_crf: float | None = None
    max_crf: float | None = None
    crf_increment: Annotated[float, msgspec.Meta(ge=0.01)] | None = None
    max_probes: Count | None = None
    explore: bool | None = None
    samples: Count | None = None
    sample_every: Annotated[float, msgspec.Meta(gt=0.0)] | None = None
    sample_duration: Seconds | None = None
    min_samples: Count | None = None
    video_stream: Annotated[int, msgspec.Meta(ge=0, le=1000)] | None = None
    pool: Pool | None = None
    vmaf_model: str | None = None
    vmaf_generation: Literal["v0", "v1"] | None = None
    vmaf_scale: Scale | None = None
    vmaf_threads: Count | None = None
    pix_format: str | None = None
    vfilter: str | None = None
    safe: bool | None = None
    predictor: str | None = None
    strict_plugins: bool | None = None
    cache: bool | None = None
    ffmpeg: str | None = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file: ``[search]``, and ``[plugins.NAME]`` with ``enabled`` and what the plugin itself takes."""

    search: SearchTable = SearchTable()
    plugins: dict[str, dict[str, Any]] = {}
