"""What an encoder is."""

from __future__ import annotations

import msgspec

PILOT_FAMILIES = ("x264", "av1")
"""Encoders whose fast encodes are made to tell of a source: those of x264 and of SVT-AV1."""


class EncoderSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An encoder as plugins yield it from ``vmaftune_encoders``.

    Attributes:
        name: ffmpeg's name, such as ``libx264``.
        quality_options: the options that take the quality value, each with the text that ``{}`` in it becomes part
            of ("CRF" everywhere in this project, also where the encoder calls it QP, CQ or global quality).
        quality_range: least and greatest value that the encoder accepts.
        search_range: least and greatest value that a search tries unless told otherwise.
        step: spacing of the grid of values that are tried.
        higher_is_better: True where a greater value means better quality (VideoToolbox).
        preset_option: option that takes the preset; None where there is none.
        presets: values it takes, fastest or slowest first as the encoder documents them.
        default_preset: the one that is used when none is named; None leaves it to the encoder.
        pix_fmts: pixel formats it takes, the one for 8 bits first.
        default_pix_fmt: format used for ordinary sources of 8 and 10 bits; None keeps the source's. What others have more of
            is kept as far as ``pix_fmts`` go.
        arguments: arguments that always go with it, such as ``-b:v 0``.
        device_arguments: global arguments that open its hardware.
        upload_filter: filter that ends its filter chain, such as ``format={},hwupload``; ``{}`` becomes the pixel format.
        even_size: True where width and height must be even.
        least_side: least width and height in pixels that it takes.
        hardware: True where it needs hardware that this host may lack.
        codec: ffmpeg's name of what it writes, such as ``hevc``; None where nothing hangs on it. HEVC gets the name in .mp4 and
            .mov that Apple's players take.
        pilot_family: whose fast encodes tell most of its curves (PILOT_FAMILIES).
        crfs_per_pilot_crf: how far its CRF has to go for the size to change as by one CRF of its pilot's encoder.
        piece_arguments: with which pieces of a source are encoded so that they can be joined into one video, as ``--per-shot``
            does: their headers say nothing of the CRF. None where pieces cannot be joined.
        keeps: kinds of HDR side data of single frames (``DOVI_METADATA``, ``DYNAMIC_HDR_PLUS``), each with what a person has to
            do so that an encode keeps it; empty where it does by itself. Those that are not here are lost.
        encode_cost: time to encode a pixel at the default preset, where scoring one is 1. It only decides whether exploring
            pays: the dearer the encode, the less is saved by scoring less of it.
    """

    name: str
    quality_options: tuple[tuple[str, str], ...] = (("-crf", "{}"),)
    quality_range: tuple[float, float] = (0.0, 51.0)
    search_range: tuple[float, float] = (10.0, 46.0)
    step: float = 1.0
    higher_is_better: bool = False
    preset_option: str | None = "-preset"
    presets: tuple[str, ...] = ()
    default_preset: str | None = None
    pix_fmts: tuple[str, ...] = ("yuv420p", "yuv420p10le")
    default_pix_fmt: str | None = None
    arguments: tuple[str, ...] = ()
    device_arguments: tuple[str, ...] = ()
    upload_filter: str | None = None
    even_size: bool = True
    least_side: int = 2
    hardware: bool = False
    codec: str | None = None
    pilot_family: str = "x264"
    crfs_per_pilot_crf: float = 1.0
    piece_arguments: tuple[str, ...] | None = None
    keeps: tuple[tuple[str, str], ...] = ()
    encode_cost: float = 1.0
