"""A sample decodes to consecutive pictures of its source, bit for bit, from the stated time on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Clips
from vmaftune.escape import file_url
from vmaftune.features.measure import measure
from vmaftune.features.pilot import X264
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import read_facts
from vmaftune.media.samples import SampleRule, cut

_RULE = SampleRule(duration_seconds=4, samples=3)
_FPS = 25
_X264 = ["-c:v", "libx264", "-preset", "superfast", "-bf", "3", "-g", "40", "-keyint_min", "40"]
_X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params"]
_KEYS = "log-level=error:bframes=4:keyint=40:min-keyint=40"


def _clip(name: str, *arguments: str) -> Callable[[Clips], Path]:
    return lambda clips: clips.lavfi(name, f"testsrc2=size=128x72:rate={_FPS}:duration=42", arguments)


def _copy(
    name: str, of: Callable[[Clips], Path], *output: str, before: tuple[str, ...] = ()
) -> Callable[[Clips], Path]:
    return lambda clips: clips.make(name, [*before, "-i", file_url(of(clips)), "-c", "copy", *output])


_OPEN = _clip("open.mp4", *_X264, "-x264-params", "open-gop=1")
_AV1 = _clip("av1.mp4", "-c:v", "libsvtav1", "-preset", "12", "-g", "41")
_SOURCES: dict[str, Callable[[Clips], Path]] = {
    "x264 closed mkv": _clip("closed.mkv", *_X264),
    "x264 closed mp4": _clip("closed.mp4", *_X264),
    "x264 open mkv": _copy("open.mkv", _OPEN),
    "x264 open mp4": _OPEN,
    "x265 closed mkv": _clip("closed-265.mkv", *_X265, f"{_KEYS}:open-gop=0"),
    "x265 closed mp4": _clip("closed-265.mp4", *_X265, f"{_KEYS}:open-gop=0"),
    "x265 open mkv": _clip("open-265.mkv", *_X265, f"{_KEYS}:open-gop=1"),
    "x265 open mp4": _clip("open-265.mp4", *_X265, f"{_KEYS}:open-gop=1"),
    "AV1 mp4": _AV1,
    "AV1 mkv": _copy("av1.mkv", _AV1),
    "VP9 mp4": _clip("vp9.mp4", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "40"),
    "ProRes mov": _clip("prores.mov", "-c:v", "prores_ks"),
    "transport stream": _copy("open.ts", _OPEN),
    "program stream": _clip("mpeg2.mpg", "-c:v", "mpeg2video", "-bf", "2", "-g", "15"),
    "avi with B-frames": _clip("closed.avi", *_X264),
    "wmv": _clip("wmv.wmv", "-c:v", "wmv2", "-g", "40"),
    "starts late mkv": _copy("late.mkv", _OPEN, "-output_ts_offset", "12.3"),
    "starts late mp4": _copy("late.mp4", _OPEN, "-output_ts_offset", "12.3"),
    "edit list": _copy("edit.mp4", _OPEN, before=("-ss", "0.9")),
    "rotated mp4": _copy("rotated.mp4", _OPEN, before=("-display_rotation", "90")),
    "rotated mkv": _copy("rotated.mkv", _OPEN, before=("-display_rotation", "90")),
}


@pytest.mark.parametrize("kind", _SOURCES)
def test_samples_are_runs_of_the_source(kind: str, clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    source = _SOURCES[kind](clips)
    facts = read_facts(source)
    shown = clips.hashes(source)
    samples = cut(source, facts, _RULE, tmp_path)
    assert len(samples) == 3
    frames = measure(ffmpeg, facts, samples, tmp_path, source, plan=X264).frames
    for sample, count in zip(samples, frames, strict=True):
        pictures = clips.hashes(sample.path)
        first = round(sample.start_seconds * _FPS)
        assert pictures == shown[first : first + len(pictures)]
        assert count == len(pictures) == len(sample.packet_bytes) == len(sample.keyframes)
        assert count >= 0.95 * _FPS * _RULE.duration_seconds
        assert sample.keyframes[0] and sample.source_bytes == sum(sample.packet_bytes)
        turned = read_facts(sample.path)
        assert (turned.width, turned.height) == (facts.width, facts.height)


def test_samples_do_not_begin_before_an_edit_list_does(clips: Clips, tmp_path: Path) -> None:
    """The only key frame is one that the edit list hides, so no copy can begin in it: the whole source is taken."""
    source = _clip("one-key.mp4", "-c:v", "libx264", "-preset", "superfast", "-g", "9999")(clips)
    hidden = _copy("hidden-key.mp4", lambda _: source, before=("-ss", "1.5"))(clips)
    facts = read_facts(hidden)
    samples = cut(hidden, facts, _RULE, tmp_path)
    shown = clips.hashes(hidden)
    for sample in samples:
        pictures = clips.hashes(sample.path, sample.stream_index)
        first = round(sample.start_seconds * _FPS)
        assert pictures == shown[first : first + len(pictures)]


def test_a_codec_that_no_sample_file_holds_is_taken_whole(clips: Clips, tmp_path: Path) -> None:
    source = clips.lavfi("long.y4m", f"testsrc2=size=32x32:rate={_FPS}:duration=42", [])
    (sample,) = cut(source, read_facts(source), _RULE, tmp_path)
    assert sample.path == source and len(sample.packet_bytes) == 42 * _FPS
    assert not list(tmp_path.iterdir()), "no half-written copy stays"


@pytest.mark.parametrize("suffix", ["h264", "hevc", "obu", "m2v", "ivf", "gif"])
def test_streams_without_a_container_are_taken_whole(suffix: str, clips: Clips, tmp_path: Path) -> None:
    """They declare no duration, and some no time for any packet."""
    fast = {"hevc": [*_X265, "log-level=error"], "obu": ["-c:v", "libsvtav1", "-preset", "12"]}
    source = clips.lavfi(f"bare.{suffix}", "testsrc2=size=128x72:rate=25:duration=1", fast.get(suffix, []))
    (sample,) = cut(source, read_facts(source), _RULE, tmp_path)
    assert sample.path == source and sample.source_bytes > 0
    assert len(sample.packet_bytes) == len(clips.hashes(source)) == 25


def test_long_groups_of_pictures(clips: Clips, tmp_path: Path) -> None:
    """One key frame in all: the samples would all begin there, so there is one."""
    source = _clip("one-key.mp4", "-c:v", "libx264", "-preset", "superfast", "-g", "9999")(clips)
    (sample,) = cut(source, read_facts(source), _RULE, tmp_path)
    assert sample.start_seconds == 0.0
    assert re.fullmatch(r"sample-\d\.mov", sample.path.name)
    assert clips.hashes(sample.path) == clips.hashes(source)[: len(sample.packet_bytes)]
