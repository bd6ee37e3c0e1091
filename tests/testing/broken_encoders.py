"""Encoders that break their contract: for each check at least one that fails it, and no other."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from tests.testing import faults
from vmaftune.contract import EncoderSpec

NOT_IN_FFMPEG = EncoderSpec(name="an_encoder_of_nobody", presets=("slow", "fast"), default_preset="fast")


def spec(base: EncoderSpec = NOT_IN_FFMPEG, **changes: Any) -> EncoderSpec:
    return msgspec.structs.replace(base, **changes)


X264 = spec(faults.ENCODERS["libx264"], default_preset="ultrafast")

GOOD = [NOT_IN_FFMPEG, X264]
BROKEN = [
    ("ranges_give_a_grid", spec(search_range=(40.0, 20.0))),
    ("ranges_give_a_grid", spec(search_range=(20.0, 60.0))),
    ("ranges_give_a_grid", spec(search_range=(20.0, 20.0))),
    ("ranges_give_a_grid", spec(search_range=(20.0, math.nan))),
    ("ranges_give_a_grid", spec(step=0.0)),
    ("ranges_give_a_grid", spec(step=40.0)),
    ("presets_are_consistent", spec(default_preset="fastest")),
    ("presets_are_consistent", spec(preset_option=None)),
    ("presets_are_consistent", spec(presets=("fast", "fast"))),
    ("quality_options_take_the_crf", spec(quality_options=())),
    ("quality_options_take_the_crf", spec(quality_options=(("-crf", "30"),))),
    ("quality_options_take_the_crf", spec(quality_options=(("crf", "{}"),))),
    ("pixel_formats_are_consistent", spec(pix_fmts=())),
    ("pixel_formats_are_consistent", spec(default_pix_fmt="yuv999p")),
    ("pixel_formats_are_consistent", spec(upload_filter="hwupload")),
    ("cost_is_positive", spec(encode_cost=0.0)),
    ("pilot_is_known", spec(pilot_family="vvc")),
    ("pilot_is_known", spec(crfs_per_pilot_crf=0.0)),
    ("side_data_is_known", spec(keeps=(("SUBTITLES", ""),))),
    ("side_data_is_known", spec(keeps=(("DOVI_METADATA", ""), ("DOVI_METADATA", "--enc it=1 keeps it")))),
    ("ffmpeg_writes_its_codec", spec(X264, codec="hevc")),
    ("pieces_can_be_joined", spec(X264, piece_arguments=())),
    ("ffmpeg_encodes_with_it", spec(X264, higher_is_better=True)),
    (
        "ffmpeg_encodes_with_it",
        spec(X264, codec=None, piece_arguments=None, quality_options=(("-no_such_option", "{}"),)),
    ),
]
