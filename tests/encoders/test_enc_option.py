"""``--enc K=V``: handed on as ffmpeg takes it, refused where it would undo what the search decides."""

from __future__ import annotations

import pytest

from tests.encoders.test_command_lines import settings
from vmaftune.encoders.enc_option import parse_enc
from vmaftune.errors import UserError


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("x265-params=aq-mode=3", ("-x265-params", "aq-mode=3")),
        ("-tune=grain", ("-tune", "grain")),
        ("g=48", ("-g", "48")),
        ("bf=0", ("-bf", "0")),
        ("metadata=title=a=b", ("-metadata", "title=a=b")),
        ("noautoscale", ("-noautoscale",)),
        ("b:a=128k", ("-b:a", "128k")),
        ("maxrate=5M", ("-maxrate", "5M")),
        ("dolbyvision=1", ("-dolbyvision", "1")),
        ("movflags=+faststart", ("-movflags", "+faststart")),
        ("tag:v=hev1", ("-tag:v", "hev1")),
        ("x265-params=dhdr10-info=a.json:no-sao=1", ("-x265-params", "dhdr10-info=a.json:no-sao=1")),
    ],
)
def test_taken(text: str, arguments: tuple[str, ...]) -> None:
    assert parse_enc([text]) == arguments


@pytest.mark.parametrize(
    "text",
    [
        *("crf=20", "-crf=20", "crf:v=20", "qp=20", "preset=slow", "pix_fmt=yuv420p", "c:v=libx264", "vf=scale=2:2"),
        *("f=mp4", "i=other.mkv", "map=0:1", "r=25", "fps_mode=cfr", "t=1", "ss=1", "frames:v=3", "y"),
        *("svtav1-params=tune=0:crf=30", "x265-params=crf=20", "x264-params=qp=0", "x265-params=bitrate=500"),
        *("", "=", "=value", "a b=c"),
        *(
            "c=libx265",
            "codec=libx265",
            "c:0=libx265",
            "vcodec=libx265",
            "c:a=aac",
            "acodec=aac",
            "c:s=srt",
            "target=dvd",
        ),
        *(
            "filter=hflip",
            "filter:v=hflip",
            "filter:v:0=hflip",
            "filter_complex=hflip",
            "lavfi=hflip",
            "s=64x64",
            "q:v=3",
        ),
        *(
            "vn",
            "an",
            "map_metadata=-1",
            "disposition:v=0",
            "attach=a.txt",
            "n",
            "-y",
            "fs=1000",
            "sseof=-1",
            "shortest",
        ),
        *(
            "noautorotate",
            "nostdin",
            "loglevel=debug",
            "report",
            "progress=a",
            "vstats_file=a",
            "stats=a",
            "passlogfile=a",
        ),
        *("pass=2", "b=1M", "b:v=1M", "qscale=3", "lossless=1", "rc=cbr", "cpu-used=8", "dec=0:0", "hwaccel=auto"),
        *(
            "x264opts=crf=20",
            "x264-params='crf'=20",
            "x264-params=stats=a.log",
            "x264-params=dump-yuv=a",
            "x265-params=csv=a",
        ),
        *("x265-params=analysis-save=a", "x265-params=no-lossless=1", "svtav1-params=rc=1", "svtav1-params=preset=3"),
        *("aom-params=end-usage=cbr", "vvenc-params=RCStatsFile=a", "x265-params=Pass=2", "x264-params=log_file=a"),
    ],
)
def test_refused_in_one_line(text: str) -> None:
    with pytest.raises(UserError, match="--enc") as error:
        parse_enc([text])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "option", "joined"),
    [
        ("libx265", "-x265-params", "log-level=error:aq-mode=3:psy-rd=1"),
        ("libsvtav1", "-svtav1-params", "crf=30:aq-mode=3:psy-rd=1"),
    ],
)
def test_parameters_are_joined_not_replaced(name: str, option: str, joined: str) -> None:
    """ffmpeg keeps the last of a repeated option, which would lose ours."""
    extra = (option, "aq-mode=3", "-g", "48", option, "psy-rd=1")
    arguments = settings(name, extra=extra).output_arguments(30)
    assert arguments.count(option) == 1
    assert arguments[arguments.index(option) + 1] == joined
    assert arguments[-2:] == ["-g", "48"]
