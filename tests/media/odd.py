"""Odd files, made of plain ones."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import Clips


def cropped(clips: Clips, folder: Path) -> Path:
    """64x48 pictures of which Matroska crops 8 lines at the top and 8 at the bottom.

    ffmpeg writes no cropping of its own; the size that it writes for display takes as many bytes.
    """
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=2", "-vf", "setsar=2"]
    plain = clips.make("display.mkv", [*source, "-c:v", "libx264", "-qp", "0", "-g", "10", "-write_crc32", "0"])
    content, widths = re.subn(rb"\x54\xb0\x81.", b"\x54\xbb\x81\x08", plain.read_bytes(), count=1, flags=re.DOTALL)
    content, heights = re.subn(rb"\x54\xba\x81.", b"\x54\xaa\x81\x08", content, count=1, flags=re.DOTALL)
    assert widths == heights == 1
    path = folder / "cropped.mkv"
    path.write_bytes(content)
    return path


def unknown(clips: Clips, folder: Path) -> Path:
    """An MP4 whose video is of a codec that nobody knows."""
    plain = clips.lavfi("known.mp4", "testsrc2=size=64x48:rate=25:duration=0.4")
    path = folder / "unknown.mp4"
    path.write_bytes(plain.read_bytes().replace(b"avc1" + bytes(7), b"zzzz" + bytes(7)))
    return path


def damaged(clips: Clips, folder: Path) -> Path:
    """A video with bytes overwritten in its middle."""
    arguments = ["-c:v", "libx264", "-preset", "superfast", "-x264-params", "scenecut=0:keyint=100"]
    plain = clips.lavfi("sound.mkv", "testsrc2=size=160x90:rate=25:duration=2", arguments)
    content = bytearray(plain.read_bytes())
    middle = len(content) // 2
    for place in range(middle, middle + 1500, 7):
        content[place] ^= 0x5A
    path = folder / "damaged.mkv"
    path.write_bytes(content)
    return path


def several(clips: Clips, name: str, sizes: list[str], flags: list[str] | None = None, frames: int = 12) -> Path:
    """One video stream for each ``WxH`` (``WxH/FRAMES`` where it has not as many as the others)."""
    inputs: list[str] = []
    options: list[str] = []
    for number, size in enumerate(sizes):
        size, _, own = size.partition("/")
        inputs += ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration=1"]
        options += ["-map", str(number), f"-filter:v:{number}", f"trim=end_frame={own or frames}"]
        flag = (flags or ["0"] * len(sizes))[number]
        codec = "png" if flag == "attached_pic" else "libx264"
        options += [f"-disposition:v:{number}", flag, f"-c:v:{number}", codec]
    return clips.make(name, [*inputs, *options])


def changing(clips: Clips, folder: Path) -> Path:
    """A broadcast whose pictures are 160x120 at first and 160x90 then."""
    encode = ["-c:v", "libx264", "-qp", "12"]
    parts = [
        clips.lavfi("part.ts", f"testsrc2=size={size}:rate=25:duration=0.4", [*encode, "-output_ts_offset", offset])
        for size, offset in (("160x120", "0"), ("160x90", "0.4"))
    ]
    path = folder / "changing.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def with_sound(clips: Clips, name: str, seconds: int, *sound: str) -> Path:
    """Two seconds of video beside more of sound, in any container."""
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=2"]
    inputs += ["-f", "lavfi", "-i", f"sine=duration={seconds}"]
    return clips.make(name, [*inputs, "-map", "0", "-map", "1", "-c:v", "libx264", "-g", "5", *sound])
