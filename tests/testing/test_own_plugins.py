"""Everything that vmaf-tune registers keeps its contract."""

from __future__ import annotations

from vmaftune.host.manager import PluginManager
from vmaftune.testing import Check, parametrize_with_checks

OURS = dict.fromkeys(r.plugin for r in PluginManager().registrations if r.distribution == "vmaf-tune")


@parametrize_with_checks(*OURS)
def test_contract(check: Check) -> None:
    check()
