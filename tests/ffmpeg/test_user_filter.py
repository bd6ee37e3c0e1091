"""``--vfilter`` goes before the encode and before the reference, also when it changes the number of frames or their size."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.conftest import CONSTANT_QP, Moving
from vmaftune.crf_search.prober import Prober
from vmaftune.crf_search.source import EncodeRequest, prepare
from vmaftune.errors import UserError
from vmaftune.features.measure import filtered
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.quality.settings import ScoreSettings
from vmaftune.state.store import Store


@pytest.mark.parametrize("loopback", [True, False])
@pytest.mark.parametrize(
    ("video_filter", "frames"),
    [
        ("trim=start_frame=3:end_frame=20", 17),
        ("trim=start_frame=3,setpts=PTS-STARTPTS", 33),
        ("select='not(mod(n,2))'", 18),
        ("fps=50", 72),
        ("fps=10", 14),
        ("scale=128:-2", 36),
        ("crop=100:80:7:3", 36),
        ("transpose=1", 36),
        ("split[a][b];[a]hflip[c];[b][c]overlay=W/2", 36),
        ("minterpolate=fps=30:mi_mode=dup", None),
        ("yadif=1", 72),
        ("reverse", 36),
        ("setpts=2*PTS", 36),
        ("eq=brightness=0.1", 36),
    ],
)
def test_frames_and_score(
    video_filter: str, frames: int | None, loopback: bool, moving: Moving, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    program = msgspec.structs.replace(ffmpeg, loopback=loopback)
    request = EncodeRequest(
        encoder=CONSTANT_QP, preset="superfast", video_filter=video_filter, score=ScoreSettings(size="none", pool="min")
    )
    source = prepare(program, moving.plain, request, Store(None), tmp_path)
    assert frames is None or source.frames == (frames,)
    record = Prober(program, source, threads=2, store=Store(None), folder=tmp_path).probe(22.0, lambda _: None)
    assert record.frames == source.frames[0]
    assert record.vmaf > 93, "a good encode of the filtered pictures, which a wrong pairing could not be"


def test_a_chain_that_fails(moving: Moving, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    request = EncodeRequest(encoder=CONSTANT_QP, score=ScoreSettings(size="none"))
    (sample,) = prepare(ffmpeg, moving.plain, request, Store(None), tmp_path).samples
    with pytest.raises(UserError, match="--vfilter 'nosuch' fails: No such filter"):
        filtered(ffmpeg, sample, (64, 48), "nosuch", tmp_path)
