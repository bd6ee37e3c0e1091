"""What is said of a source's held-out curves knows nothing of that source, and is as good as the features let it be."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.training.build import RANGES, SMALL, made_rows
from vmaftune.contract.features import NAMES
from vmaftune.corpus.rows import CorpusRow
from vmaftune.training.evaluate import errors, held_out_deviation, leave_one_source_out
from vmaftune.training.predictor import TrainedPredictor
from vmaftune.training.table import Table, training_table

BRIEF = replace(SMALL, steps=20)
FILM = "film 03"
"""It has two clips, of two heights, and two encoders."""


def places(table: Table, source: str = FILM) -> np.ndarray:
    return np.array([name == source for name in table.sources])


def test_the_curves_of_a_source_are_unseen_at_all_its_heights_and_encoders(rows: list[CorpusRow]) -> None:
    changed = [msgspec.structs.replace(row, vmaf_mean=row.vmaf_mean / 2) if row.source == FILM else row for row in rows]
    tables = [training_table(some, RANGES) for some in (rows, changed)]
    own = places(tables[0])
    first, second = (leave_one_source_out(table, BRIEF, seed=0) for table in tables)
    assert own.sum() == 4 and (tables[0].vmaf[own] != tables[1].vmaf[own]).any(axis=1).all()
    assert (first[own] == second[own]).all() and (first[~own] != second[~own]).any(axis=1).all()


def test_the_features_of_its_other_height_are_unseen_too(rows: list[CorpusRow]) -> None:
    def other(row: CorpusRow) -> CorpusRow:
        return msgspec.structs.replace(row, features=tuple(value * 1.5 for value in row.features))

    changed = [other(row) if row.clip == f"{FILM} b" else row for row in rows]
    tables = [training_table(some, RANGES) for some in (rows, changed)]
    first, second = (leave_one_source_out(table, BRIEF, seed=0) for table in tables)
    kept = places(tables[0]) & (tables[0].heights == 720)
    assert kept.sum() == 2 and (first[kept] == second[kept]).all()
    assert (first[tables[0].heights == 540] != second[tables[0].heights == 540]).any()


def test_intervals_of_a_source_are_made_without_it(trained: TrainedPredictor) -> None:
    table, own = trained.table, places(trained.table)
    worse = replace(table, vmaf=np.where(own[:, None], 0.0, table.vmaf))
    first, second = (held_out_deviation(each, trained.mean) for each in (table, worse))
    assert (first[own] == second[own]).all() and (first[~own] != second[~own]).any(axis=1).all()
    assert (first == trained.deviation).all()


def test_an_input_that_only_the_source_left_out_has_does_not_mislead(rows: list[CorpusRow]) -> None:
    place = NAMES.index("bit_depth")

    def deep(row: CorpusRow, bits: float) -> CorpusRow:
        return msgspec.structs.replace(row, features=(*row.features[:place], bits, *row.features[place + 1 :]))

    tables = [training_table([deep(r, b if r.source == FILM else 8.0) for r in rows], RANGES) for b in (8.0, 10.0)]
    first, second = (leave_one_source_out(table, BRIEF, seed=0) for table in tables)
    assert first[places(tables[0])] == pytest.approx(second[places(tables[0])], abs=1e-3)


def test_what_the_features_tell_is_learned() -> None:
    table = training_table(made_rows(), RANGES)
    told = errors(table, leave_one_source_out(table, SMALL, seed=1))
    blind = errors(table, leave_one_source_out(table, replace(SMALL, features="none", hidden=()), seed=1))
    assert np.nanmean(told) < 1.6 < 3.0 < np.nanmean(blind)


def test_a_source_that_its_features_belie_has_a_large_error() -> None:
    table = training_table(made_rows(contrary=FILM), RANGES)
    each, own = errors(table, leave_one_source_out(table, SMALL, seed=1)), places(table)
    assert each[own].min() > 15.0 > 3.0 * np.nanmedian(each[~own])


def test_intervals_cover(trained: TrainedPredictor) -> None:
    assert [figures.group for figures in trained.by_curve] == ["libsvtav1 8", "libx264 medium"]
    assert all(0.8 <= figures.coverage_90 <= 0.97 for figures in trained.by_curve)
    assert all(figures.sources == 18 and figures.curves == 24 for figures in trained.by_curve)


def test_figures_are_those_of_the_curves(trained: TrainedPredictor) -> None:
    each = errors(trained.table, trained.mean)
    for place, figures in enumerate(trained.by_curve):
        own = each[trained.table.which == place]
        assert figures.mae_vmaf == pytest.approx(np.nanmean(own), abs=1e-4)
        assert trained.metrics[f"mae_vmaf {figures.group}"] == figures.mae_vmaf
    assert trained.metrics["mae_vmaf"] == pytest.approx(np.nanmean(each), abs=1e-4)
    assert [figures.group for figures in trained.by_kind] == ["animation", "film", "screen"]


def test_a_model_is_compared_on_the_same_curves_or_not_at_all(trained: TrainedPredictor) -> None:
    keys = trained.table.keys
    assert len(set(keys)) == len(keys) == 48 and ("film 03 b", 540, "libx264 medium") in keys
    assert trained.mae_of(keys) == pytest.approx(trained.metrics["mae_vmaf"], abs=1e-4)
    assert trained.mae_of(keys[:1]) == pytest.approx(errors(trained.table, trained.mean)[0])
    assert trained.mae_of([*keys, ("another", 720, "libx264 medium")]) is None and trained.mae_of([]) is None
