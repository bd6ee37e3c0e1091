"""State files: anonymous, bounded, handed on; and what becomes of those that cannot be used."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from vmaftune_plugins.sidecars.history import HistoryRow
from vmaftune_plugins.sidecars.ridge import EncoderOptions, Settings
from vmaftune_plugins.sidecars.ridge_correction import RidgeCorrection
from vmaftune_plugins.sidecars.ridge_state import COLUMNS, add, state_file

from tests.sidecars.conftest import (
    TEN,
    VERSION,
    Make,
    adjustment,
    capture,
    learn,
    on_ten_sources,
    random_source,
    rows,
    shift,
    state_in,
    statistics,
)
from vmaftune.features.schema import NAMES

WHERE = (VERSION, "libx264")


def test_the_state_names_no_source_and_no_host(make: Make, state_path: Path) -> None:
    learn(make(), on_ten_sources(1.0))
    state = json.loads(state_path.read_text())
    del state["checksum"]
    assert set(state) == {
        *("schema_version", "predictor_version", "host_uuid", "feature_names", "presets", "history", "imported")
    }
    assert state["feature_names"] == ["level", "slope", "curvature", *NAMES, *(f"slope x {name}" for name in NAMES)]
    assert set(state["presets"]) == {"medium"}
    assert set(state["presets"]["medium"]) == {"captures", "sources", "absurd", "sums"}
    assert HistoryRow.__struct_fields__ == (
        *("features", "preset", "position", "residual", "deviation", "left", "terms", "innovation", "first"),
        "timestamp",
    )
    features, preset, *numbers = state["history"][0]
    assert len(base64.b64decode(features)) == 4 * len(NAMES) and preset == "medium"
    assert not [each for each in numbers if isinstance(each, str)]
    said = {VERSION, "medium", *state["feature_names"], state["host_uuid"]}
    packed = {state["presets"]["medium"]["sums"], *(row[0] for row in state["history"])}
    assert set(_strings(state)) == {*said, *packed}


def _strings(value: Any) -> Iterator[str]:
    """All strings in JSON values; keys are looked at on their own."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def test_history_is_a_ring_and_statistics_hold_them_all(make: Make, state_path: Path) -> None:
    correction = make(settings=Settings(history_rows=16))
    learn(correction, [capture(28.0, 1.0, source=i / 20 - 1.0, at=1e9 + i) for i in range(40)])
    state = state_in(state_path)
    assert state.captures == state.sources == 40
    assert [row.timestamp for row in state.history] == [1e9 + i for i in range(24, 40)]
    (known,) = correction.states()
    assert (known.captures, known.sources, known.absurd, known.presets) == (40, 40, 0, {"medium": 40})
    assert known.size_bytes == state_path.stat().st_size and known.last_unix_seconds == 1e9 + 39
    assert (known.predictor_version, known.encoder) == WHERE


def test_the_largest_state_stays_below_a_mebibyte_and_is_used(make: Make, tmp_path: Path, state_path: Path) -> None:
    random = np.random.default_rng(1)
    file = state_file(tmp_path / "sidecar", *WHERE, pytest.fail)
    state = file.read()
    for number in range(2040):
        source = random_source(random)
        crf, residual = round(float(random.uniform(10.0, 46.0)), 2), float(random.normal(3.0, 3.0))
        (row,) = rows(
            [capture(crf, residual, source=source, preset=f"preset number {number % 20}", at=1.7e9 + number / 7)]
        )
        state = add(state, row, history_rows=2000, half_life=0.0, folder=tmp_path / "sidecar")
    file.update(lambda _: state)
    correction = make(settings=Settings(history_rows=2000))
    correction.learn(capture(28.0, 3.0, source=0.123456789, preset="preset number 7"))
    kept = state_in(state_path)
    assert len(kept.history) == 2000 and len(kept.presets) == 20 and kept.captures == 2041
    assert all(any(known.sums) for known in kept.presets.values())
    assert state_path.stat().st_size < 1 << 20
    assert np.abs(shift(correction, preset="preset number 7") - 3.0).max() < 1.5


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"schema_version": 1}', b"[1, 2]"])
@pytest.mark.parametrize("first", ["correct", "learn"])
def test_a_corrupt_state_is_set_aside_with_one_warning_and_learning_begins_anew(
    make: Make, state_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, first: str
) -> None:
    state_path.parent.mkdir(parents=True)
    state_path.write_bytes(content)
    correction = make()
    if first == "correct":
        cold = adjustment(correction)
        assert not cold.shift.any() and cold.covariance is None
    correction.learn(capture(23.0, 1.0))
    adjustment(correction)
    assert state_path.with_name("state.json.set-aside").read_bytes() == content
    assert capsys.readouterr().out.count("set aside") == 1
    assert state_in(state_path).captures == 1


