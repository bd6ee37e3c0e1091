"""What the table says of an encoder is what the real one takes."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Clips, Moving, Scorer
from tests.encoders.test_command_lines import SPECS, settings
from vmaftune.errors import FfmpegError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.locate import Ffmpeg


@pytest.mark.parametrize("name", SPECS)
def test_options_and_formats_are_known_to_ffmpeg(name: str, ffmpeg: Ffmpeg) -> None:
    if name not in ffmpeg.encoders:
        pytest.skip(f"this ffmpeg was built without {name}")
    spec, text = SPECS[name], process.query(ffmpeg.path, ["-h", f"encoder={name}"])
    line = re.search(r"Supported pixel formats: (.*)", text)
    formats = set(line[1].split()) if line else set()
    assert set(spec.pix_fmts) <= formats or formats == {"vaapi"}
    general = {"-global_quality", "-q:v", "-b:v"}
    ours = [option for option, _ in spec.quality_options] + list(spec.arguments[::2])
    for option in [*ours, *([spec.preset_option] if spec.preset_option else [])]:
        assert option in general or re.search(rf"^  {option} ", text, re.MULTILINE), option


@pytest.mark.parametrize("name", ["libx264", "libx265", "libsvtav1", "libaom-av1", "libvpx-vp9", "libvvenc"])
def test_presets_are_taken(name: str, clips: Clips) -> None:
    """Pictures of the least size; a preset that does not exist fails here for every one of these encoders."""
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=5:duration=0.4"]
    presets = SPECS[name].presets
    for preset in {presets[0], presets[len(presets) // 2], presets[-1]}:
        clips.run([*source, *settings(name, preset=preset).output_arguments(40), "-f", "null", "-"])


def test_quarters_of_svt_av1s_crf_change_the_bits(moving: Moving, score: Scorer) -> None:
    sizes = [
        score(moving.plain, SPECS["libsvtav1"], crf, preset="12").encoded_bytes for crf in (40, 40.25, 40.5, 41, 66)
    ]
    assert len(set(sizes)) == len(sizes)
    assert sizes[0] > sizes[3] > sizes[4]


def test_tenths_of_x264s_crf_change_the_bits(moving: Moving, score: Scorer) -> None:
    sizes = {score(moving.plain, SPECS["libx264"], crf, preset="superfast").encoded_bytes for crf in (30, 30.1)}
    assert len(sizes) == 2


def test_extra_parameters_reach_the_encoder(moving: Moving, score: Scorer) -> None:
    extra = ("-svtav1-params", "film-grain=20:enable-overlays=0")
    plain, grainy = (score(moving.plain, SPECS["libsvtav1"], 35, preset="12", extra=e) for e in ((), extra))
    assert plain.encoded_bytes != grainy.encoded_bytes


def test_ten_bits_for_svt_av1_from_an_8_bit_source(moving: Moving, clips: Clips) -> None:
    arguments = ["-i", f"file:{moving.plain}", *settings("libsvtav1", preset="12").output_arguments(35)]
    encoded = clips.make("ten-bits.mkv", arguments)
    assert "yuv420p10le" in process.query(clips.ffmpeg.path, ["-i", f"file:{encoded}"])


@pytest.mark.parametrize("extra", [("-svtav1-params", "no-such-thing=1:tune=99"), ("-no_such_option", "1")])
def test_an_encoder_that_refuses_is_an_error(extra: tuple[str, ...], moving: Moving, score: Scorer) -> None:
    with pytest.raises(FfmpegError) as error:
        score(moving.plain, SPECS["libsvtav1"], 35, preset="12", extra=extra)
    assert error.value.reason
