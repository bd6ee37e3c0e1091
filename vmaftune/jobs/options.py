"""The options of every job, in the names of the command line (``--min-vmaf`` is ``min_vmaf``).

An option that is left out, or None, is the configuration's, else vmaf-tune's own default.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, TypeVar, get_type_hints

import msgspec

from vmaftune.errors import UserError
from vmaftune.ffmpeg.program import program_path
from vmaftune.json_text import to_path
from vmaftune.nearest import meant

Job = TypeVar("Job")


class HostOptions(TypedDict, total=False):
    """What a job runs on: configuration file, ffmpeg, cache and its folder."""

    config: Path | None
    ffmpeg: Path | None
    cache: bool | None
    cache_dir: Path | None


class ScoreOptions(HostOptions, total=False):
    """How pictures are compared: by which metric, and for VMAF by which model, or by the models of a generation (``v0``,
    ``v1``). ``pool`` is ``mean``, ``harmonic_mean``, ``min`` or ``pN``."""

    metric: str | None
    vmaf_model: str | None
    vmaf_generation: str | None
    vmaf_scale: str | None
    vmaf_threads: int | None
    pool: str | None


class SourceOptions(TypedDict, total=False):
    """What of a source is used. ``video_stream`` counts its video streams from 0, as ffmpeg's ``0:v:N``; None chooses."""

    video_stream: int | None


class RawOptions(TypedDict, total=False):
    """Geometry of raw video (``.yuv``): pixels, pixel format, frames per second."""

    width: int | None
    height: int | None
    pix_fmt: str | None
    fps: float | None


class ScoreJobOptions(SourceOptions, ScoreOptions, RawOptions, total=False):
    """Options of ``score``. ``distorted_stream`` is to the distorted file what ``video_stream`` is to the reference."""

    distorted_stream: int | None


class PluginOptions(TypedDict, total=False):
    """Plugins switched on and off by name, the predictor and its model."""

    plugins: Sequence[str]
    no_plugins: Sequence[str]
    predictor: str | None
    model: str | None
    strict_plugins: bool | None


class EncodeChoice(TypedDict, total=False):
    """How the video is encoded; ``enc`` holds further ``KEY=VALUE`` options of ffmpeg. ``safe`` refuses filters and options
    that are not known to name no file (vmaftune.encoders.safe)."""

    encoder: str | None
    preset: str | None
    pix_format: str | None
    vfilter: str | None
    enc: Sequence[str]
    safe: bool | None


class SampleOptions(TypedDict, total=False):
    """Which spans are encoded and scored; times in seconds."""

    samples: int | None
    sample_every: float | None
    sample_duration: float | None
    min_samples: int | None


class RangeOptions(TypedDict, total=False):
    """The CRF grid."""

    min_crf: float | None
    max_crf: float | None
    crf_increment: float | None


class PredictOptions(
    SourceOptions, EncodeChoice, RangeOptions, SampleOptions, PluginOptions, ScoreOptions, total=False
):
    """Options of ``predict``."""


class GoalOptions(TypedDict, total=False):
    """What is searched for: a score, how much better is good enough, percent of the source's video, trial encodes at most.

    The score is of ``metric``; ``min_vmaf`` and ``min_xpsnr`` name the metric and its score at once.
    """

    min_score: float | None
    min_vmaf: float | None
    min_xpsnr: float | None
    tolerance: float | None
    max_encoded_percent: float | None
    max_probes: int | None
    explore: bool | None


class SearchOptions(PredictOptions, GoalOptions, total=False):
    """Options of ``crf-search``."""


class EncodeOptions(SearchOptions, total=False):
    """Options of ``encode``: those of the search that it begins with, and

    Keys:
        crf: to encode at, without a search.
        acodec: ffmpeg's name of the encoder for audio; None copies it.
        overwrite: replace an output that is there. Default False.
        resume: an output that was made of this source with these settings, and not changed since, is the result. Default False.
        verify: decode the output to its end and compare the number and times of its frames with the source's. Default True.
        final_score: measure the score of the whole output, and let the plugins learn from it. Default False.
        per_shot: give each shot a CRF of its own, so that the mean score reaches the target at least size. Default False.
        shot_floor: score that no shot is to be below then. Default 6 VMAF, or as much of another metric, below the target.
        compare_one_crf: find out besides how large one CRF for the whole is at the same score. Default False.
    """

    crf: float | None
    acodec: str | None
    overwrite: bool
    resume: bool
    verify: bool
    final_score: bool
    per_shot: bool
    shot_floor: float | None
    compare_one_crf: bool


def checked(options: Mapping[str, Any], kind: type[Job]) -> Job:
    """``options`` if they are all of ``kind`` and of the right types; numbers must be finite.

    Raises:
        UserError: one is not.
    """
    names = sorted(get_type_hints(kind))
    for name in options:
        if name not in names:
            raise UserError(f"there is no option {name!r}; there is: {', '.join(names)}{meant(name, names)}")
        if isinstance(options[name], float) and not math.isfinite(options[name]):
            raise UserError(f"option {name} is not a finite number")
    given = dict(options)
    if isinstance(given.get("ffmpeg"), str):
        given["ffmpeg"] = program_path(given["ffmpeg"])
    try:
        return msgspec.convert(given, kind, dec_hook=to_path)
    except msgspec.ValidationError as error:
        raise UserError(f"an option is wrong: {error}") from error
