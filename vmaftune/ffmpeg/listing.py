"""Listings: one line for each packet or frame of a stream, and what they say."""

from __future__ import annotations

import re
from pathlib import Path

from vmaftune.errors import VmafTuneError
from vmaftune.ffmpeg.command import LIST_FRAMES, PASS_THROUGH, Output, Stream


def frames_counted(stream: Stream, file: Path, video_filter: str | None) -> Output:
    """An output of one line for each decoded frame (read it with count_frames)."""
    chain = {"vf": video_filter} if video_filter else {}
    return Output([stream], file, chain | PASS_THROUGH | LIST_FRAMES)


def count_frames(file: Path) -> int:
    """Frames that frames_counted wrote down."""
    return len(packet_bytes(file))


def picture_size(listing: str) -> tuple[int, int]:
    """Width and height in pixels that frames_counted wrote down; (0, 0) where there was no frame."""
    found = re.search(r"^#dimensions 0: (\d+)x(\d+)", listing, re.MULTILINE)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def packet_bytes(framecrc: Path) -> list[int]:
    """Sizes in bytes from a framecrc listing: stream, dts, pts, duration, size, checksum."""
    try:
        lines = framecrc.read_text("ascii").splitlines()
        return [int(line.split(",")[4]) for line in lines if not line.startswith("#")]
    except (OSError, ValueError, IndexError) as error:
        raise VmafTuneError(f"{framecrc.name} in {framecrc.parent} is not whole: {error}; is the disk full?") from error
