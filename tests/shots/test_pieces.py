"""Shots begin where scenes do, and a piece holds exactly the frames of its span, whatever the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Clips
from tests.shots.conftest import CUTS, FRAMES, HELD
from vmaftune.shots.detect import Frames, Shot, shots_of
from vmaftune.shots.piece import Pieces

Film = Callable[..., Path]
LookedAt = Callable[[Path], tuple[Frames, Pieces]]
CANNOT_BE_CUT = {"no-times.h264"}


@pytest.mark.parametrize("name", HELD)
def test_cuts_are_found_and_pieces_are_exact(
    clips: Clips, film: Film, looked_at: LookedAt, tmp_path: Path, name: str
) -> None:
    path = film(name)
    frames, pieces = looked_at(path)
    assert frames.count == FRAMES
    assert tuple(shot.start for shot in shots_of(frames, 20)) == CUTS
    assert pieces.can_cut == (name not in CANNOT_BE_CUT)
    wanted = clips.hashes(path)
    spans = [*shots_of(frames, 20), Shot(start=41, frames=9), Shot(start=FRAMES - 3, frames=3)]
    for span in spans:
        with pieces.of(span) as piece:
            assert (piece.sample.path == path) == (name in CANNOT_BE_CUT)
            assert len(piece.sample.packet_bytes) == span.frames
            stream = piece.sample.stream_index
            assert clips.hashes(piece.sample.path, stream, video_filter=piece.trim) == wanted[span.start : span.end]
            # The same pictures where they are given times: none is dropped, doubled or moved.
            assert clips.hashes(piece.sample.path, stream, video_filter=piece.chain) == wanted[span.start : span.end]
        assert not list(tmp_path.glob("piece*"))


def test_a_piece_that_is_not_the_source_is_not_used(film: Film, looked_at: LookedAt) -> None:
    path = film("b-frames.mp4")
    frames, pieces = looked_at(path)
    wrong = np.frombuffer(frames.checksums_bytes, "<u4").copy()
    wrong[50] ^= 1
    altered = Frames(ticks_bytes=frames.ticks_bytes, checksums_bytes=wrong.tobytes(), scores_bytes=frames.scores_bytes)
    pieces._frames = altered
    with pieces.of(Shot(start=30, frames=10)) as good, pieces.of(Shot(start=45, frames=10)) as bad:
        assert good.sample.path != path
        assert bad.sample.path == path and bad.trim == "trim=start_frame=45:end_frame=55"


def test_short_shots_join_a_neighbour_and_clear_cuts_win() -> None:
    scores = np.zeros(100, dtype="<f4")
    scores[[30, 35, 60, 95]] = [20.0, 40.0, 15.0, 90.0]
    frames = Frames(ticks_bytes=bytes(800), checksums_bytes=bytes(400), scores_bytes=scores.tobytes())
    assert [(s.start, s.frames) for s in shots_of(frames, 10)] == [(0, 35), (35, 25), (60, 40)]
    assert [(s.start, s.frames) for s in shots_of(frames, 200)] == [(0, 100)]
    assert [(s.start, s.frames) for s in shots_of(frames, 1)] == [(0, 30), (30, 5), (35, 25), (60, 35), (95, 5)]
