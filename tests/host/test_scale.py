"""Corrections and trainers see nothing of scores of another scale; what a batch brings back from elsewhere has none either."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.sidecars.conftest import context
from vmaftune.batch.messages import Step
from vmaftune.batch.perform import _Telling
from vmaftune.contract import ProbeRecord
from vmaftune.host.manager import PluginManager
from vmaftune.host.run import PluginChoice, PluginRun
from vmaftune.quality.scale import Scale

ON = ("ridge-sidecar", "sgd-ema-trainer")
OTHER = Scale(unlike=("pool min",))


@pytest.mark.parametrize("scale", [Scale(), OTHER])
def test_only_the_usual_scale_reaches_corrections_and_trainers(tmp_path: Path, scale: Scale) -> None:
    said: list[str] = []
    run = PluginRun(PluginManager(), PluginChoice(on=ON), tmp_path, said.append)
    for _ in range(2):
        curve = run.predict(replace(context(), scale=scale))
        run.learn(curve, 3, float(curve.bare.mean[3]) - 1.0, 1.7e9)
    run.close()
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    if scale.usual:
        assert curve.left_out is None and written and any("wait on the disk" in line for line in said)
        return
    assert written == [] and curve.adjustments == {} and curve.corrected is curve.bare
    (line,) = said  # once a run
    assert line == curve.left_out == curve.notes[-1]
    assert line.startswith(
        "ridge-sidecar and sgd-ema-trainer take no part, and nothing is learned: these scores (pool min)"
    )


@pytest.mark.parametrize("scale", [Scale(), OTHER])
def test_a_job_elsewhere_brings_back_captures_of_the_usual_scale_alone(tmp_path: Path, scale: Scale) -> None:
    def tell(step: Step) -> None:
        pass

    run = PluginRun(PluginManager(), PluginChoice(), tmp_path, pytest.fail)
    telling = _Telling(tell, searching=1.0)
    telling.predicted(run.predict(replace(context(), scale=scale)), 30.0, 90.0)
    numbers = {"score": 90.0, "deviation": 0.0, "bitrate_kbps": 1.0, "encoded_percent": 1.0, "encode_seconds": 1.0}
    telling.probed(ProbeRecord(purpose="verify", crf=30.0, score_seconds=0.0, frames=1, cached=False, **numbers))
    assert len(telling.captures) == scale.usual
