"""Contract checks for plugins: what a plugin author runs, with two lines of pytest::

    from vmaftune.testing import parametrize_with_checks

    @parametrize_with_checks("my-plugin")
    def test_contract(check):
        check()

``vmaf-tune plugins check my-plugin`` runs the same without pytest.
"""

from vmaftune.testing.check import Check, ContractError, NotChecked
from vmaftune.testing.parametrize import parametrize_with_checks
from vmaftune.testing.suite import checks_for

__all__ = ["Check", "ContractError", "NotChecked", "checks_for", "parametrize_with_checks"]
