"""Each model is refused in words at sizes where libvmaf crashes or leaves no log, and scores at those just above."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Program, program
from tests.conftest import Clips
from vmaftune.encoding.probe import score_files
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.ffmpeg.command import read
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.quality.metric import Asked, Comparison, Pictures
from vmaftune.quality.vmaf import MODELS, VMAF

__all__ = ["program"]

V0, V1, FINE_V1 = "vmaf_v0.6.1", "vmaf_v1.0.16_3d0h", "vmaf_v1.0.16_3d0h_2160"
TAKEN = [
    *((model, "18x18") for model, known in MODELS.items() if known.generation == "v0"),
    *((model, "216x160") for model, known in MODELS.items() if known.least_side == 160),
    *((model, "160x216") for model, known in MODELS.items() if known.least_side == 160),
    *((model, f"{known.least_side}x{known.least_side}") for model, known in MODELS.items() if known.least_side > 200),
    (V1, "1760x160"),
]
REFUSED = [
    *((V0, size) for size in ("17x18", "18x17", "17x17")),
    *((V1, size) for size in ("215x160", "160x215", "216x159", "159x216", "1922x160")),
    ("vmaf_v1.0.16_5d0h", "265x400"),
    ("vmaf_v1.0.16_hfr_5d0h", "400x265"),
    (FINE_V1, "317x600"),
    ("vmaf_v1.0.16_hfr_3d0h_2160", "600x317"),
]


def _clip(clips: Clips, size: str, noise: int) -> Path:
    source = f"testsrc2=size={size}:rate=5:duration=0.8,format=yuv420p,noise=alls={noise}:all_seed=1"
    return clips.lavfi(f"{size}-{noise}.mkv", source, ["-c:v", "ffv1"])


def _scores(comparison: Comparison, size: str, clips: Clips, ffmpeg: Ffmpeg, folder: Path) -> list[float]:
    source, distorted = (read(_clip(clips, size, noise)) for noise in (0, 12))
    scored = score_files(ffmpeg, (source, 0), (distorted, 0), comparison, threads=2, folder=folder)
    return [frame["vmaf"] for frame in scored.metrics]


def _pictures(size: str) -> Pictures:
    width, height = map(int, size.split("x"))
    return Pictures(width=width, height=height)


@pytest.mark.parametrize(("model", "size"), TAKEN)
def test_the_least_size_that_a_model_takes_gets_a_score(
    model: str, size: str, clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    comparison = VMAF.decide(Asked(model=model, size="none"), _pictures(size))
    scores = _scores(comparison, size, clips, ffmpeg, tmp_path)
    assert len(scores) == 4 and all(0 <= score <= MODELS[model].highest for score in scores)


@pytest.mark.parametrize(("model", "size"), REFUSED)
def test_a_smaller_one_is_refused_and_rightly_so(
    model: str, size: str, clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=f"compared at {size}, and libvmaf takes .* with {model}; --vmaf-scale"):
        VMAF.decide(Asked(model=model, size="none"), _pictures(size))
    forced = VMAF.decide(Asked(model=model, size="none"), Pictures(width=400, height=400))
    with pytest.raises(VmafTuneError):
        _scores(forced, size, clips, ffmpeg, tmp_path)


@pytest.mark.parametrize(
    ("model", "below", "least"), [(V0, "16x40", "18x40"), (V1, "214x160", "216x160"), (FINE_V1, "400x316", "400x318")]
)
def test_every_command_says_it_in_words_and_takes_what_is_large_enough(
    model: str, below: str, least: str, clips: Clips, program: Program
) -> None:
    how = ("--vmaf-model", model, "--vmaf-scale", "none")
    search = (*how, "-e", "libx264", "--preset", "ultrafast", "--min-vmaf", "60", "--max-probes", "1")
    small, enough = (_clip(clips, size, 0) for size in (below, least))
    for arguments in (
        ("score", small, small, *how),
        ("crf-search", "-i", small, *search),
        ("encode", "-i", small, "-o", program.home / "small.mkv", *search),
    ):
        ended = program(*arguments)
        assert ended.code == 2, ended.err
        assert f"compared at {below}, and libvmaf takes" in ended.complaint()
    scored = program("score", enough, _clip(clips, least, 12), *how, "--json")
    assert scored.code == 0 and 0 <= scored.json["vmaf"] <= MODELS[model].highest, scored.err
    searched = program("crf-search", "-i", enough, *search, "--json")
    assert searched.code == 0 and searched.json["vmaf"] > 60, searched.err
    encoded = program("encode", "-i", enough, "-o", program.home / "enough.mkv", *search, "--final-score")
    assert encoded.code == 0 and (program.home / "enough.mkv").exists(), encoded.err


def test_banding_is_measured_as_in_the_smallest_encode_that_libvmaf_takes(
    clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    comparison = VMAF.decide(Asked(model=V1, size="480x270"), _pictures("160x90"))
    assert comparison.options == (("cambi.enc_width", "267"), ("cambi.enc_height", "150"))
    assert comparison.notes == ("banding is measured as in an encode of 267x150: libvmaf takes none of 160x90",)
    assert len(_scores(comparison, "160x90", clips, ffmpeg, tmp_path)) == 4


@pytest.mark.parametrize("encoded", [(100, 300), (300, 100), (214, 160), (2, 2), (7900, 4300), (180, 216)])
def test_an_encode_of_any_size_can_be_told(
    encoded: tuple[int, int], clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    pictures = Pictures(width=7904, height=4302, encoded=encoded, encoded_depth=8)
    options = VMAF.decide(Asked(model=V1, size="none"), pictures).options
    assert [name for name, _ in options] == ["cambi.enc_width", "cambi.enc_height", "cambi.enc_bitdepth"]
    small = VMAF.decide(Asked(model=V1, size="480x270"), _pictures("160x90"))
    told = Comparison(metric=VMAF, model=V1, size=small.size, pix_fmt=small.pix_fmt, options=options)
    assert len(_scores(told, "160x90", clips, ffmpeg, tmp_path)) == 4


def test_an_encode_that_is_larger_than_what_is_compared_is_not_told_of() -> None:
    assert VMAF.decide(Asked(model=V1, size="480x270"), _pictures("1920x1080")).options == ()
