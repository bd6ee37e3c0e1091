"""Failures are told by their reasons."""

from __future__ import annotations

from pathlib import Path

from vmaftune.corpus.failures import Failure, summary


def test_names_and_numbers_make_no_other_reason() -> None:
    probes = [
        Failure(
            path=Path(f"/v/clip{n}.mkv"), probe=f"640x360 libx264 CRF {n}", reason=f"libx264 at CRF {n}: {n} frames"
        )
        for n in range(20, 23)
    ]
    sources = [Failure(path=Path("/v/a.mkv"), probe=None, reason="/v/a.mkv cannot be read as a video: Invalid data")]
    sources += [Failure(path=Path("/v/b.mkv"), probe=None, reason="no room")]
    assert summary([*sources, *probes]) == [
        "3 probes, such as clip20.mkv 640x360 libx264 CRF 20: libx264 at CRF 20: 20 frames",
        "1 source: /v/a.mkv cannot be read as a video: Invalid data",
        "1 source: b.mkv: no room",
    ]
    assert summary([]) == []
