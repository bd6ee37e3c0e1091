"""What becomes of a corpus: which rows count, and what is said where too few do."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from tests.training.build import RANGES, SMALL, made_rows
from vmaftune.corpus.rows import CorpusRow
from vmaftune.errors import UserError
from vmaftune.training.predictor import train_predictor
from vmaftune.training.table import training_table


def changed(rows: list[CorpusRow], **fields: object) -> list[CorpusRow]:
    return [msgspec.structs.replace(row, **fields) for row in rows]


def test_knots_go_through_what_was_measured(rows: list[CorpusRow]) -> None:
    table = training_table(rows, RANGES)
    row = next(row for row in rows if row.encoder == "libx264" and row.crf == 28.0)
    line = table.keys.index((row.clip, row.height, "libx264 medium"))
    crfs = table.curves[table.which[line]].crfs
    assert crfs[[0, -1]].tolist() == [10.0, 46.0]
    assert float(np.interp(28.0, crfs, table.vmaf[line])) == pytest.approx(row.vmaf_mean, abs=0.05)


def test_far_from_what_was_measured_a_knot_does_not_count(rows: list[CorpusRow]) -> None:
    near = training_table([row for row in rows if row.encoder == "libx264" and row.crf > 20], RANGES)
    assert near.measured[0].tolist() == (near.curves[0].crfs >= 21.0 - 4.0).tolist()


def test_a_row_without_a_pilot_does_not_count(rows: list[CorpusRow]) -> None:
    bare = (math.nan,) * len(rows[0].features)
    some = [msgspec.structs.replace(row, features=bare) if row.clip == "film 03 b" else row for row in rows]
    table = training_table(some, RANGES)
    assert len(table.keys) == 46 and np.isfinite(table.inputs).all() and "film 03 b" not in table.clips
    with pytest.raises(
        UserError, match="with all features, of 0 sources for one encoder and preset: training needs 15"
    ):
        training_table(changed(rows, features=bare), RANGES)


def test_an_encoder_that_is_not_installed_does_not_count(rows: list[CorpusRow]) -> None:
    more = [*rows, *changed([row for row in rows if row.encoder == "libx264"], encoder="gone")]
    assert [curve.name for curve in training_table(more, RANGES).curves] == ["libsvtav1 8", "libx264 medium"]
    with pytest.raises(UserError, match="of 0 sources"):
        training_table(changed(rows, encoder="gone"), RANGES)


def test_few_sources_are_left_to_others(rows: list[CorpusRow]) -> None:
    few = [row for row in rows if row.encoder == "libx264" or row.source < "film 14"]
    assert [curve.name for curve in training_table(few, RANGES).curves] == ["libx264 medium"]
    with pytest.raises(UserError, match="of 14 sources"):
        training_table(made_rows(sources=14), RANGES)


def test_clips_of_one_height_are_curves_of_their_own(rows: list[CorpusRow]) -> None:
    same = [msgspec.structs.replace(row, height=720) for row in rows]
    table = training_table(same, RANGES)
    assert len(set(table.keys)) == 48 and len(set(table.sources)) == 18


def test_a_table_without_a_source(rows: list[CorpusRow]) -> None:
    table = training_table(rows, RANGES)
    less = table.without("film 03")
    assert len(less.keys) == 44 and "film 03" not in less.sources and table.without(None).keys == table.keys
    assert less.vmaf.shape == less.measured.shape == (44, 37) and len(less.inputs) == len(less.heights) == 44


def test_curves_where_nothing_can_be_judged_are_refused(rows: list[CorpusRow]) -> None:
    with pytest.raises(UserError, match="no curve of the corpus has a VMAF of 80 to 98"):
        train_predictor([msgspec.structs.replace(r, vmaf_mean=r.vmaf_mean / 2) for r in rows], RANGES, seed=0)


@pytest.mark.parametrize("encoder", [("libvpx-vp9", None), ("libsvtav1", "8")])
def test_one_encoder_with_or_without_a_preset_is_enough(encoder: tuple[str, str | None]) -> None:
    rows = made_rows(encoders=[encoder])
    trained = train_predictor(rows, RANGES, seed=0, design=SMALL)
    assert [figures.group for figures in trained.by_curve] == [f"{encoder[0]} {encoder[1] or 'none'}"]
    assert trained.metrics["mae_vmaf"] < 2.0
