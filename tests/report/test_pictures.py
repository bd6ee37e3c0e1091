"""The pictures in a page are of the frames that it names, of the reference and of the encode."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from tests.conftest import Clips
from tests.report.conftest import RATE, STEP, Searched, search
from vmaftune.errors import PairingError
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.report.look import Frame, Look, look_at_encode, look_at_search
from vmaftune.report.pictures import Pair, Video, as_pairs, most_different, take_frames


def shown(uri: str) -> np.ndarray:
    """RGB of a picture in a data URI, shape (height, width, 3)."""
    head, _, body = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    with av.open(io.BytesIO(base64.b64decode(body))) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def told(uri: str) -> float:
    """The number that a frame of the counting clip tells, from its mean green, which JPEG keeps best."""
    return float(shown(uri)[..., 1].mean()) * 219 / 255 / STEP


def check(look: Look, numbers: Sequence[int]) -> None:
    assert look.worst and not look.problem
    for frame, number in zip(look.worst, numbers, strict=True):
        assert frame.pair is not None
        assert told(frame.pair.reference) == pytest.approx(number, abs=0.45)
        assert told(frame.pair.encode) == pytest.approx(number, abs=0.45)


def by_time(frames: Sequence[Frame]) -> list[int]:
    return [round(frame.seconds * RATE) for frame in frames]


def test_of_a_search_of_the_whole(counting: Path, tmp_path: Path) -> None:
    found = search(counting, tmp_path, max_crf=20.0)
    check(found.look, [frame.index for frame in found.look.worst])
    assert by_time(found.look.worst) == [frame.index for frame in found.look.worst]


def test_of_a_search_of_samples(counting: Path, tmp_path: Path) -> None:
    found = search(counting, tmp_path, max_crf=20.0, samples=2, sample_duration=0.5)
    assert len(found.look.spans) == 2 and {frame.span for frame in found.look.worst} == {0, 1}
    check(found.look, by_time(found.look.worst))
    assert [frame.score for frame in found.look.worst] == sorted(frame.score for frame in found.look.worst)
    assert found.look.scores is not None
    for frame in found.look.worst:
        assert frame.score == found.look.scores[frame.place]
        assert frame.place == frame.index + sum(span.frames for span in found.look.spans[: frame.span])


def test_through_the_users_filter(counting: Path, tmp_path: Path) -> None:
    """Frames are counted after the filter, as they are scored."""
    found = search(counting, tmp_path, max_crf=20.0, vfilter="select='gte(n,30)'")
    check(found.look, [30 + frame.index for frame in found.look.worst])


def test_of_a_finished_encode(counting: Path, clips: Clips, tmp_path: Path) -> None:
    """At another frame rate and in another container than the source: time says nothing, order does."""
    found = search(counting, tmp_path, max_crf=20.0)
    arguments = ["-r", "30000/1001", "-i", str(counting), "-c:v", "libx264", "-crf", "20", "-bf", "3"]
    encode = clips.make("encode.mp4", arguments)
    scores = np.full(72, 99.0)
    scores[[3, 40, 71]] = 50.0, 40.0, 60.0
    look = look_at_encode(found.session, counting, encode, 20.0, scores)
    assert [frame.index for frame in look.worst][:3] == [40, 3, 71]
    check(look, [frame.index for frame in look.worst])


def test_a_lost_frame_gives_no_picture(counting: Path, clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    short = clips.make("short.mkv", ["-i", str(counting), "-frames:v", "71", "-c:v", "libx264", "-crf", "20"])
    with pytest.raises(PairingError):
        take_frames(ffmpeg, Video(path=counting, stream_index=0), Video(path=short, stream_index=0), [3], 72, tmp_path)
    found = search(counting, tmp_path, max_crf=20.0)
    look = look_at_encode(found.session, counting, short, 20.0, np.full(72, 90.0))
    assert "no pictures" in look.problem and "71 frames" in look.problem
    assert look.scores is not None and look.worst[0].pair is None


def test_details_are_where_the_two_differ(searched: Searched) -> None:
    assert all(frame.pair and frame.pair.reference_detail for frame in searched.look.worst)
    one = np.zeros((540, 960, 3), np.uint8)
    other = one.copy()
    other[400:420, 700:730] = 90
    left, top = most_different(one, other, (360, 204))
    assert left <= 700 and left + 360 >= 730 and top <= 400 and top + 204 >= 420


def test_pictures_keep_to_their_budget() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (540, 960, 3), dtype=np.uint8)
    images = {n: (noise, noise[::-1].copy()) for n in range(2)}
    free = embedded_bytes(as_pairs(images, 10**8))
    assert embedded_bytes(as_pairs(images, free * 2 // 3)) <= free * 2 // 3


def embedded_bytes(pairs: dict[int, Pair]) -> int:
    uris = [uri for p in pairs.values() for uri in (p.reference, p.encode, p.reference_detail, p.encode_detail) if uri]
    return sum(len(base64.b64decode(uri.partition(",")[2])) for uri in uris)


def test_scores_that_were_not_kept(searched: Searched) -> None:
    """Nothing is made up for a CRF that was never probed."""
    look = look_at_search(searched.session, searched.clip, 1.0)
    assert look.scores is None and not look.worst and look.problem


def test_a_source_that_is_gone(searched: Searched, tmp_path: Path) -> None:
    look = look_at_search(searched.session, tmp_path / "gone.mkv", searched.report.crf)
    assert look.facts is None and "could not be read again" in look.problem
