"""Frames are paired by index, whatever times a container gives them.

The proof: a source at a constant QP decides nothing by time stamps, and neither does the probe's encode, so in every
container the same pictures must get exactly the scores that they get in the plain one. A pair that is off by one frame
scores far lower, as the first test shows.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from tests.conftest import FRAMES, WHOLE, Clips, Moving, Scorer, decided
from vmaftune.encoding.probe import score_files
from vmaftune.escape import file_url
from vmaftune.features.measure import measure
from vmaftune.features.pilot import X264
from vmaftune.ffmpeg.command import read
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import read_facts
from vmaftune.media.samples import cut

_VARIABLE = [
    "-vf",
    "settb=1/90000,setpts='N*3600+if(mod(N,3),-1700,0)+3000*floor(N/10)'",
    *("-fps_mode", "passthrough", "-enc_time_base", "1/90000"),
]


def _copied(name: str, *output: str, before: tuple[str, ...] = (), of: str = "mkv") -> Callable[[Moving], Path]:
    def make(moving: Moving) -> Path:
        source = moving.at(f"copied.{of}")
        return moving.clips.make(name, [*before, "-i", file_url(source), "-c", "copy", *output])

    return make


def _with_cover(name: str) -> Callable[[Moving], Path]:
    def make(moving: Moving) -> Path:
        cover = moving.clips.lavfi("cover.png", "color=red:size=64x64", ["-frames:v", "1"])
        inputs = ["-i", file_url(cover), "-i", file_url(moving.at("copied.mp4"))]
        first = ["-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0", "attached_pic"]
        return moving.clips.make(name, [*inputs, *first])

    return make


_CONTAINERS: dict[str, Callable[[Moving], Path]] = {
    **{
        f"{rate} {suffix}": lambda moving, rate=rate, suffix=suffix: moving.at(f"at-{rate[:2]}.{suffix}", rate)  # type: ignore[misc]
        for rate in ("24000/1001", "30000/1001", "60000/1001")
        for suffix in ("mkv", "mp4")
    },
    "variable rate mkv": lambda moving: moving.at("variable.mkv", "25", _VARIABLE),
    "variable rate mp4": lambda moving: moving.at("variable.mp4", "25", _VARIABLE),
    "starts at 7.5 s mkv": _copied("late.mkv", "-output_ts_offset", "7.5"),
    "starts at 7.5 s mp4": _copied("late.mp4", "-output_ts_offset", "7.5"),
    "transport stream": _copied("stream.ts"),
    "raw h264": _copied("stream.h264"),
    "flv": _copied("stream.flv"),
    "avi": lambda moving: moving.at("moving.avi"),
    "cover picture first": _with_cover("cover.mp4"),
    "attachment": _copied("attached.mkv", "-metadata", "title=x"),
    "edit list mp4": _copied("edit.mp4", before=("-ss", "0.5"), of="mp4"),
    "edit list mov": _copied("edit.mov", before=("-ss", "0.5"), of="mp4"),
}


def test_a_pairing_off_by_one_would_be_seen(moving: Moving, clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    trim = ["-vf", "trim=start_frame=1,setpts=PTS-STARTPTS", "-c:v", "ffv1"]
    late = clips.make("off-by-one.mkv", ["-i", file_url(moving.plain), *trim])
    pair = [(read(path), 0) for path in (moving.plain, late)]
    comparison = decided(160, 90, 8, size="none")
    metrics, *_ = score_files(ffmpeg, pair[0], pair[1], comparison, threads=2, folder=tmp_path)
    assert np.median([frame["vmaf"] for frame in metrics]) < 90


@pytest.mark.parametrize("one_process", [True, False], ids=["one process", "two processes"])
@pytest.mark.parametrize("kind", _CONTAINERS)
def test_every_container_scores_like_the_plain_one(
    kind: str, one_process: bool, moving: Moving, clips: Clips, score: Scorer, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    path = _CONTAINERS[kind](moving)
    shown, plain = clips.hashes(path), clips.hashes(moving.plain)
    first = plain.index(shown[0])
    assert shown == plain[first : first + len(shown)], "the container shows a run of the pictures"
    assert len(shown) == FRAMES - first and (first > 0) == kind.startswith("edit list")

    facts = read_facts(path)
    (sample,) = cut(path, facts, WHOLE, tmp_path)
    assert measure(ffmpeg, facts, [sample], tmp_path, path, plan=X264).frames == (len(shown),)

    if first:
        trim = ["-vf", f"trim=start_frame={first},setpts=PTS-STARTPTS", "-c:v", "ffv1"]
        expected = score(clips.make(f"from-{first}.mkv", ["-i", file_url(moving.plain), *trim]))
    else:
        expected = score(moving.plain)
    encoded = score(path, one_process=one_process)
    assert encoded.frame_scores.min() > 95, "a good encode"
    assert np.array_equal(encoded.frame_scores, expected.frame_scores)


def test_the_moving_clip_has_b_frames(moving: Moving) -> None:
    with av.open(str(moving.plain)) as container:
        times = [packet.pts for packet in container.demux(video=0) if packet.size]
    assert times != sorted(times)


def test_an_edit_list_may_end_before_the_track(moving: Moving, clips: Clips, score: Scorer) -> None:
    """The container declares more frames than it shows; that is no damage."""
    content = bytearray(moving.at("copied.mp4").read_bytes())
    place = content.index(b"elst") + 12  # the first edit's duration, after type, version and count
    (duration,) = struct.unpack_from(">I", content, place)
    struct.pack_into(">I", content, place, duration // 2)
    path = clips.folder / "edit-ends-early.mp4"
    path.write_bytes(content)
    shown = clips.hashes(path)
    assert len(shown) == FRAMES // 2 and shown == clips.hashes(moving.plain)[: FRAMES // 2]
    assert len(score(path).frame_scores) == FRAMES // 2


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_rotated_file_scores_like_one_that_was_turned(
    degrees: int, moving: Moving, clips: Clips, score: Scorer
) -> None:
    source = moving.at("copied.mp4")
    rotated = clips.make(
        f"rotated-{degrees}.mp4", ["-display_rotation", str(degrees), "-i", file_url(source), "-c", "copy"]
    )
    turned = clips.make(f"turned-{degrees}.mkv", ["-i", file_url(rotated), "-c:v", "ffv1"])
    facts = read_facts(rotated)
    assert (facts.width, facts.height) == ((160, 90) if degrees == 180 else (90, 160))
    assert clips.hashes(rotated) == clips.hashes(turned) != clips.hashes(moving.plain)
    for one_process in (True, False):
        encoded = score(rotated, one_process=one_process)
        assert np.array_equal(encoded.frame_scores, score(turned).frame_scores)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le"])
def test_odd_sizes(pix_fmt: str, clips: Clips, score: Scorer) -> None:
    """The crop that even sizes need goes before the reference too: a lossless encode scores near 100."""
    name = f"odd-{pix_fmt}.mkv"
    path = clips.lavfi(
        name, f"testsrc2=size=322x182:rate=25:duration=0.48,scale=161:91,format={pix_fmt}", ["-c:v", "ffv1"]
    )
    assert (read_facts(path).width, read_facts(path).height) == (161, 91)
    for one_process in (True, False):
        encoded = score(path, crf=0, preset="ultrafast", one_process=one_process)
        assert len(encoded.frame_scores) == 12
        assert encoded.frame_scores[1:].min() > 99


@pytest.mark.parametrize("flags", ["tff=1", "bff=1"])
def test_interlaced_pictures_are_one_frame_each(flags: str, clips: Clips, score: Scorer) -> None:
    arguments = ["-c:v", "libx264", "-qp", "12", "-x264-params", flags]
    path = clips.lavfi(f"{flags[:3]}.ts", "testsrc2=size=160x96:rate=25:duration=0.8", arguments)
    encoded = score(path)
    assert len(encoded.frame_scores) == 20 and encoded.frame_scores.min() > 95
