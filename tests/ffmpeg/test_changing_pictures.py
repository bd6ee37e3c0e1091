"""A source may change its size or format on the way, as broadcasts and recorded calls do: every frame is still scored."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Clips, Scorer
from vmaftune.media.facts import read_facts

_ENCODE = ["-c:v", "libx264", "-qp", "12"]
_PARTS = {
    "small": "testsrc2=size=160x90:rate=25:duration=0.8",
    "large": "testsrc2=size=320x180:rate=25:duration=0.8",
    "4:4:4": "testsrc2=size=160x90:rate=25:duration=0.8,format=yuv444p",
    "full range": "testsrc2=size=160x90:rate=25:duration=0.8,scale=out_range=full,format=yuvj420p",
}


@pytest.mark.parametrize("one_process", [True, False])
@pytest.mark.parametrize(
    ("first", "second"), [("small", "large"), ("large", "small"), ("small", "4:4:4"), ("small", "full range")]
)
def test_both_parts_are_scored(
    first: str, second: str, one_process: bool, clips: Clips, score: Scorer, tmp_path: Path
) -> None:
    parts = [clips.lavfi("part.ts", _PARTS[name], _ENCODE) for name in (first, second)]
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    encoded = score(both, one_process=one_process)
    assert len(encoded.frame_scores) == 40
    assert encoded.frame_scores.min() > 93, "a good encode of both"
    assert read_facts(both).width == read_facts(parts[0]).width
