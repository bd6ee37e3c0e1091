"""gbdt-sidecar: nothing from little, a shift where many sources agree, steps that ridge cannot draw; models are text."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import lightgbm
import msgspec
import numpy as np
import pytest
from vmaftune_plugins.sidecars import gbdt_correction
from vmaftune_plugins.sidecars.gbdt import Settings
from vmaftune_plugins.sidecars.gbdt_correction import GbdtCorrection
from vmaftune_plugins.sidecars.gbdt_state import State
from vmaftune_plugins.sidecars.ridge_correction import RidgeCorrection
from vmaftune_plugins.sidecars.settings import EncoderOptions, Options

from tests.sidecars.conftest import (
    SPECS,
    TEN,
    VERSION,
    capture,
    context,
    on_ten_sources,
    prediction,
    random_source,
)
from vmaftune.contract import Adjustment, Capture, FloatArray
from vmaftune.contract.features import NAMES, Features
from vmaftune.learned.allowed import census

WHERE = (VERSION, "libx264")
CRFS = (20.0, 28.0, 36.0)
Make = Callable[..., GbdtCorrection]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A sidecar in ``<tmp_path>/gbdt-sidecar``, or in another folder beside it; its warnings are printed."""

    def make(version: str = VERSION, folder: str = "gbdt-sidecar", **settings: object) -> GbdtCorrection:
        return GbdtCorrection(Settings(**settings), tmp_path / folder, version, print)  # type: ignore[arg-type]

    return make


@pytest.fixture
def state_path(tmp_path: Path) -> Path:
    return tmp_path / "gbdt-sidecar" / VERSION / "libx264" / "state.json"


Either = GbdtCorrection | RidgeCorrection


def learn(correction: Either, captures: Iterable[Capture]) -> Either:
    for each in captures:
        correction.learn(each)
    return correction


def adjustment(correction: Either, source: float | Features = 0.0, preset: str | None = "medium") -> Adjustment:
    asked = context(source, preset=preset)
    return correction.correct(asked, prediction(asked))


def shift(correction: Either, source: float | Features = 0.0, preset: str | None = "medium") -> FloatArray:
    return adjustment(correction, source, preset).shift


