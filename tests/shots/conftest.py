"""A film of three scenes that differ in everything, in the ways in which files hold one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Clips
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import read_facts
from vmaftune.shots.detect import Frames, look
from vmaftune.shots.index import read_index
from vmaftune.shots.piece import Pieces

SCENES = (
    "testsrc2=size=128x72:rate=25:duration=1.2",
    "mandelbrot=size=128x72:rate=25:start_scale=0.02,trim=end_frame=40",
    "life=size=128x72:rate=25:mold=10:ratio=0.1:seed=7:death_color=#C83232:life_color=#00ff00,trim=end_frame=28",
)
CUTS = (0, 30, 70)
FRAMES = 98

_LONG_GOPS = ("-c:v", "libx264", "-preset", "fast", "-bf", "3", "-g", "60", "-keyint_min", "60", "-sc_threshold", "0")
_OPEN_GOPS = "open-gop=1:keyint=25:min-keyint=10:bframes=4:log-level=none"
# Every frame lasts 40 ms more or less than it should.
_VARYING = ("-vf", "settb=1/1000,setpts='N*40+mod(N*7,5)*6'", "-fps_mode", "passthrough", "-enc_time_base", "1/1000")
HELD = {
    "b-frames.mp4": _LONG_GOPS,
    "open-gop.mkv": ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", _OPEN_GOPS),
    "mpeg2.ts": ("-c:v", "mpeg2video", "-bf", "2", "-g", "15", "-b:v", "2M"),
    "varying.mkv": (*_VARYING, *_LONG_GOPS),
    "late.mkv": ("-output_ts_offset", "3.7", *_LONG_GOPS),
    "no-order.avi": ("-c:v", "mpeg4", "-bf", "2", "-g", "12"),
    "no-times.h264": _LONG_GOPS,
}


@pytest.fixture(scope="session")
def film(clips: Clips) -> Callable[..., Path]:
    """Makes the film in a file of that name, encoded as in HELD or as told."""

    def make(name: str, arguments: tuple[str, ...] | None = None, size: str = "128x72") -> Path:
        scenes = ";".join(
            f"{scene.replace('128x72', size)},setsar=1,format=yuv420p[s{n}]" for n, scene in enumerate(SCENES)
        )
        graph = f"{scenes};{''.join(f'[s{n}]' for n in range(len(SCENES)))}concat=n={len(SCENES)}[v]"
        plain = clips.make(
            f"plain-{size}.mkv", ["-filter_complex", graph, "-map", "[v]", "-c:v", "libx264", "-qp", "0"]
        )
        return clips.make(name, ["-i", str(plain), *(HELD[name] if arguments is None else arguments)])

    return make


@pytest.fixture
def looked_at(ffmpeg: Ffmpeg, tmp_path: Path) -> Callable[[Path], tuple[Frames, Pieces]]:
    """The frames of a film, and what cuts it up."""

    def look_at(path: Path) -> tuple[Frames, Pieces]:
        facts = read_facts(path)
        frames = look(ffmpeg, path, facts, tmp_path, lambda done: None)
        return frames, Pieces(ffmpeg, path, facts, read_index(path, facts), frames, tmp_path)

    return look_at
