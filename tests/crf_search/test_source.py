"""A source made ready: what the user's filters change is what is encoded, scored and counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from vmaftune_plugins.encoders import vmaftune_encoders

from tests.conftest import Clips
from vmaftune.crf_search.source import EncodeRequest, PreparedSource, prepare
from vmaftune.errors import UserError
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.state.store import Store

X264 = next(spec for spec in vmaftune_encoders() if spec.name == "libx264")


def _prepared(ffmpeg: Ffmpeg, clips: Clips, folder: Path, video_filter: str | None) -> PreparedSource:
    clip = clips.lavfi("wide.mkv", "testsrc2=size=2560x1442:rate=10:duration=0.5", ["-c:v", "libx264", "-qp", "20"])
    request = EncodeRequest(encoder=X264, video_filter=video_filter)
    return prepare(ffmpeg, clip, request, Store(None), folder)


def test_a_filter_that_resizes_decides_model_and_size(ffmpeg: Ffmpeg, clips: Clips, tmp_path: Path) -> None:
    assert _prepared(ffmpeg, clips, tmp_path, None).comparison.size is None
    assert _prepared(ffmpeg, clips, tmp_path, "scale=640:360").comparison.size == (1920, 1080)


def test_a_filter_that_leaves_an_odd_size_is_followed_by_a_crop(ffmpeg: Ffmpeg, clips: Clips, tmp_path: Path) -> None:
    chain = _prepared(ffmpeg, clips, tmp_path, "scale=641:361").settings.filter_chain
    assert chain is not None and chain.startswith("scale=641:361,crop=")


def test_a_filter_that_drops_frames_is_counted(ffmpeg: Ffmpeg, clips: Clips, tmp_path: Path) -> None:
    assert _prepared(ffmpeg, clips, tmp_path, "scale=64:36,trim=end_frame=3").frames == (3,)


def test_a_filter_that_leaves_nothing_is_refused(ffmpeg: Ffmpeg, clips: Clips, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="leaves no frame"):
        _prepared(ffmpeg, clips, tmp_path, "select=0")


def test_each_thing_that_changes_a_score_changes_the_cache_key(ffmpeg: Ffmpeg, clips: Clips, tmp_path: Path) -> None:
    keys = [_prepared(ffmpeg, clips, tmp_path, f).curve_key for f in (None, "scale=640:360", "scale=64:36")]
    assert len(set(keys)) == 3
    assert keys[0] == _prepared(ffmpeg, clips, tmp_path, None).curve_key
