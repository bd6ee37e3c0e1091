"""The encoders that come with vmaf-tune, as one table.

Ranges and presets are those that ``ffmpeg -h encoder=NAME`` and the encoders' own manuals give; search ranges of x264, x265
and SVT-AV1 are ab-av1's, so that results compare. Fractional CRFs are used where the encoder takes them: x264 and x265
any, SVT-AV1 quarters.
"""

from __future__ import annotations

from vmaftune import hookimpl
from vmaftune.contract import EncoderSpec

_X26X_PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"),
)
_NVENC_PRESETS = ("p1", "p2", "p3", "p4", "p5", "p6", "p7")
_QSV_PRESETS = ("veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_AMF_PRESETS = ("speed", "balanced", "quality")
_VAAPI = ("-init_hw_device", "vaapi=va", "-filter_hw_device", "va")
_DEPTHS_420_422_444 = (
    *("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"),
    *("yuv420p10le", "yuv422p10le", "yuv444p10le"),
)
_HARDWARE_COST = 0.1
_IN_MP4 = ", in .mp4 with --enc strict=unofficial too"
_DOLBY = ("DOVI_METADATA", f"--enc dolbyvision=1 keeps it{_IN_MP4}")
_DEPTHS_TO_12 = (
    *("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"),
    *("yuv420p12le", "yuv422p12le", "yuv444p12le"),
)


def _digits(low: int, high: int) -> tuple[str, ...]:
    return tuple(str(n) for n in range(low, high + 1))


_SOFTWARE = (
    EncoderSpec(
        name="libx264",
        step=0.1,
        presets=_X26X_PRESETS,
        default_preset="medium",
        pix_fmts=_DEPTHS_420_422_444,
        codec="h264",
        # A first key frame gets no better quantiser than the frames after it, unlike all later ones: the zone gives it one, by
        # the encoder's own default for those (--ipratio).
        piece_arguments=("-x264-params", "stitchable=1:zones=0,0,b=1.4"),
        encode_cost=2.0,
    ),
    EncoderSpec(
        name="libx265",
        step=0.1,
        presets=_X26X_PRESETS,
        default_preset="medium",
        pix_fmts=(*_DEPTHS_420_422_444, "yuv420p12le", "yuv422p12le", "yuv444p12le"),
        arguments=("-x265-params", "log-level=error"),
        least_side=16,
        codec="hevc",
        piece_arguments=("-x265-params", "info=0"),
        keeps=(
            ("DOVI_METADATA", f"--enc dolbyvision=1 --enc maxrate=RATE --enc bufsize=RATE keeps it{_IN_MP4}"),
            (
                "DYNAMIC_HDR_PLUS",
                "--enc x265-params=dhdr10-info=FILE keeps it, where FILE is the JSON that hdr10plus_tool extracts from the"
                " source",
            ),
        ),
        encode_cost=4.5,
    ),
    EncoderSpec(
        name="libsvtav1",
        # ffmpeg's own -crf takes whole numbers up to 63 only; the encoder takes quarters up to 70.
        quality_options=(("-svtav1-params", "crf={}"),),
        quality_range=(1.0, 70.0),
        search_range=(5.0, 70.0),
        step=0.25,
        presets=_digits(-2, 13),
        default_preset="8",
        default_pix_fmt="yuv420p10le",
        least_side=4,
        encode_cost=0.9,
        codec="av1",
        pilot_family="av1",
        piece_arguments=(),
        keeps=(_DOLBY,),
    ),
    EncoderSpec(
        name="libaom-av1",
        quality_range=(0.0, 63.0),
        search_range=(10.0, 55.0),
        preset_option="-cpu-used",
        presets=_digits(0, 8),
        default_preset="6",
        default_pix_fmt="yuv420p10le",
        pix_fmts=_DEPTHS_TO_12,
        arguments=("-b:v", "0", "-row-mt", "1"),
        even_size=False,
        codec="av1",
        pilot_family="av1",
        piece_arguments=(),
        keeps=(_DOLBY, ("DYNAMIC_HDR_PLUS", "")),
        encode_cost=8.0,
    ),
    EncoderSpec(
        name="libvpx-vp9",
        quality_range=(0.0, 63.0),
        search_range=(10.0, 55.0),
        preset_option="-cpu-used",
        presets=_digits(0, 8),
        default_preset="2",
        pix_fmts=(*_DEPTHS_TO_12, "yuva420p"),
        arguments=("-b:v", "0", "-deadline", "good", "-row-mt", "1"),
        even_size=False,
        codec="vp9",
        crfs_per_pilot_crf=0.6,  # its scale is finer than x264's
        piece_arguments=(),
        keeps=(("DYNAMIC_HDR_PLUS", ""),),
        encode_cost=6.0,
    ),
    EncoderSpec(
        name="libvvenc",
        quality_options=(("-qp", "{}"),),
        quality_range=(0.0, 63.0),
        search_range=(12.0, 51.0),
        presets=("faster", "fast", "medium", "slow", "slower"),
        default_preset="faster",
        pix_fmts=("yuv420p10le",),
        least_side=16,
        arguments=("-vvenc-params", "TicksPerSecond=360000"),  # as vmaftune.encoding.arguments; else it counts frames
        codec="vvc",
        encode_cost=10.0,
    ),
)


def _pilot_of(codec: str) -> str:
    return "av1" if codec == "av1" else "x264"


def _nvenc(codec: str, last: float) -> EncoderSpec:
    return EncoderSpec(
        name=f"{codec}_nvenc",
        quality_options=(("-cq", "{}"),),
        quality_range=(1.0, last),
        search_range=(10.0, last - 5),
        presets=_NVENC_PRESETS,
        default_preset="p5",
        pix_fmts=("yuv420p", "yuv444p") if codec == "h264" else ("yuv420p", "p010le", "yuv444p"),
        arguments=("-rc", "vbr", "-b:v", "0"),
        hardware=True,
        codec=codec,
        pilot_family=_pilot_of(codec),
        encode_cost=_HARDWARE_COST,
    )


def _qsv(codec: str) -> EncoderSpec:
    return EncoderSpec(
        name=f"{codec}_qsv",
        quality_options=(("-global_quality", "{}"),),
        quality_range=(1.0, 51.0),
        presets=_QSV_PRESETS,
        default_preset="medium",
        pix_fmts=("nv12",) if codec == "h264" else ("nv12", "p010le"),
        hardware=True,
        codec=codec,
        pilot_family=_pilot_of(codec),
        encode_cost=_HARDWARE_COST,
    )


def _amf(codec: str, last: float) -> EncoderSpec:
    options = ("-qp_i", "-qp_p") if codec == "hevc" else ("-qp_i", "-qp_p", "-qp_b")
    return EncoderSpec(
        name=f"{codec}_amf",
        quality_options=tuple((option, "{}") for option in options),
        quality_range=(0.0, last),
        search_range=(10.0 * last / 51, 46.0 * last / 51) if last == 51.0 else (40.0, 220.0),
        preset_option="-quality",
        presets=_AMF_PRESETS,
        default_preset="balanced",
        pix_fmts=("yuv420p",) if codec == "h264" else ("yuv420p", "p010le"),
        arguments=("-rc", "cqp"),
        hardware=True,
        codec=codec,
        pilot_family=_pilot_of(codec),
        encode_cost=_HARDWARE_COST,
    )


def _vaapi(codec: str, last: float, search: tuple[float, float]) -> EncoderSpec:
    return EncoderSpec(
        name=f"{codec}_vaapi",
        quality_options=(("-global_quality", "{}"),),
        quality_range=(1.0, last),
        search_range=search,
        preset_option=None,
        pix_fmts=("nv12",) if codec == "h264" else ("nv12", "p010le"),
        arguments=("-rc_mode", "CQP"),
        device_arguments=_VAAPI,
        upload_filter="format={},hwupload",
        hardware=True,
        codec=codec,
        pilot_family=_pilot_of(codec),
        encode_cost=_HARDWARE_COST,
    )


def _videotoolbox(codec: str) -> EncoderSpec:
    return EncoderSpec(
        name=f"{codec}_videotoolbox",
        quality_options=(("-q:v", "{}"),),
        quality_range=(1.0, 100.0),
        search_range=(10.0, 90.0),
        higher_is_better=True,
        preset_option=None,
        pix_fmts=("yuv420p",) if codec == "h264" else ("yuv420p", "p010le"),
        hardware=True,
        codec=codec,
        pilot_family=_pilot_of(codec),
        encode_cost=_HARDWARE_COST,
    )


_HARDWARE = (
    _nvenc("h264", 51.0),
    _nvenc("hevc", 51.0),
    _nvenc("av1", 63.0),
    *(_qsv(codec) for codec in ("h264", "hevc", "av1", "vp9")),
    _amf("h264", 51.0),
    _amf("hevc", 51.0),
    _amf("av1", 255.0),
    _vaapi("h264", 52.0, (10.0, 46.0)),
    _vaapi("hevc", 52.0, (10.0, 46.0)),
    _vaapi("av1", 255.0, (40.0, 240.0)),
    _vaapi("vp9", 255.0, (40.0, 240.0)),
    *(_videotoolbox(codec) for codec in ("h264", "hevc")),
)


@hookimpl
def vmaftune_encoders() -> tuple[EncoderSpec, ...]:
    return (*_SOFTWARE, *_HARDWARE)
