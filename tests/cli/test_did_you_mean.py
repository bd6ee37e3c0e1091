"""A mistyped name is answered with the one that was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Program
from vmaftune.nearest import meant

MISTYPED = {
    "crf-serach -i x.mkv": "crf-search",
    "sidecar shwo": "show",
    "crf-search -i x.mkv --min-vamf 93": "--min-vmaf",
    "crf-search -i CLIP -e libx64": "libx264",
    "crf-search -i CLIP -e x265": "libx265",
    "crf-search -i CLIP -e libx264 --preset medum": "medium",
    "crf-search -i CLIP -e libx264 --pix-format yuv240p": "yuv420p",
    "crf-search -i CLIP --plugin ridge-sidcar": "ridge-sidecar",
    "crf-search -i CLIP --predictor mpl": "mlp",
    "crf-search -i CLIP --model mlp-v1": "mlp_v1",
    "models show mlp_1": "mlp_v1",
    "corpus measure CLIP -o rows.jsonl --curve libx264:fastr": "faster",
    "crf-search -i CLIP --config mine.toml": "min-vmaf",
}


@pytest.mark.parametrize("line", MISTYPED)
def test_what_was_meant_is_said(program: Program, clip: Path, line: str) -> None:
    (program.home / "mine.toml").write_text("[search]\nmin_vmaf = 93\n")
    ended = program(*line.replace("CLIP", str(clip)).split())
    assert ended.code == 2 and ended.err.count("\n") == 1, ended.err
    assert "id you mean" in ended.complaint() and MISTYPED[line] in ended.complaint().split("id you mean")[1]


def test_what_is_far_from_all_names_is_none_of_them() -> None:
    assert meant("zzz", ["slow", "fast"]) == "" and meant("SLOW", ["slow"]) == "; did you mean 'slow'?"
