"""The arguments of every encoder family: the quality option, the preset, the format and what opens the hardware."""

from __future__ import annotations

import pytest
from vmaftune_plugins.encoders import vmaftune_encoders

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.encoders.spec import EncoderSettings, settings_for
from vmaftune.errors import UserError

SPECS: dict[str, EncoderSpec] = {spec.name: spec for spec in vmaftune_encoders()}


def settings(name: str, **changes: object) -> EncoderSettings:
    wanted: dict[str, object] = {
        "preset": None,
        "pix_fmt": None,
        "video_filter": None,
        "extra": (),
        "source_pix_fmt": "yuv420p",
        "source_size": (1920, 1080),
    }
    return settings_for(SPECS[name], **(wanted | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "crf", "line"),
    [
        ("libx264", 23.5, "-c:v libx264 -preset medium -crf 23.5 -pix_fmt yuv420p"),
        ("libx265", 28, "-c:v libx265 -preset medium -crf 28 -pix_fmt yuv420p -x265-params log-level=error"),
        ("libsvtav1", 35.25, "-c:v libsvtav1 -preset 8 -svtav1-params crf=35.25 -pix_fmt yuv420p10le"),
        ("libaom-av1", 30, "-c:v libaom-av1 -cpu-used 6 -crf 30 -pix_fmt yuv420p10le -b:v 0 -row-mt 1"),
        ("libvpx-vp9", 30, "-c:v libvpx-vp9 -cpu-used 2 -crf 30 -pix_fmt yuv420p -b:v 0 -deadline good -row-mt 1"),
        (
            "libvvenc",
            32,
            "-c:v libvvenc -preset faster -qp 32 -pix_fmt yuv420p10le -vvenc-params TicksPerSecond=360000",
        ),
        ("h264_nvenc", 25, "-c:v h264_nvenc -preset p5 -cq 25 -pix_fmt yuv420p -rc vbr -b:v 0"),
        ("hevc_qsv", 25, "-c:v hevc_qsv -preset medium -global_quality 25 -pix_fmt nv12"),
        ("h264_amf", 25, "-c:v h264_amf -quality balanced -qp_i 25 -qp_p 25 -qp_b 25 -pix_fmt yuv420p -rc cqp"),
        ("hevc_amf", 25, "-c:v hevc_amf -quality balanced -qp_i 25 -qp_p 25 -pix_fmt yuv420p -rc cqp"),
        ("av1_vaapi", 100, "-c:v av1_vaapi -global_quality 100 -rc_mode CQP"),
        ("hevc_videotoolbox", 60, "-c:v hevc_videotoolbox -q:v 60 -pix_fmt yuv420p"),
    ],
)
def test_one_of_each_family(name: str, crf: float, line: str) -> None:
    assert " ".join(settings(name).output_arguments(crf)) == line


@pytest.mark.parametrize("name", SPECS)
def test_every_encoder_is_whole(name: str) -> None:
    spec = SPECS[name]
    (low, high), (least, greatest) = spec.search_range, spec.quality_range
    assert least <= low < high <= greatest and spec.step > 0
    assert spec.default_preset is None or spec.default_preset in spec.presets
    assert (spec.preset_option is None) == (not spec.presets)
    assert spec.default_pix_fmt is None or spec.default_pix_fmt in spec.pix_fmts
    assert spec.higher_is_better == name.endswith("_videotoolbox")
    assert spec.hardware == ("_" in name)
    for option, text in spec.quality_options:
        arguments = settings(name).output_arguments(30.0)
        assert arguments[arguments.index(option) + 1] == text.format("30")
        assert text.format("30") not in settings(name).output_arguments(None)