def on_many_sources(
    missed: Callable[[Features], float], count: int, *, seed: int = 1, noise: float = 0.5, preset: str = "medium"
) -> list[Capture]:
    """Three scores each of so many sources, whose curves miss by what is said of their features, give or take a noise."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        source = random_source(random)
        residual = missed(source) + noise * random.normal()
        for crf in CRFS:
            made.append(capture(crf, residual + 0.2 * random.normal(), source=source, preset=preset, at=1.7e9 + number))
    return made


def grainy(source: Features) -> bool:
    return bool(source.scaled()[NAMES.index("temporal_outliers")] > 0.0)


def step(source: Features) -> float:
    """What a predictor that knows nothing of grain misses by."""
    return -6.0 if grainy(source) else 0.0


# --- From little, nothing -------------------------------------------------------------------------------------------------


def test_a_cold_start_passes_through(make: Make) -> None:
    made = adjustment(make())
    assert made.captures == 0 and made.covariance is None and made.note is None
    assert made.shift.tobytes() == np.zeros(len(made.shift)).tobytes(), "exactly 0.0, bit for bit"


@pytest.mark.parametrize("sources", [1, 2])
def test_two_sources_shift_nothing_however_often_they_were_scored(make: Make, sources: int) -> None:
    captures = [capture(12.0 + crf, 5.0, source=source) for source in TEN[:sources] for crf in range(30)]
    assert not shift(learn(make(minimum_sources=1), captures)).any()


def test_a_predictor_that_is_right_is_left_as_it_is(make: Make) -> None:
    shifts = []
    for seed in range(6):
        random = np.random.default_rng(seed)
        wrong = on_many_sources(lambda source, random=random: float(random.normal(0.0, 1.5)), 40, seed=seed)
        correction = learn(make(folder=str(seed)), wrong)
        shifts.append(np.abs(shift(correction, random_source(random))).max())
    assert np.median(shifts) < 0.1 and max(shifts) < 0.8


def test_what_few_sources_agree_on_is_believed_in_part_and_of_many_almost_whole(make: Make) -> None:
    few, more, many = (
        float(shift(learn(make(folder=str(n)), on_many_sources(lambda source: -4.0, n)))[9]) for n in (4, 8, 40)
    )
    assert -2.2 < few < -1.0 and -3.5 < more < -2.5 and many < -3.6


# --- What it learns -------------------------------------------------------------------------------------------------------


def test_a_consistent_shift_is_learned_and_the_band_narrows(make: Make) -> None:
    captures = on_many_sources(lambda source: 3.0, 40, noise=0.3)
    made = adjustment(learn(make(), captures), random_source(np.random.default_rng(99)))
    assert made.captures == 120
    assert np.abs(made.shift - 3.0).max() < 0.5
    given = prediction(context()).covariance
    assert made.covariance is not None and (made.covariance.diagonal() < 0.6 * given.diagonal()).all()


def test_a_step_in_one_feature_is_learned_where_ridge_cannot_draw_it(make: Make, tmp_path: Path) -> None:
    from vmaftune_plugins.sidecars.ridge_settings import Settings as RidgeSettings

    captures = on_many_sources(step, 100)
    trees = learn(make(), captures)
    ridge = learn(RidgeCorrection(RidgeSettings(), tmp_path / "sidecar", VERSION, print), captures)
    random = np.random.default_rng(77)
    others = [random_source(random) for _ in range(30)]
    missed = [
        float(np.mean([np.abs(shift(each, source) - step(source)).mean() for source in others]))
        for each in (trees, ridge)
    ]
    assert missed[0] < 0.8 and missed[0] < 0.6 * missed[1]


def test_what_only_one_preset_misses_is_learned_for_that_preset(make: Make) -> None:
    slow = on_many_sources(lambda source: -5.0, 40, preset="slow")
    medium = on_many_sources(lambda source: 0.0, 40, seed=2)
    correction = learn(make(), [*slow, *medium])
    assert shift(correction, preset="slow").max() < -3.5
    assert np.abs(shift(correction, preset="medium")).max() < 0.7


def test_a_correction_has_no_steps_over_crf(make: Make) -> None:
    def off_at_high_crf(source: Features) -> list[Capture]:
        return [capture(crf, -8.0 * (crf > 28.0), source=source) for crf in (16.0, 22.0, 27.0, 30.0, 34.0, 40.0)]

    random = np.random.default_rng(5)
    correction = learn(make(), [c for _ in range(40) for c in off_at_high_crf(random_source(random))])
    asked = context(step=0.5)
    made = correction.correct(asked, prediction(asked)).shift
    assert made[0] > -1.0 and made[-1] < -6.0
    assert np.abs(np.diff(made)).max() < 0.7, "a step of 8 VMAF in trees, half a CRF at a time"


def test_absurd_captures_shift_nothing_and_wrong_ones_little(make: Make) -> None:
    captures = on_many_sources(lambda source: 2.0, 40)
    plain = shift(learn(make(folder="plain"), captures))
    random = np.random.default_rng(9)
    absurd = [capture(28.0, -70.0, source=random_source(random)) for _ in range(6)]
    assert np.abs(shift(learn(make(folder="absurd"), [*captures, *absurd])) - plain).max() < 1e-9
    wrong = [capture(28.0, -15.0, source=random_source(random)) for _ in range(3)]
    assert np.abs(shift(learn(make(folder="wrong"), [*captures, *wrong])) - plain).max() < 0.4


# --- Settings -------------------------------------------------------------------------------------------------------------


def test_settings_are_in_force_for_an_encoder_and_for_a_preset(make: Make) -> None:
    captures = [c for preset in ("slow", "medium") for c in on_many_sources(lambda source: 4.0, 20, preset=preset)]
    encoders = {"libx264": EncoderOptions(max_correction=1.0, presets={"slow": Options(max_correction=0.5)})}
    correction = learn(make(encoders=encoders), captures)
    assert set(shift(correction, preset="slow").tolist()) == {0.5}
    assert set(shift(correction, preset="medium").tolist()) == {1.0}
    off = learn(make(folder="off", encoders={"libx264": EncoderOptions(enabled=False)}), captures)
    assert off.state("libx264").captures == 0 and not shift(off).any()
    waiting = learn(make(folder="waiting", minimum_sources=41), captures)
    assert not shift(waiting).any()


def test_the_last_captures_are_kept_and_counted(make: Make) -> None:
    correction = learn(make(history_rows=16), on_many_sources(lambda source: 3.0, 20))
    state = correction.state("libx264")
    assert (state.captures, state.sources, len(state.history)) == (16, 6, 16)
    (known,) = correction.states()
    assert (known.captures, known.sources, known.presets) == (16, 6, {"medium": 16})


# --- When trees are grown, and how they are kept --------------------------------------------------------------------------


@pytest.fixture
def grown(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many captures trees were grown from, each time."""
    counts: list[int] = []
    grow = gbdt_correction.grow

    def counting(*arguments: object) -> object:
        counts.append(len(arguments[0]))  # type: ignore[arg-type]
        return grow(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(gbdt_correction, "grow", counting)
    return counts


def test_trees_are_grown_once_for_the_captures_that_came_and_used_by_later_runs(make: Make, grown: list[int]) -> None:
    captures = on_many_sources(step, 42)
    learn(make(), captures[:120])
    first = shift(make())
    assert grown == [120]
    assert first.any() and shift(make()).tobytes() == first.tobytes()
    assert grown == [120], "a later run reads them"
    learn(make(), captures[120:])
    shift(make())
    assert grown == [120, 126]


def test_within_a_run_they_are_grown_again_for_every_quarter_of_sources(make: Make, grown: list[int]) -> None:
    captures = on_many_sources(step, 60)
    correction = learn(make(), captures[:120])
    for number in range(40, 60):
        shift(correction)
        learn(correction, captures[3 * number : 3 * number + 3])
    assert grown == [120, 150]


def test_the_model_is_lightgbms_text_in_json_and_no_pickle(make: Make, state_path: Path) -> None:
    correction = learn(make(), on_many_sources(step, 60))
    shifted = shift(correction)
    content = json.loads(state_path.read_text("utf-8"))
    trees = content["model"]["trees"]
    assert trees.startswith("tree\nversion=") and trees.isascii()
    assert lightgbm.Booster(model_str=trees).num_feature() == len(NAMES) + 2
    assert shifted.any() and [path.name for path in sorted(state_path.parent.iterdir())] == ["state.json", "state.lock"]
    assert state_path.stat().st_size < 1 << 20


def test_what_was_learned_survives_the_process(make: Make, grown: list[int]) -> None:
    correction = learn(make(), on_many_sources(step, 60))
    source = random_source(np.random.default_rng(3))
    before, after = adjustment(correction, source), adjustment(make(), source)
    assert before.shift.any() and before.shift.tobytes() == after.shift.tobytes()
    assert before.covariance is not None and after.covariance is not None
    assert before.covariance.tobytes() == after.covariance.tobytes() and len(grown) == 1


def _learned_elsewhere(folder: Path) -> None:
    correction = GbdtCorrection(Settings(), folder, VERSION, print)
    shift(learn(correction, on_many_sources(step, 60)))


def test_two_processes_grow_the_same_trees_to_the_bit(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_learned_elsewhere, args=(tmp_path / name,)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    first, second = (
        msgspec.json.decode((tmp_path / name / VERSION / "libx264" / "state.json").read_bytes(), type=State)
        for name in "ab"
    )
    assert first.model is not None and first.model.trees and first.model == second.model
    assert first.host_uuid != second.host_uuid


# --- What cannot be used --------------------------------------------------------------------------------------------------


def _changed_model(state: dict[str, object], **changes: object) -> dict[str, object]:
    return {**state, "model": {**state["model"], **changes}}  # type: ignore[dict-item]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("trees", ["", "tree\n", "no trees at all", "half"])
def test_a_spoilt_model_is_grown_anew(
    make: Make, state_path: Path, grown: list[int], capfd: pytest.CaptureFixture[str], trees: str, signed: bool
) -> None:
    correction = learn(make(), on_many_sources(step, 60))
    before = shift(correction)
    state = json.loads(state_path.read_text())
    whole = state["model"]["trees"]
    spoilt = _changed_model(state, trees=whole[: len(whole) // 2] if trees == "half" else trees)
    if signed and trees not in ("", "half"):  # as by a later LightGBM; what is torn never has its hash
        spoilt["model_sha256"] = hashlib.sha256(json.dumps(spoilt["model"], separators=(",", ":")).encode()).hexdigest()
    state_path.write_text(json.dumps(spoilt))
    assert shift(make()).tobytes() == before.tobytes()
    assert len(grown) == 2
    assert json.loads(state_path.read_text())["model"]["trees"] == whole, "and kept again"
    assert "set aside" not in capfd.readouterr().out, "captures are worth more than what was made of them"


def test_a_model_of_another_recipe_is_grown_anew(make: Make, state_path: Path, grown: list[int]) -> None:
    before = shift(learn(make(), on_many_sources(step, 60)))
    state = _changed_model(json.loads(state_path.read_text()), recipe=0, level=9.0)
    state_path.write_text(json.dumps(state))
    assert shift(make()).tobytes() == before.tobytes() and len(grown) == 2


def test_a_corrupt_state_is_set_aside_and_learning_begins_anew(
    make: Make, state_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state_path.parent.mkdir(parents=True)
    state_path.write_bytes(b"{")
    assert not shift(make()).any()
    learn(make(), [capture(28.0, 1.0)])
    assert state_path.with_name("state.json.set-aside").read_bytes() == b"{"
    assert capsys.readouterr().out.count("set aside") == 1


def test_ridges_state_is_no_state_of_trees(make: Make, tmp_path: Path) -> None:
    from vmaftune_plugins.sidecars.ridge_settings import Settings as RidgeSettings

    ridge = RidgeCorrection(RidgeSettings(), tmp_path / "ridge", VERSION, print)
    learn(ridge, on_ten_sources(3.0))
    with pytest.raises(ValueError):
        make().take_in(*WHERE, ridge.exported(*WHERE), "a bundle")


def test_a_new_predictor_version_starts_cold_and_leaves_the_old_state_alone(make: Make, state_path: Path) -> None:
    shift(learn(make(), on_many_sources(step, 20)))
    before = state_path.read_bytes()
    new = make("population_v2-12345678")
    cold = adjustment(new)
    assert not cold.shift.any() and cold.covariance is None and cold.captures == 0
    learn(new, on_ten_sources(-1.0)[:2])
    assert state_path.read_bytes() == before


def test_where_nothing_can_be_written_trees_are_grown_for_the_run(
    make: Make, state_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(make(), on_many_sources(step, 40))
    before = state_path.read_bytes()

    def refuse(*_: object, **__: object) -> None:
        raise OSError("read-only")

    monkeypatch.setattr("vmaftune_plugins.sidecars.files.write", refuse)
    assert shift(make()).any() and state_path.read_bytes() == before


# --- For people -----------------------------------------------------------------------------------------------------------


def test_what_is_exported_holds_captures_alone_and_gives_the_same_correction_elsewhere(make: Make) -> None:
    theirs = learn(make(folder="theirs"), on_many_sources(step, 60))
    expected = shift(theirs, 1.0)
    bundle = json.loads(json.dumps(theirs.exported(*WHERE)))
    assert "model" not in bundle and bundle["host_uuid"] == ""
    census(bundle, VERSION, SPECS["libx264"])
    mine = make(folder="mine")
    assert mine.take_in(*WHERE, bundle, "a bundle") == 180
    assert mine.take_in(*WHERE, bundle, "a bundle") == 0
    assert expected.any() and shift(mine, 1.0).tobytes() == expected.tobytes()


def test_terms_say_which_features_move_the_correction(make: Make) -> None:
    assert make().terms(*WHERE, "medium") == []
    correction = learn(make(), on_many_sources(step, 100))
    terms = correction.terms(*WHERE, "medium")
    assert {term.name for term in terms[:2]} == {"level", "temporal_outliers"}
    assert [abs(t.weight) for t in terms] == sorted((abs(t.weight) for t in terms), reverse=True)
    assert len(terms) == len(NAMES) + 3


def test_forgetting_leaves_nothing(make: Make, state_path: Path) -> None:
    correction = learn(make(), on_many_sources(step, 20))
    assert shift(correction).any()
    correction.reset(*WHERE)
    assert not state_path.exists() and correction.states() == [] and not shift(correction).any()


def test_without_lightgbm_a_run_that_names_it_ends_in_one_line(tmp_path: Path) -> None:
    command = ["sidecar", "status", "--plugin", "gbdt-sidecar"]
    blocked = "import sys; sys.modules['lightgbm'] = None; from vmaftune.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", blocked, *command],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
    )
    assert done.returncode == 2, done.stderr
    assert "pip install 'lightgbm" in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
