"""What encoders pass over with a warning is an error before a search, and what they warn of is said."""

from __future__ import annotations

import pytest

from tests.conftest import Moving
from tests.encoders.test_command_lines import settings
from vmaftune.encoding.try_options import try_options
from vmaftune.errors import UserError
from vmaftune.ffmpeg.locate import Ffmpeg


def _tried(ffmpeg: Ffmpeg, moving: Moving, encoder: str, *extra: str) -> list[str]:
    fastest = {"libx264": "ultrafast", "libx265": "ultrafast", "libsvtav1": "10", "libvpx-vp9": "8", "libaom-av1": "8"}
    made = settings(encoder, preset=fastest[encoder], extra=extra)
    return try_options(ffmpeg, moving.plain, 0, made, (160, 90))


@pytest.mark.parametrize(
    ("encoder", "option", "value", "said"),
    [
        ("libx264", "-x264-params", "aq-mod=1", "libx264 does not take the parameter aq-mod=1"),
        ("libx264", "-x264-params", "me=bogus", "libx264 does not take the parameter me=bogus"),
        ("libx264", "-x264opts", "aq-mod=1", "bad option 'aq-mod': '1'"),
        ("libx265", "-x265-params", "aq-mod=1", "libx265 has no parameter 'aq-mod'"),
        ("libx265", "-x265-params", "me=bogus", "libx265 does not take the parameter me=bogus"),
        ("libsvtav1", "-svtav1-params", "film-gain=8", "libsvtav1 does not take the parameter film-gain=8"),
        (
            "libsvtav1",
            "-svtav1-params",
            "film-grain=80",
            r"film-grain=80\): Film grain denoise strength is only supported",
        ),
        ("libaom-av1", "-aom-params", "tunes=1", "Cannot find aom option tunes|tunes: Invalid parameter"),
        ("libvpx-vp9", "-x264-params", "aq-mode=1", "--enc x264-params: libvpx-vp9 has no such option"),
        ("libx264", "-nonsense", "1", "Unrecognized option 'nonsense'"),
        ("libx265", "-dolbyvision", "1", "Dolby Vision enabled, but could not determine profile"),
    ],
)
def test_refused(encoder: str, option: str, value: str, said: str, ffmpeg: Ffmpeg, moving: Moving) -> None:
    with pytest.raises(UserError, match=said) as error:
        _tried(ffmpeg, moving, encoder, option, value)
    assert "--enc" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("encoder", "extra"),
    [
        ("libx264", ("-x264-params", "aq-mode=2:psy-rd=1.0,0.1", "-tune", "film", "-g", "48")),
        ("libx264", ("-movflags", "+faststart", "-b:a", "64k", "-ac", "2", "-metadata", "title=a")),
        (
            "libx265",
            (
                "-x265-params",
                "aq-mode=3:no-sao=1",
            ),
        ),
        (
            "libsvtav1",
            (
                "-svtav1-params",
                "film-grain=8:tune=0",
            ),
        ),
    ],
)
def test_taken_in_silence(encoder: str, extra: tuple[str, ...], ffmpeg: Ffmpeg, moving: Moving) -> None:
    """What the encoder warns of without these options too is no news of theirs."""
    assert not [line for line in _tried(ffmpeg, moving, encoder, *extra) if "Film Grain for presets" not in line]


def test_warnings_are_said(ffmpeg: Ffmpeg, moving: Moving) -> None:
    (line,) = _tried(ffmpeg, moving, "libx264", "-maxrate", "1M")
    assert line == "libx264 says of --enc: VBV maxrate specified, but no bufsize, ignored"
