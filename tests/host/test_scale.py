"""What is learned of scores of one scale stays with that scale; where a filter goes first, nothing is learned."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.sidecars.conftest import TEN, context
from vmaftune.batch.messages import Step
from vmaftune.batch.perform import _Telling
from vmaftune.contract import Capture, CorrectionSpec, CurveContext, PluginContext, ProbeRecord
from vmaftune.contract.curves import Adjustment, Prediction
from vmaftune.host import versions
from vmaftune.host.manager import PluginManager
from vmaftune.host.run import PluginChoice, PluginRun
from vmaftune.quality.scale import USUAL, Scale
from vmaftune.state.store import Store

ON = ("ridge-sidecar", "sgd-ema-trainer")
SCALES = {
    "mean": USUAL,
    "p5": Scale(pool="p5"),
    "neg": Scale(model="vmaf_v0.6.1neg"),
    "v1": Scale(model="vmaf_v1.0.16_3d0h", depth=10),
    "xpsnr": Scale(metric="xpsnr", model="", depth=8),
}
OFF = {"mean": -4.0, "p5": -5.0, "neg": -6.0, "v1": -3.0, "xpsnr": -1.5}
"""By how much each is off, in its own unit."""


def _run(folder: Path, *names: str, at_once: bool = True) -> PluginRun:
    settings = {name: {"minimum-sources": 1} for name in names} if at_once else {}
    return PluginRun(PluginManager(), PluginChoice(on=names, settings=settings), folder, pytest.fail)


def _teach(run: PluginRun, name: str, sources: Sequence[float] = TEN[:4]) -> None:
    """Scores of sources, each off by as much, as a search makes them."""
    for source in map(float, sources):
        curve = run.predict(replace(context(source), scale=SCALES[name]))
        for place in (3, 9):
            run.learn(curve, place, float(curve.bare.mean[place]) + OFF[name], 1.7e9 + source)


def _states(folder: Path, correction: str = "sidecar") -> dict[str, bytes]:
    """Every file of state, by the version it is kept by, without the identifier of its host."""
    identifier = folder / correction / "host_uuid"
    host = identifier.read_bytes() if identifier.exists() else b"-"
    found = {path.parts[-3]: path.read_bytes() for path in (folder / correction).glob("*/*/state.json")}
    return {version: _unsealed(content.replace(host, b"host")) for version, content in found.items()}


def _unsealed(content: bytes) -> bytes:
    """Without the checksum, which the identifier is in."""
    return content.partition(b',"checksum"')[0]


@pytest.mark.parametrize("correction", ["ridge-sidecar", "gbdt-sidecar"])
def test_state_is_the_same_as_of_a_host_that_knows_no_other_scale(tmp_path: Path, correction: str) -> None:
    folder = {"ridge-sidecar": "sidecar"}.get(correction, correction)
    alone: dict[str, bytes] = {}
    for name in SCALES:
        _teach(_run(tmp_path / name, correction), name)
        (one,) = _states(tmp_path / name, folder).items()
        alone[one[0]] = one[1]
    assert len(alone) == len(SCALES)
    orders = list(itertools.permutations(SCALES))[::29]
    for number, order in enumerate(orders):
        one_run = _run(tmp_path / str(number), correction)
        for name in order:  # in one run, as a batch has it, or in runs of their own
            _teach(one_run if number % 2 else _run(tmp_path / str(number), correction), name)
        assert _states(tmp_path / str(number), folder) == alone, order


@pytest.mark.parametrize("correction", ["ridge-sidecar", "gbdt-sidecar"])
def test_what_one_scale_learned_moves_no_curve_of_another_by_a_bit(tmp_path: Path, correction: str) -> None:
    sources = TEN if correction == "gbdt-sidecar" else TEN[:5]
    for taught in SCALES:
        run = _run(tmp_path / taught, correction, at_once=False)
        before = {name: _curve(run, name) for name in SCALES}
        _teach(run, taught, sources)
        for name in SCALES:
            curve = _curve(run, name)
            moved = curve.corrected.mean - curve.bare.mean
            if name == taught:
                grain = run.correction(correction, curve.predictor_version, SCALES[name])._grain  # type: ignore[attr-defined]
                # A residual counts for less where the prior is made from that of another scale, whose band is wide.
                assert 0.02 * abs(OFF[name]) < -float(moved.mean()) < 15.0 * grain
                assert curve.adjustments[correction].captures >= len(sources)
            else:
                assert curve.corrected is curve.bare
                assert (curve.bare.mean == before[name].bare.mean).all()


def _curve(run: PluginRun, name: str):  # type: ignore[no-untyped-def]
    return run.predict(replace(context(0.3), scale=SCALES[name]))


def test_state_without_a_scale_in_its_version_is_of_the_usual_one(tmp_path: Path) -> None:
    _teach(_run(tmp_path, "ridge-sidecar"), "mean")
    (version,) = _states(tmp_path)
    assert "~" not in version and versions.scale_in(version) == USUAL
    state = msgspec.json.decode(_states(tmp_path)[version] + b"}")
    assert "grain" not in state and "scale" not in state


@pytest.mark.parametrize("name", SCALES)
def test_the_version_names_the_scale_and_corrections_before_it(tmp_path: Path, name: str) -> None:
    run = _run(tmp_path, "ridge-sidecar", "gbdt-sidecar")
    version = run.state_version("gbdt-sidecar", "mlp_v1-abc", SCALES[name])
    assert version.startswith("mlp_v1-abc") and version.endswith("+ridge-sidecar")
    assert versions.scale_in(version) == SCALES[name]


class _Remembering:
    """A correction that knows nothing of scales, and keeps what it learned in a file named after its version."""

    def __init__(self, given: PluginContext) -> None:
        self.context = given
        self.file = given.cache_folder / f"{given.predictor_version}.txt"

    def correct(self, context: CurveContext, prediction: Prediction) -> Adjustment:
        assert context.scale == self.context.scale
        return Adjustment(shift=np.zeros(len(context.crfs)), captures=0)

    def learn(self, capture: Capture) -> None:
        assert capture.scale == self.context.scale
        with self.file.open("a") as file:
            file.write(f"{capture.observed}\n")


def test_any_correction_keeps_scales_apart_without_knowing_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = PluginManager()
    registration = manager.find("ridge-sidecar", ("correction",))
    spec = CorrectionSpec(name="ridge-sidecar", version="1", factory=_Remembering)
    monkeypatch.setattr(
        manager, "registrations", [replace(r, spec=spec) if r is registration else r for r in manager.registrations]
    )
    run = PluginRun(manager, PluginChoice(on=("ridge-sidecar",)), tmp_path, pytest.fail)
    for name in SCALES:
        _teach(run, name, TEN[:1])
    written = {path.name: path.read_text() for path in tmp_path.glob("*.txt")}
    assert len(written) == len(SCALES) and all(len(text.splitlines()) == 2 for text in written.values())
    grains = {name: next(c for (_, scale), c in run._corrections.items() if scale == SCALES[name]) for name in SCALES}
    of = {name: one["ridge-sidecar"].context.grain for name, one in grains.items()}  # type: ignore[attr-defined]
    assert of["mean"] == of["v1"] == 1.0 and of["xpsnr"] < 0.5


def test_what_a_killed_run_left_is_learned_under_its_scale(tmp_path: Path) -> None:
    def begun() -> PluginRun:
        choice = PluginChoice(on=("ridge-sidecar",), settings={"ridge-sidecar": {"minimum-sources": 1}})
        return PluginRun(PluginManager(), choice, tmp_path, pytest.fail, Store(tmp_path / "cache.sqlite"))

    killed = begun()
    for name in ("mean", "xpsnr"):
        curve = killed.predict(replace(context(), scale=SCALES[name]))
        with killed.remembering(curve, 3) as remember:
            remember(float(curve.bare.mean[3]) - 1.0)
    assert killed._pending is not None and killed._pending._lock is not None
    killed._pending._lock.release()
    assert _states(tmp_path) == {}
    following = begun()
    following.predict(replace(context(), scale=SCALES["xpsnr"]))
    (version,) = _states(tmp_path)
    assert versions.scale_in(version) == SCALES["xpsnr"]
    following.predict(context())
    assert {versions.scale_in(version) for version in _states(tmp_path)} == {USUAL, SCALES["xpsnr"]}


@pytest.mark.parametrize("name", SCALES)
def test_trainers_are_told_of_what_scale_a_capture_is(tmp_path: Path, name: str) -> None:
    said: list[str] = []
    run = PluginRun(PluginManager(), PluginChoice(on=("sgd-ema-trainer",)), tmp_path, said.append)
    _teach(run, name, TEN[:1])
    run.close()
    (line, _) = (tmp_path / "trainer" / "waiting.jsonl").read_bytes().splitlines()
    message: Mapping[str, object] = msgspec.json.decode(line)
    assert message.get("scale") == (None if SCALES[name].usual else SCALES[name].identity)
    assert any("wait on the disk" in text for text in said)


def test_a_filter_teaches_nothing_and_is_told_of_once(tmp_path: Path) -> None:
    said: list[str] = []
    run = PluginRun(PluginManager(), PluginChoice(on=ON), tmp_path, said.append)
    for _ in range(2):
        curve = run.predict(replace(context(), filtered=True))
        run.learn(curve, 3, float(curve.bare.mean[3]) - 1.0, 1.7e9)
    run.close()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert curve.adjustments == {} and curve.corrected is curve.bare
    (line,) = said  # once a run
    assert line == curve.left_out == curve.notes[-1]
    assert line.startswith("ridge-sidecar and sgd-ema-trainer take no part, and nothing is learned: a filter of yours")


@pytest.mark.parametrize("changes", [{}, {"scale": SCALES["p5"]}, {"filtered": True}])
def test_a_job_elsewhere_brings_back_captures_with_their_scale(tmp_path: Path, changes: dict[str, object]) -> None:
    def tell(step: Step) -> None:
        pass

    run = PluginRun(PluginManager(), PluginChoice(), tmp_path, pytest.fail)
    telling = _Telling(tell, searching=1.0)
    telling.predicted(run.predict(replace(context(), **changes)), 30.0, 90.0)  # type: ignore[arg-type]
    numbers = {"score": 90.0, "deviation": 0.0, "bitrate_kbps": 1.0, "encoded_percent": 1.0, "encode_seconds": 1.0}
    telling.probed(ProbeRecord(purpose="verify", crf=30.0, score_seconds=0.0, frames=1, cached=False, **numbers))
    scales = [line.scale for line in telling.captures]
    assert scales == ([] if "filtered" in changes else ["vmaf_v0.6.1~p5" if changes else None])
