"""The scores that VMAF's authors publish come out of ``vmaf_score`` over standard input and output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.mcp.conftest import Server


@pytest.mark.parametrize("number", [0, 1, 2])
def test_published_scores(server: Server, shared: Path, number: int) -> None:
    pair = json.loads((shared / "golden" / "golden.json").read_text())["pairs"][number]
    arguments = {name: pair[name] for name in ("reference", "distorted", "width", "height", "pix_fmt")}
    result = server.call("vmaf_score", {**arguments, "vmaf_scale": "none"}, shared / "golden")
    report = result.structured_content
    assert report["frames"] == pair["frames"]
    assert report["vmaf"] == pytest.approx(pair["vmaf"], abs=5e-4)
    for name, published in pair.get("features", {}).items():
        assert report["features"][name] == pytest.approx(published, abs=5e-5)
