"""How plugins are found, and what is said of those that cannot be used."""

from __future__ import annotations

import pytest

from tests.host.conftest import Install
from vmaftune.errors import UserError
from vmaftune.host.manager import PluginManager

CONSTANT = """
    import numpy as np
    from vmaftune import hookimpl
    from vmaftune.contract import Adjustment, CorrectionSpec

    class Constant:
        def correct(self, context, prediction):
            return Adjustment(shift=np.full(len(context.crfs), 0.5), captures=1)

        def learn(self, capture):
            pass

    @hookimpl
    def vmaftune_corrections():
        yield CorrectionSpec(name="constant", version="9", factory=lambda context: Constant())
"""


def _problem(manager: PluginManager, name: str) -> str:
    return next(r.problem or "" for r in manager.registrations if r.name == name)


def test_our_own_plugins_come_through_the_entry_points() -> None:
    found = {(r.name, r.kind, r.distribution) for r in PluginManager().registrations}
    assert ("population", "predictor", "vmaf-tune") in found
    assert ("ridge-sidecar", "correction", "vmaf-tune") in found
    assert ("encoders", "encoders", "vmaf-tune") in found


def test_without_entry_points_there_is_nothing_so_there_is_no_second_way_in() -> None:
    manager = PluginManager(entry_points=())
    assert manager.registrations == [] and manager.encoders == {}


def test_a_package_of_somebody_elses_is_found_with_its_name_and_version(install: Install) -> None:
    install("constant", CONSTANT)
    registration = PluginManager().find("constant", ("correction",))
    assert (registration.distribution, registration.version, registration.problem) == ("vmaftune-constant", "9", None)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import a_module_that_does_not_exist", "No module named"),
        ("def broken(:", "SyntaxError"),
        ("vmaftune_api = 2", "upgrade vmaf-tune"),
        ("vmaftune_api = 0", "upgrade the plugin"),
        (
            "from vmaftune import hookimpl\n@hookimpl\ndef vmaftune_corrections():\n    return ['nonsense']",
            "yielded a str",
        ),
        (
            "from vmaftune import hookimpl\n@hookimpl\ndef vmaftune_predictors():\n    raise OSError('no luck')",
            "no luck",
        ),
        ("raise SystemExit(3)", "SystemExit"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_listed_with_the_reason_and_harms_nobody(
    install: Install, source: str, says: str
) -> None:
    install("broken", source)
    manager = PluginManager()
    assert says in _problem(manager, "broken")
    assert "\n" not in _problem(manager, "broken")
    assert manager.find("population", ("predictor",)).problem is None
    with pytest.raises(UserError, match="broken cannot be used"):
        manager.find("broken", ("correction",))


def test_an_entry_point_to_nothing_is_listed(install: Install) -> None:
    install("ghost", "", module="plugin_that_is_not_there")
    assert "No module named" in _problem(PluginManager(), "ghost")


def test_two_plugins_of_one_name_are_both_named_and_the_first_is_used(install: Install) -> None:
    install("constant", CONSTANT, distribution="a-first")
    install("constant", CONSTANT, distribution="b-second")
    manager = PluginManager()
    assert manager.find("constant", ("correction",)).distribution == "a-first"
    assert [r.distribution for r in manager.registrations if r.problem] == ["b-second"]


def test_an_encoder_of_a_plugin_joins_the_table(install: Install) -> None:
    install(
        "rav1e",
        """
        from vmaftune import hookimpl
        from vmaftune.contract import EncoderSpec

        @hookimpl
        def vmaftune_encoders():
            yield EncoderSpec(name="librav1e", quality_options=(("-qp", "{}"),), quality_range=(0, 255))
        """,
    )
    assert PluginManager().encoders["librav1e"].quality_range == (0, 255)


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(UserError, match=r"no plugin ridge is installed; there is: .*ridge-sidecar"):
        PluginManager().find("ridge", ("correction", "trainer"))


def test_a_name_of_another_kind_is_said() -> None:
    with pytest.raises(UserError, match="of kind predictor"):
        PluginManager().find("population", ("correction", "trainer"))
