"""Chunks joined into one video: every frame decodes to what its chunk holds, and is shown when it should be."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.conftest import Clips
from vmaftune.errors import VmafTuneError
from vmaftune.shots.join import Chunk, join, read_chunk

Film = Callable[..., Path]
ENCODERS = {
    "libx264": ("-preset", "veryfast", "-bf", "3", "-x264-params", "stitchable=1"),
    "libx265": (
        "-preset",
        "ultrafast",
        "-x265-params",
        "open-gop=1:keyint=12:min-keyint=5:bframes=4:info=0:log-level=none",
    ),
    "libsvtav1": ("-preset", "12"),
    "libaom-av1": ("-cpu-used", "8", "-b:v", "0"),
    "libvpx-vp9": ("-cpu-used", "5", "-b:v", "0"),
}


def _chunks(clips: Clips, film: Path, encoder: str, crfs: tuple[int, int, int]) -> list[Chunk]:
    chunks = []
    for crf, (start, end) in zip(crfs, ((0, 30), (30, 70), (70, 98)), strict=True):
        chain = f"trim=start_frame={start}:end_frame={end},settb=1/25,setpts=N+{start},fps=25,setsar=4/3"
        arguments = ["-i", str(film), "-vf", chain, "-c:v", encoder, "-crf", str(crf), *ENCODERS[encoder]]
        chunks.append(read_chunk(clips.make(f"{encoder}-{start}.mkv", arguments), end - start))
    return chunks


@pytest.mark.parametrize("encoder", ENCODERS)
def test_frames_and_times_of_the_joined_video(clips: Clips, film: Film, tmp_path: Path, encoder: str) -> None:
    chunks = _chunks(clips, film("b-frames.mp4"), encoder, (34, 22, 28))
    ticks = 9000 + np.cumsum(np.random.default_rng(5).integers(9000, 20000, 98))  # no frame lasts as long as another
    joined = tmp_path / "joined.mp4"
    join(chunks, ticks, joined)
    wanted = [picture for chunk in chunks for picture in clips.hashes(chunk.path)]
    assert clips.hashes(joined) == wanted
    with av.open(str(joined)) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)
        shown = [frame.time for frame in container.decode(video=0)]
    assert np.allclose(shown, (ticks - ticks[0]) / 360_000, atol=1e-6)
    with av.open(str(joined)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert sum(packet.size for packet in packets) == sum(chunk.encoded_bytes for chunk in chunks)
    decoded = [packet.dts for packet in packets]
    assert all(a < b for a, b in itertools.pairwise(decoded))
    assert all(packet.dts <= packet.pts for packet in packets)


def test_chunks_with_other_headers_are_not_joined(clips: Clips, film: Film, tmp_path: Path) -> None:
    one, _, three = _chunks(clips, film("b-frames.mp4"), "libx264", (34, 22, 28))
    scaled = clips.make("other.mkv", ["-i", str(one.path), "-vf", "scale=64:36", "-c:v", "libx264"])
    with pytest.raises(VmafTuneError, match="parameters that differ"):
        join([one, read_chunk(scaled, 30), three], np.arange(88) * 14400, tmp_path / "joined.mp4")


def test_a_chunk_without_all_its_frames_is_told(clips: Clips, film: Film) -> None:
    chunk = _chunks(clips, film("b-frames.mp4"), "libx264", (34, 22, 28))[0]
    with pytest.raises(VmafTuneError, match="31 frames became 30"):
        read_chunk(chunk.path, 31)