@pytest.mark.parametrize("pix_fmt", ["nv12", "p010le"])
def test_vaapi_opens_its_device_and_uploads_the_format_asked_for(pix_fmt: str) -> None:
    made = settings("hevc_vaapi", pix_fmt=pix_fmt, video_filter="yadif")
    assert made.spec.device_arguments == ("-init_hw_device", "vaapi=va", "-filter_hw_device", "va")
    assert made.filter_chain == f"yadif,format={pix_fmt},hwupload"
    assert "-pix_fmt" not in made.output_arguments(25)
    assert made.identity != settings("hevc_vaapi", video_filter="yadif", pix_fmt="nv12").identity or pix_fmt == "nv12"


@pytest.mark.parametrize(
    ("name", "source", "encoded"),
    [
        ("libx264", "yuv420p", "yuv420p"),
        ("libx264", "nv12", "yuv420p"),
        ("libx264", "gray", "yuv420p"),
        ("libx264", "yuv411p", "yuv420p"),
        ("libx264", "yuv420p10le", "yuv420p10le"),
        ("libx264", "p010le", "yuv420p10le"),
        ("libx264", "yuvj420p", "yuvj420p"),
        ("libx264", "yuv444p", "yuv444p"),
        ("libx264", "yuv420p12le", "yuv420p10le"),
        ("libx264", "yuv422p12le", "yuv422p10le"),
        ("libx264", "yuv444p12le", "yuv444p10le"),
        ("libx264", "yuva444p12le", "yuv444p10le"),
        ("libx264", "gray16le", "yuv420p10le"),
        ("libx264", "bgr0", "yuv444p"),
        ("libx264", "pal8", "yuv444p"),
        ("libx265", "yuv422p12le", "yuv422p12le"),
        ("libx265", "yuv444p16le", "yuv444p12le"),
        ("libx265", "gbrp10le", "yuv444p10le"),
        ("libx265", "p210le", "yuv422p10le"),
        ("libsvtav1", "yuv420p", "yuv420p10le"),
        ("libsvtav1", "yuv444p12le", "yuv420p10le"),
        ("libaom-av1", "yuv420p", "yuv420p10le"),
        ("libaom-av1", "yuvj420p", "yuv420p10le"),
        ("libaom-av1", "yuv422p", "yuv422p10le"),
        ("libaom-av1", "yuv444p12le", "yuv444p12le"),
        ("libvpx-vp9", "yuv420p", "yuv420p"),
        ("libvpx-vp9", "yuvj420p", "yuv420p"),
        ("libvpx-vp9", "yuv420p10le", "yuv420p10le"),
        ("libvpx-vp9", "yuva420p", "yuva420p"),
        ("libvpx-vp9", "rgba", "yuva420p"),
        ("hevc_nvenc", "yuv420p10le", "p010le"),
        ("hevc_nvenc", "yuv422p10le", "p010le"),
        ("h264_vaapi", "yuv420p10le", "nv12"),
        ("libvvenc", "yuv444p", "yuv420p10le"),
    ],
)
def test_the_format_loses_least_of_the_sources(name: str, source: str, encoded: str) -> None:
    assert settings(name, source_pix_fmt=source).pix_fmt == encoded


def test_odd_sizes_are_cropped_where_the_encoder_wants_even_ones() -> None:
    assert settings("libx264", source_size=(161, 90)).video_filter == "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0"
    assert settings("libx264", source_size=(160, 90)).video_filter is None
    assert settings("libaom-av1", source_size=(161, 91)).video_filter is None


def test_what_an_encoder_does_not_have_is_refused() -> None:
    with pytest.raises(UserError, match="preset quick: libx264 has no such preset; it has ultrafast"):
        settings("libx264", preset="quick")
    with pytest.raises(UserError, match="libsvtav1 does not take --pix-format yuv444p"):
        settings("libsvtav1", pix_fmt="yuv444p")


def test_identity_holds_all_that_changes_bits_but_the_crf() -> None:
    base = settings("libx265").identity
    for change in (
        {"preset": "fast"},
        {"pix_fmt": "yuv420p10le"},
        {"video_filter": "hqdn3d"},
        {"extra": ("-tune", "grain")},
    ):
        assert settings("libx265", **change).identity != base  # type: ignore[arg-type]
    assert settings("libx265").identity == base