def _changed(state: dict[str, Any], change: str) -> dict[str, Any]:
    """A state as JSON values, with something in it that none has."""
    row = state["history"][0]
    changes: dict[str, dict[str, Any]] = {
        "another schema": {"schema_version": 99},
        "the first schema": {"schema_version": 1},
        "another predictor": {"predictor_version": "mlp_v1-12345678"},
        "other features": {"feature_names": ["level"]},
        "short sums": {"presets": {"medium": {**state["presets"]["medium"], "sums": ""}}},
        "short features": {"history": [["AAAA", *row[1:]]]},
        "features that are no numbers": {
            "history": [[base64.b64encode(np.full(len(NAMES), np.nan, "<f4").tobytes()).decode(), *row[1:]]]
        },
        "a preset unknown": {"history": [[row[0], "slow", *row[2:]]]},
        "more captures than counted": {"history": [row] * 3},
        "no deviation": {"history": [[*row[:4], 0.0, *row[5:]]]},
        "a huge innovation": {"history": [[*row[:7], 1e300, *row[8:]]]},
        "a history of words": {"history": [["words"]]},
        "no history": {"history": None},
    }
    return {**state, **changes[change]}


FOREIGN = [
    *("another schema", "the first schema", "another predictor", "other features", "short sums", "short features"),
    *("features that are no numbers", "a preset unknown", "more captures than counted", "no deviation"),
    *("a huge innovation", "a history of words", "no history"),
]


