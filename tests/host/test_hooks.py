"""What hooks are told, in which order, and that corrections and trainers see what their contracts say."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.host.conftest import Install, search_with
from tests.host.test_discovery import CONSTANT
from vmaftune.errors import UserError
from vmaftune.host.manager import PluginManager
from vmaftune.host.run import PluginChoice, PluginRun

DIARY = """
    from vmaftune import hookimpl
    from vmaftune.contract import TrainerSpec

    told = []

    @hookimpl
    def vmaftune_before_probe(request):
        told.append(("before_probe", request.number, request.crf))

    @hookimpl
    def vmaftune_before_score(request):
        told.append(("before_score", request.number, request.crf))

    @hookimpl
    def vmaftune_after_score(request, record):
        told.append(("after_score", request.number, record.vmaf))

    @hookimpl
    def vmaftune_after_probe(request, record):
        told.append(("after_probe", request.number, record.bitrate_kbps))

    class Collector:
        def learn(self, capture):
            told.append(("learn", capture.crf, capture.observed, capture.predicted))

        def close(self):
            told.append(("close",))

    @hookimpl
    def vmaftune_trainers():
        yield TrainerSpec(name="collector", version="1", factory=lambda context: Collector())
"""


def _told() -> list[tuple[object, ...]]:
    module = next(m for name, m in sys.modules.items() if name.startswith("plugin_diary"))
    told: list[tuple[object, ...]] = module.told
    return told


def test_events_come_in_order_around_each_probe_and_the_trainer_gets_every_score(
    install: Install, tmp_path: Path
) -> None:
    install("diary", DIARY)
    outcome = search_with(PluginChoice(on=("collector",), strict=True), tmp_path)
    told = _told()
    assert [t[0] for t in told[:5]] == ["before_probe", "before_score", "after_score", "after_probe", "learn"]
    assert len([t for t in told if t[0] == "learn"]) == len(outcome.probes)
    assert told[-1] == ("close",)
    learned = [t for t in told if t[0] == "learn"]
    assert [(t[1], t[2]) for t in learned] == [(p.crf, p.vmaf) for p in outcome.probes]


def test_events_of_an_installed_plugin_are_called_unless_it_is_switched_off(install: Install, tmp_path: Path) -> None:
    install("diary", DIARY)
    search_with(PluginChoice(off=("diary",)), tmp_path)
    assert _told() == []


def test_a_correction_takes_part_only_when_it_is_switched_on(install: Install, tmp_path: Path) -> None:
    install("constant", CONSTANT)
    bare = search_with(PluginChoice(), tmp_path)
    shifted = search_with(PluginChoice(on=("constant",)), tmp_path)
    assert bare.curve.adjustments == {}
    np.testing.assert_allclose(np.array(shifted.report.prior_mean) - np.array(bare.report.prior_mean), 0.5, atol=2e-4)
    assert search_with(PluginChoice(on=("constant",), off=("constant",)), tmp_path).curve.adjustments == {}


def test_corrections_add_up(install: Install, tmp_path: Path) -> None:
    install("constant", CONSTANT)
    install("second", CONSTANT.replace('"constant"', '"second"'))
    bare = search_with(PluginChoice(), tmp_path)
    both = search_with(PluginChoice(on=("constant", "second")), tmp_path)
    np.testing.assert_allclose(np.array(both.report.prior_mean) - np.array(bare.report.prior_mean), 1.0, atol=2e-4)


def test_settings_of_a_plugin_are_validated_with_file_and_key(tmp_path: Path) -> None:
    settings = {"ridge-sidecar": {"lambda": -1.0}}
    choice = PluginChoice(on=("ridge-sidecar",), settings=settings, settings_origins={"ridge-sidecar": "a.toml"})
    with pytest.raises(UserError, match=r"a\.toml: plugins\.ridge-sidecar\.lambda = -1\.0"):
        PluginRun(PluginManager(), choice, tmp_path, print)
