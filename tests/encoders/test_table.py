"""What our encoders' specs say that keys and models rest on."""

from __future__ import annotations

import pytest

from vmaftune.features.pilot import AV1, X264, family_by_name, pilot_plan
from vmaftune.host.manager import PluginManager

ENCODERS = PluginManager().encoders


@pytest.mark.parametrize("name", ENCODERS)
def test_the_pilot_is_the_one_that_rows_of_a_corpus_were_measured_with(name: str) -> None:
    assert ENCODERS[name].pilot_family == family_by_name(name)
    assert pilot_plan(ENCODERS[name].pilot_family) is (AV1 if "av1" in name else X264)


def test_what_writes_hevc_says_so() -> None:
    hevc = {name for name, spec in ENCODERS.items() if spec.codec == "hevc"}
    assert hevc == {name for name in ENCODERS if "hevc" in name or "265" in name}
    assert all(spec.codec is not None for spec in ENCODERS.values())