@pytest.mark.parametrize("change", FOREIGN)
def test_a_state_of_another_make_is_set_aside_not_deleted(
    make: Make, state_path: Path, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    make().learn(capture(23.0, 1.0))
    state_path.write_text(json.dumps(_changed(json.loads(state_path.read_text()), change)))
    foreign = state_path.read_bytes()
    assert not shift(make()).any()
    make().learn(capture(23.0, 2.0))
    assert state_path.with_name("state.json.set-aside").read_bytes() == foreign
    assert capsys.readouterr().out.count("set aside") == 1
    assert state_in(state_path).captures == 1


@pytest.mark.parametrize("change", FOREIGN)
def test_foreign_content_is_not_taken_in(make: Make, change: str) -> None:
    content = learn(make(folder="theirs"), [capture(23.0, 1.0)]).exported(*WHERE)
    mine = learn(make(), on_ten_sources(1.0)[:2])
    before = mine.state("libx264")
    with pytest.raises(ValueError):
        mine.take_in(*WHERE, _changed(content, change), "a bundle")
    assert mine.state("libx264") == before


@pytest.mark.parametrize("content", [{}, {"schema_version": 2}, {"history": []}, [], {"presets": "none"}])
def test_what_is_no_state_is_not_taken_in(make: Make, content: Any) -> None:
    with pytest.raises(ValueError):
        make().take_in(*WHERE, content, "a bundle")
    assert make().states() == []


def test_a_residual_that_is_no_number_is_not_taken_in(make: Make) -> None:
    content = learn(make(folder="theirs"), [capture(23.0, 1.0)]).exported(*WHERE)
    content["history"] = [[*content["history"][0][:3], math.nan, *content["history"][0][4:]]]
    with pytest.raises(ValueError):
        make().take_in(*WHERE, content, "a bundle")
    assert make().states() == []


def _bundle(correction: RidgeCorrection) -> dict[str, Any]:
    """As it goes from host to host."""
    return json.loads(json.dumps(correction.exported(*WHERE)))


def test_what_is_exported_gives_the_same_correction_elsewhere(make: Make) -> None:
    theirs = learn(make(folder="theirs", settings=Settings(history_rows=16)), on_ten_sources(3.0))
    bundle = _bundle(theirs)
    mine = make()
    assert mine.take_in(*WHERE, bundle, "a bundle") == 20
    assert statistics(mine.state("libx264")) == statistics(theirs.state("libx264"))
    for source in (0.0, 0.7):
        here, there = adjustment(mine, source), adjustment(theirs, source)
        assert here.shift.any() and here.shift.tobytes() == there.shift.tobytes()
        assert here.covariance.tobytes() == there.covariance.tobytes() and here.captures == 20


def test_what_is_exported_says_neither_which_host_nor_at_what_time_of_day(make: Make) -> None:
    theirs = learn(make(), on_ten_sources(3.0))
    bundle = _bundle(theirs)
    assert bundle["host_uuid"] == "" and bundle["imported"] == []
    assert theirs.state("libx264").host_uuid not in json.dumps(bundle)
    assert all(row[-1] % 86400.0 == 0.0 for row in bundle["history"])
    assert all(row.timestamp % 86400.0 != 0.0 for row in theirs.state("libx264").history)


def test_the_same_bundle_counts_once_and_two_add_up_to_what_one_host_would_have_learned(make: Make) -> None:
    captures = on_ten_sources(3.0)
    first, second = (learn(make(folder=name), part) for name, part in (("a", captures[:10]), ("b", captures[10:])))
    bundles = [_bundle(first), _bundle(second)]
    mine = make()
    assert [mine.take_in(*WHERE, b, name) for b, name in zip(bundles, "ab", strict=True)] == [10, 10]
    once = mine.state("libx264")
    assert [mine.take_in(*WHERE, b, name) for b, name in zip(bundles, "ab", strict=True)] == [0, 0]
    assert mine.state("libx264") == once and once.imported == ("a", "b")
    assert statistics(once) == statistics(learn(make(folder="alone"), captures).state("libx264"))
    mine.learn(capture(28.0, 3.0, source=1.5))
    assert mine.state("libx264").captures == 21
    assert mine.state("libx264").host_uuid not in {"", *(each.state("libx264").host_uuid for each in (first, second))}


def test_what_is_taken_in_keeps_to_the_settings_of_this_host(make: Make) -> None:
    theirs = learn(make(folder="theirs"), on_ten_sources(3.0))
    mine = make(settings=Settings(encoders={"libx264": EncoderOptions(history_rows=16)}))
    mine.take_in(*WHERE, _bundle(theirs), "a bundle")
    assert len(mine.state("libx264").history) == 16
    assert statistics(mine.state("libx264")) == statistics(theirs.state("libx264"))


def test_terms_say_what_the_correction_is_made_of_and_how_sure_it_is(make: Make) -> None:
    assert make().terms(*WHERE, "medium") == []
    correction = learn(make(), on_ten_sources(3.0))
    terms = {term.name: term for term in correction.terms(*WHERE, "medium")}
    assert set(terms) == {*COLUMNS, "level of this preset", "slope of this preset"}
    assert terms["level"].weight + terms["level of this preset"].weight == pytest.approx(3.0, abs=0.5)
    assert all(math.isfinite(term.weight) and term.deviation >= 0.0 for term in terms.values())
    sizes = [abs(term.weight) for term in correction.terms(*WHERE, "medium")]
    assert sizes == sorted(sizes, reverse=True)


def test_what_is_held_can_be_read_and_forgotten(make: Make, state_path: Path) -> None:
    correction = make()
    learn(
        correction, [capture(28.0, r, source=s, corrected=1.0) for s, r in zip(TEN[:3], (1.0, 2.0, 60.0), strict=True)]
    )
    held = correction.captures(*WHERE)
    assert [(each.residual, each.left, each.absurd, each.preset) for each in held] == [
        (1.0, 0.0, False, "medium"),
        (2.0, 1.0, False, "medium"),
        (60.0, 59.0, True, "medium"),
    ]
    assert {each.crf_position for each in held} == {0.5} and {each.deviation for each in held} == {1.5}
    correction.reset(*WHERE)
    assert not state_path.exists() and correction.states() == [] and not shift(correction).any()
    correction.reset(*WHERE)


def test_an_encoder_without_presets_has_statistics_under_no_name(make: Make) -> None:
    correction = learn(make(), [capture(28.0, 3.0, source=s, preset=None) for s in TEN])
    assert list(correction.state("libx264").presets) == [""]
    assert (shift(correction, preset=None) > 2.0).all()
