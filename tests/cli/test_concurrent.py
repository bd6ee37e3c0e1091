"""Searches at the same time share one cache and one sidecar state."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import SIDECAR, USUAL, X264, Program


def test_searches_at_once_all_succeed_and_their_captures_add_up(program: Program, clip: Path) -> None:
    lines = [
        ["crf-search", "-i", clip, *USUAL, *SIDECAR, "--min-vmaf", target, *more, "--json"]
        for target in ("90", "85")
        for more in ((), ("--no-cache",))
    ]
    children = [program.start(*line) for line in lines]
    scored: set[float] = set()
    for child in children:
        out, err = child.communicate(timeout=120)
        assert child.returncode == 0 and err == b"", err
        scored |= {probe["crf"] for probe in json.loads(out)["probes"]}
    state = json.loads(next(program.cache.glob("sidecar/*/libx264/state.json")).read_text())
    assert len(state["history"]) == len(scored), "each score once, whoever paid for it"
    assert program.left_behind() == []


def test_a_damaged_cache_is_set_aside_once_by_searches_at_once(program: Program, clip: Path) -> None:
    program.cache.mkdir(parents=True)
    (program.cache / "cache.sqlite").write_bytes(b"damaged " * 1000)
    children = [program.start("crf-search", "-i", clip, *X264, "--min-vmaf", "90") for _ in range(3)]
    complaints = [child.communicate(timeout=120)[1].decode().count("set aside") for child in children]
    assert [child.returncode for child in children] == [0, 0, 0]
    assert sum(complaints) == 1
    assert len(list(program.cache.glob("cache.sqlite.unreadable*"))) == 1
    assert program.search(clip)["probe_count"] == 0
