"""State files: anonymous, bounded, handed on; and what becomes of those that cannot be used."""

from __future__ import annotations

import base64
import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from vmaftune_plugins.sidecars.history import HistoryRow
from vmaftune_plugins.sidecars.learned import with_captures
from vmaftune_plugins.sidecars.ridge_correction import RidgeCorrection
from vmaftune_plugins.sidecars.ridge_settings import EncoderOptions, Settings
from vmaftune_plugins.sidecars.ridge_state import COLUMNS, state_file

from tests.sidecars.conftest import (
    SPECS,
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
from vmaftune.contract.features import NAMES
from vmaftune.learned.allowed import census

WHERE = (VERSION, "libx264")


def test_the_state_names_no_source_and_no_host(make: Make, state_path: Path) -> None:
    learn(make(), on_ten_sources(1.0))
    state = json.loads(state_path.read_text())
    del state["checksum"]
    assert set(state) == {"schema_version", "predictor_version", "host_uuid", "feature_names", "history"}
    assert state["feature_names"] == ["level", "slope", "curvature", *NAMES, *(f"slope x {name}" for name in NAMES)]
    assert HistoryRow.__struct_fields__ == (
        *("features", "preset", "position", "observed", "residual", "deviation", "left", "timestamp"),
    )
    features, preset, *numbers = state["history"][0]
    assert len(base64.b64decode(features)) == 4 * len(NAMES) and preset == "medium"
    assert not [each for each in numbers if isinstance(each, str)]
    said = {VERSION, "medium", *state["feature_names"], state["host_uuid"]}
    packed = {row[0] for row in state["history"]}
    assert set(_strings(state)) == {*said, *packed}


def _strings(value: Any) -> Iterator[str]:
    """All strings in JSON values; keys are looked at on their own."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def test_the_last_captures_are_kept_and_counted(make: Make, state_path: Path) -> None:
    correction = make(settings=Settings(history_rows=16))
    learn(correction, [capture(28.0, 1.0, source=i / 20 - 1.0, at=1e9 + i) for i in range(40)])
    state = state_in(state_path)
    assert state.captures == state.sources == 16
    assert [row.timestamp for row in state.history] == [1e9 + i for i in range(24, 40)]
    (known,) = correction.states()
    assert (known.captures, known.sources, known.absurd, known.presets) == (16, 16, 0, {"medium": 16})
    assert known.size_bytes == state_path.stat().st_size and known.last_unix_seconds == 1e9 + 39
    assert (known.predictor_version, known.encoder) == WHERE


def test_the_largest_state_stays_below_a_mebibyte_and_is_used(make: Make, tmp_path: Path, state_path: Path) -> None:
    random = np.random.default_rng(1)
    file = state_file(tmp_path / "sidecar", *WHERE, 1.0, pytest.fail)
    captures = [
        capture(
            round(float(random.uniform(10.0, 46.0)), 2),
            float(random.normal(3.0, 3.0)),
            source=random_source(random),
            preset=f"preset number {number % 20}",
            at=1.7e9 + number / 7,
        )
        for number in range(5040)
    ]
    file.update(lambda state: with_captures(state, rows(captures), 5000, tmp_path / "sidecar"))
    correction = make(settings=Settings(history_rows=5000))
    correction.learn(capture(28.0, 3.0, source=0.123456789, preset="preset number 7"))
    kept = state_in(state_path)
    assert kept.captures == 5000
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
        "short features": {"history": [["AAAA", *row[1:]]]},
        "features that are no numbers": {
            "history": [[base64.b64encode(np.full(len(NAMES), np.nan, "<f4").tobytes()).decode(), *row[1:]]]
        },
        "no deviation": {"history": [[*row[:5], 0.0, *row[6:]]]},
        "a huge residual": {"history": [[*row[:4], 1e300, *row[5:]]]},
        "a time before all": {"history": [[*row[:7], -1e10]]},
        "a time after all": {"history": [[*row[:7], 1e300]]},
        "a time that is no number": {"history": [[*row[:7], None]]},
        "a history of words": {"history": [["words"]]},
        "no history": {"history": None},
    }
    return {**state, **changes[change]}


FOREIGN = [
    *("another schema", "the first schema", "another predictor", "other features", "short features"),
    *("features that are no numbers", "no deviation", "a huge residual", "a time before all", "a time after all"),
    *("a time that is no number", "a history of words", "no history"),
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
    content["history"] = [[*content["history"][0][:4], math.nan, *content["history"][0][5:]]]
    with pytest.raises(ValueError):
        make().take_in(*WHERE, content, "a bundle")
    assert make().states() == []


def _bundle(correction: RidgeCorrection) -> dict[str, Any]:
    """As it goes from host to host."""
    return json.loads(json.dumps(correction.exported(*WHERE)))


def test_what_is_exported_gives_the_same_correction_elsewhere(make: Make) -> None:
    theirs = learn(make(folder="theirs"), on_ten_sources(3.0))
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
    assert bundle["host_uuid"] == ""
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
    assert [mine.take_in(*WHERE, b, name) for b, name in zip(bundles, "cd", strict=True)] == [0, 0]
    assert mine.state("libx264") == once
    assert statistics(once) == statistics(learn(make(folder="alone"), captures).state("libx264"))
    mine.learn(capture(28.0, 3.0, source=1.5))
    assert mine.state("libx264").captures == 21
    assert mine.state("libx264").host_uuid not in {"", *(each.state("libx264").host_uuid for each in (first, second))}


def test_two_hosts_that_take_each_others_bundles_in_turn_hold_each_capture_once(make: Make) -> None:
    captures = on_ten_sources(3.0)
    hosts = [learn(make(folder="a"), captures[:12]), learn(make(folder="b"), captures[8:])]
    for number in range(6):
        taker, giver = hosts if number % 2 else hosts[::-1]
        taker.take_in(*WHERE, _bundle(giver), str(number))
    assert [host.state("libx264").captures for host in hosts] == [20, 20]
    alone = learn(make(folder="alone"), captures)
    for host in hosts:
        assert statistics(host.state("libx264")) == statistics(alone.state("libx264"))
        assert shift(host, 0.3).tobytes() == shift(alone, 0.3).tobytes()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("history_rows", [500, 16])
def test_three_hosts_that_share_in_any_order_come_to_the_union(make: Make, seed: int, history_rows: int) -> None:
    """They learn on, take in bundles old and new, and hand on what they took in."""
    chance, settings = random.Random(seed), Settings(history_rows=history_rows)
    captures = [msgspec.structs.replace(c, unix_seconds=1.7e9 + 86400.0 * n) for n, c in enumerate(on_ten_sources(3.0))]
    chance.shuffle(captures)
    hosts = [make(folder=name, settings=settings) for name in "abc"]
    bundles = []
    while captures:
        for host in hosts:
            learn(host, [captures.pop() for _ in range(min(len(captures), chance.randrange(3)))])
            bundles.append(_bundle(host))
            chance.choice(hosts).take_in(*WHERE, chance.choice(bundles), "a bundle")
    for host in hosts:
        bundles.append(_bundle(host))
    for host in hosts:
        for bundle in chance.sample(bundles, len(bundles)):
            host.take_in(*WHERE, bundle, "a bundle")
    days = sorted(1.7e9 + 86400.0 * n for n in range(20))[-history_rows:]
    for host in hosts:
        state = host.state("libx264")
        assert statistics(state) == statistics(hosts[0].state("libx264"))
        assert [row.timestamp // 86400.0 for row in state.history] == [day // 86400.0 for day in days]


@pytest.mark.parametrize("seconds", [-1e10, -1.0, 4e9, 1e11, 1e300, math.nan, math.inf, "soon", None])
def test_a_capture_of_a_time_that_cannot_be_is_not_taken_in_and_blocks_no_export(make: Make, seconds: Any) -> None:
    bundle = _bundle(learn(make(folder="theirs"), on_ten_sources(3.0)))
    bundle["history"][3][-1] = seconds
    mine = learn(make(), [capture(28.0, 1.0, source=3.0)])
    with pytest.raises(ValueError):
        mine.take_in(*WHERE, bundle, "a bundle")
    assert mine.state("libx264").captures == 1
    census(_bundle(mine), VERSION, SPECS["libx264"])


@pytest.mark.parametrize("seconds", [-1e10, 0.0, 4e9, 1e18])
def test_a_clock_that_is_wrong_costs_no_capture_and_blocks_no_export(make: Make, seconds: float) -> None:
    theirs = learn(make(folder="theirs"), [capture(28.0, 1.0, at=seconds), capture(30.0, 1.0)])
    bundle = _bundle(theirs)
    census(bundle, VERSION, SPECS["libx264"])
    assert make().take_in(*WHERE, bundle, "a bundle") == 2


def _older(bundle: dict[str, Any], copies: int = 1) -> dict[str, Any]:
    """The same as the version before wrote it: with sums, and without a score by which a capture is known."""
    terms = [[0.5, 0.1, 0.02], 0.7, True]
    history = [[*row[:3], *row[4:7], *terms, row[7]] for row in bundle["history"]]
    medium = {"captures": 30, "sources": 10, "absurd": 0, "sums": base64.b64encode(bytes(8 * 990)).decode()}
    return {**bundle, "schema_version": 2, "history": history * copies, "presets": {"medium": medium}, "imported": []}


def test_a_state_of_the_version_before_is_read_and_each_capture_counts_once(
    make: Make, state_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = learn(make(folder="new"), on_ten_sources(3.0))
    older = {**_older(_bundle(expected), copies=5), "host_uuid": "8c5b5c5e-6f0e-4d0f-8f0e-2f6b2b1f6a11"}
    older["history"][0][-1] = -1e10
    state_path.parent.mkdir(parents=True)
    state_path.write_text(json.dumps(older))
    assert statistics(make().state("libx264")) == statistics(expected.state("libx264"))
    learn(make(), [capture(28.0, 3.0, source=1.5)])
    kept = state_in(state_path)
    assert (kept.captures, kept.host_uuid) == (21, older["host_uuid"]) and capsys.readouterr().out == ""


def test_a_bundle_of_the_version_before_is_taken_in_once(make: Make) -> None:
    older = _older(_bundle(learn(make(folder="theirs"), on_ten_sources(3.0))))
    census(older, VERSION, SPECS["libx264"])
    mine = make()
    assert [mine.take_in(*WHERE, older, name) for name in "ab"] == [20, 0]


def test_what_is_taken_in_keeps_to_the_settings_of_this_host(make: Make) -> None:
    theirs = learn(make(folder="theirs"), on_ten_sources(3.0))
    mine = make(settings=Settings(encoders={"libx264": EncoderOptions(history_rows=16)}))
    assert mine.take_in(*WHERE, _bundle(theirs), "a bundle") == 16
    assert len(mine.state("libx264").history) == 16


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


def test_an_encoder_without_presets_is_learned_of_under_no_name(make: Make) -> None:
    correction = learn(make(), [capture(28.0, 3.0, source=s, preset=None) for s in TEN])
    assert correction.states()[0].presets == {"": 10}
    assert (shift(correction, preset=None) > 2.0).all()
