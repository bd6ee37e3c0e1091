"""Rows that cannot be learned from together are refused, each for its own reason in one line."""

from __future__ import annotations

from typing import Any

import pytest

from tests.corpus.conftest import made_row
from vmaftune.contract.features import SCHEMA_VERSION
from vmaftune.corpus.check import LEAST_SOURCES, check_corpus, check_more, drop_short_curves
from vmaftune.corpus.rows import CorpusRow
from vmaftune.errors import UserError
from vmaftune.quality.vmaf import MODEL_4K, MODEL_HD

FILM_LATER = {"source": "film 0", "clip": "film 0, later"}


def _corpus(*changed: dict[str, Any]) -> list[CorpusRow]:
    """Rows that are right, and further ones of the first source at another CRF."""
    right = [made_row(source=f"film {n}", crf=crf) for n in range(LEAST_SOURCES) for crf in (20.0, 25.0, 30.0)]
    return [*right, *(made_row(**{"source": "film 0", "crf": 35.0 + n, **more}) for n, more in enumerate(changed))]


def test_a_right_corpus_is_taken() -> None:
    check_corpus(_corpus(), "rows.jsonl")
    check_corpus(_corpus({"height": 2160, "vmaf_model": MODEL_4K}, FILM_LATER), "rows.jsonl")
    check_corpus(_corpus({"ffmpeg": "9.1"}), "rows.jsonl")
    check_corpus([made_row(source=str(n), vmaf_model="own.json") for n in range(LEAST_SOURCES)], "rows.jsonl")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "holds no row"),
        (_corpus()[:3], "holds one source: training needs at least 5"),
        (_corpus()[:9], "holds 3 sources: training needs at least 5"),
        (_corpus({"feature_schema": SCHEMA_VERSION - 1}), f"this is {SCHEMA_VERSION}: measure it anew"),
        (_corpus({"crf": 20.0}), "holds film 0 at height 720, libx264 medium CRF 20, 2 times"),
        (_corpus({"vmaf_model": "vmaf_v0.6.1neg"}), "mixes VMAF models that do not compare"),
        (_corpus({"vmaf_model": MODEL_4K}), f"scored by two models, {MODEL_HD} and {MODEL_4K}"),
        (_corpus({"ffmpeg": "7.1"}), "mixes rows of ffmpeg 7 and 9"),
        (_corpus({"ffmpeg": "N-117000-g00"}), "mixes rows of ffmpeg 9 and N-117000-g00"),
        (_corpus({"source": "film 1", "clip": "film 0"}), "has film 0 as a clip of film 0 and of film 1"),
    ],
)
def test_a_wrong_corpus_is_refused(rows: list[CorpusRow], said: str) -> None:
    with pytest.raises(UserError) as caught:
        check_corpus(rows, "rows.jsonl")
    assert str(caught.value).startswith("rows.jsonl ") and said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_mixed_ffmpegs_can_be_allowed() -> None:
    check_corpus(_corpus({"ffmpeg": "7.1"}), "rows.jsonl", allow_mixed=True)


def test_short_curves_are_left_out() -> None:
    rows = _corpus({"height": 360, "crf": 20.0}, {"height": 360, "crf": 30.0}, {"preset": "slow"}, FILM_LATER)
    assert drop_short_curves(rows) == (_corpus(), 3)
    doubled = [made_row(crf=20.0)] * 3
    assert drop_short_curves(doubled) == ([], 1)


def test_rows_of_another_kind_are_not_added() -> None:
    version = made_row().ffmpeg
    check_more([], {}, version, "rows.jsonl")
    check_more(_corpus(), {"film 0": "film 0", "new": "new"}, "9.1", "rows.jsonl")
    with pytest.raises(UserError, match=r"was measured with ffmpeg n9\.0\.2.*, this is 7\.1"):
        check_more(_corpus(), {}, "7.1", "rows.jsonl")
    with pytest.raises(UserError, match="has film 0 as a clip of film 0, and now it is one of series"):
        check_more(_corpus(), {"film 0": "series"}, version, "rows.jsonl")
    with pytest.raises(UserError, match="measure it anew"):
        check_more([made_row(feature_schema=1)], {}, version, "rows.jsonl")
