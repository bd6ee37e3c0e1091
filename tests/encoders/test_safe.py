"""What ``--safe`` lets through: filters and options that are known to name no file, and nothing besides."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import FFMPEG
from vmaftune.encoders.safe import check_safe
from vmaftune.encoders.safe_names import FILTERS, OPTIONS, PARAMETERS
from vmaftune.errors import UserError


@pytest.mark.parametrize(
    "chain",
    [
        "crop=1920:800,hqdn3d",
        "scale='min(1280,iw)':-2",
        r"scale=min(1280\,iw):-2, bwdif",
        "scale=iw/2:ih/2",
        "yadif@first=1",
        "eq=gamma='1.1':saturation=0.9",
    ],
)
def test_harmless_filters_pass(chain: str) -> None:
    check_safe(chain, (), None)


@pytest.mark.parametrize(
    "chain",
    [
        "metadata=print:file=/tmp/x",
        "hqdn3d,metadata=print:file=x",
        "hqdn3d , movie=x.mkv",
        "crop=1:2;movie=x[a]",
        "[in]movie=x[out]",
        "scale=2:2[a],lut3d=file=x",
        "'movie'=x",
        r"mov\ie=x",
        r"scale='a\',movie=x",  # a backslash within quotes escapes nothing
        r"scale=a\',movie=x,null='b",
        "scale='1,2',movie=x",
        "scale=/w=secret:h=2",
        "scale=h=2:/w=secret",
        r"scale=h=2:\/w=secret",
        "scale='/w=secret'",
        "curves=plot=x",
        "sws_flags=bicubic;scale=1:1",
        "@movie=x",
        ",",
    ],
)
def test_other_filters_are_refused(chain: str) -> None:
    with pytest.raises(UserError, match="--safe"):
        check_safe(chain, (), None)


@pytest.mark.parametrize(
    "text",
    [
        "x264-params=aq-mode=3:no-mbtree:ref=4",
        "x265-params=no-sao=1:psy-rd=2",
        "svtav1-params=tune=0",
        "g=240",
        "g:v=9",
    ],
)
def test_harmless_options_pass(text: str) -> None:
    check_safe(None, (text,), "vmaf_v0.6.1neg")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "attach=/etc/passwd",
            "-attach=x",
            "/g=secret",
            "pass=1",
            "passlogfile=x",
            "flags=+pass1",
            "dump_attachment=x",
        ),
        *(
            "x264-params=stats=x",
            "x264-params=aq-mode=3:stats=x",
            r"x264-params=aq-mode=1\:stats=x",
            "x264opts=stats=x",
        ),
        *("x264-params=aq-mode='3:stats=x'", r"x264-params=\stats=x", "x264-params= stats=x", "x264-params=qpfile=x"),
        *("x265-params=csv=x", "x265-params=analysis_save=x", "x265-params=no-csv=x", "x264-params:v=stats=x"),
        *(
            "svtav1-params=stats=x",
            "aom-params=film-grain-table=x",
            "vvenc-params=summaryoutfilename=x",
            "vstats_file=x",
            "g",
        ),
    ],
)
def test_other_options_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="--safe"):
        check_safe(None, (text,), None)


@pytest.mark.parametrize("model", ["/tmp/model.json", "vmaf_v0.6.1.json", "model.json", "vmaf_x|y"])
def test_a_model_is_no_file(model: str) -> None:
    with pytest.raises(UserError, match="--safe"):
        check_safe(None, (), model)


def test_no_filter_of_the_list_has_an_option_that_names_a_file() -> None:
    for name in sorted(FILTERS):
        said = subprocess.run([FFMPEG, "-v", "error", "-h", f"filter={name}"], capture_output=True, text=True).stdout
        takes = re.findall(r"^ +(\S+) +<(?:string|dictionary|binary)> +\S+ (.*)$", said, re.MULTILINE)
        for option, text in takes:
            assert not re.search(r"\b(file|filename|path|directory|url)\b", f"{option} {text}"), (name, option, text)


def test_the_documentation_lists_what_passes() -> None:
    text = (Path(__file__).parents[2] / "docs" / "batch.md").read_text("utf-8")
    named = set(re.findall(r"[\w-]+", text))
    assert not (FILTERS | OPTIONS | frozenset().union(*PARAMETERS.values()) | set(PARAMETERS)) - named
