"""Which checks there are for a name or a spec, how they end, and what pytest makes of them."""

from __future__ import annotations

import inspect
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.host.conftest import Install, install
from tests.testing.broken_corrections import Good as GoodCorrection
from tests.testing.broken_trainers import Good as GoodTrainer
from tests.testing.faults import NoDefault
from vmaftune.contract import (
    CorrectionSpec,
    PluginContext,
    Predictor,
    PredictorSpec,
    TrainerSpec,
)
from vmaftune.contract.hooks import VmafTuneSpec
from vmaftune.errors import Unsupported, UserError
from vmaftune.host.manager import PluginManager
from vmaftune.testing import Check, ContractError, NotChecked, checks_for

__all__ = ["install"]

SEVERAL = """
    from vmaftune import hookimpl
    from vmaftune.contract import EncoderSpec, TrainerSpec

    class Silent:
        def learn(self, capture):
            pass

        def close(self):
            pass

    @hookimpl
    def vmaftune_trainers():
        yield TrainerSpec(name="first", version="1", factory=lambda context: Silent())
        yield TrainerSpec(name="second", version="1", factory=lambda context: Silent())

    @hookimpl
    def vmaftune_encoders():
        yield EncoderSpec(name="an_encoder_of_mine")
"""


def of(what: str) -> set[str]:
    return {check.of for check in checks_for(what)}


def test_a_name_is_that_of_a_plugin_of_a_spec_or_of_an_encoder(install: Install) -> None:
    install("several", SEVERAL)
    assert of("several") == {"first", "second", "an_encoder_of_mine"}
    assert of("second") == {"second"}
    assert of("an_encoder_of_mine") == {"an_encoder_of_mine"}
    assert of("encoders") == set(PluginManager().encoders) - {"an_encoder_of_mine"}


def test_an_installed_plugin_may_have_any_factory_since_other_processes_find_it_by_its_entry_point(
    install: Install,
) -> None:
    install("several", SEVERAL)
    for check in checks_for("first"):
        check()


def test_a_spec_whose_factory_no_other_process_can_find_is_told_so() -> None:
    spec = TrainerSpec(name="here", version="1", factory=lambda context: GoodTrainer(context))
    failed = {}
    for check in checks_for(spec):
        try:
            check()
        except ContractError as error:
            failed[check.name] = str(error)
    assert set(failed) == {"writes_only_in_its_cache_folder", "uses_no_network", "processes_do_not_disturb_it"}
    assert all("pass the name of the installed plugin" in why for why in failed.values())


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("raise ImportError('gone')", "plugin mine cannot be used: ImportError: gone"),
        (
            "from vmaftune import hookimpl\n@hookimpl\ndef vmaftune_before_probe(request):\n    pass",
            "mine is a plugin of kind events",
        ),
    ],
)
def test_what_cannot_be_checked_is_the_users_mistake(install: Install, source: str, says: str) -> None:
    install("mine", source)
    with pytest.raises(UserError, match=says):
        checks_for("mine")
    with pytest.raises(UserError, match="no plugin yours is installed"):
        checks_for("yours")


def test_a_plugin_that_needs_a_configuration_fails_every_check_that_makes_it() -> None:
    spec = CorrectionSpec(name="here", version="1", factory=GoodCorrection, settings=NoDefault)
    checks = {check.name: check for check in checks_for(spec)}
    for name in ("settings_have_valid_defaults", "nothing_learned_changes_nothing"):
        with pytest.raises(ContractError, match="strength is missing"):
            checks[name]()


def unusable(context: PluginContext) -> Predictor:
    raise Unsupported("there is no accelerator here")


def test_a_predictor_that_this_host_cannot_use_is_not_held_to_anything() -> None:
    for check in checks_for(PredictorSpec(name="here", version="1", factory=unusable)):
        if check.name.endswith("curve_is_predicted"):
            with pytest.raises(NotChecked, match="there is no accelerator here"):
                check()


def dies(context: PluginContext) -> GoodTrainer:
    raise SystemExit(3)


def test_a_plugin_that_ends_its_process_fails_the_check() -> None:
    checks = {check.name: check for check in checks_for(TrainerSpec(name="here", version="1", factory=dies))}
    with pytest.raises(ContractError, match="in a process of its own it raised SystemExit: 3"):
        checks["uses_no_network"]()


def test_what_a_plugin_raises_is_told_in_one_line_with_its_place() -> None:
    def run() -> None:
        raise KeyError("two\nlines")

    check = Check(of="it", name="check", contract="", run=run)
    with pytest.raises(ContractError, match=r"^it raised KeyError: 'two\\nlines' \(test_suite\.py line \d+\)$"):
        check()


def test_each_check_has_a_name_and_says_its_contract_in_one_line() -> None:
    for what in ("mlp", "ridge-sidecar", "libx264", TrainerSpec(name="here", version="1", factory=GoodTrainer)):
        checks = list(checks_for(what))
        assert len({check.name for check in checks}) == len(checks)
        assert all(check.contract.endswith(".") and "\n" not in check.contract for check in checks)


def test_pytest_tells_what_passed_failed_and_was_skipped(tmp_path: Path) -> None:
    (tmp_path / "test_contract.py").write_text(
        textwrap.dedent("""
            from vmaftune.testing import parametrize_with_checks
            from vmaftune.contract import EncoderSpec

            @parametrize_with_checks(EncoderSpec(name="an_encoder_of_nobody", encode_cost=-1.0))
            def test_contract(check):
                check()
        """)
    )
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "6 passed, 3 skipped" in done.stdout and "1 failed" in done.stdout, done.stdout
    assert "test_contract[an_encoder_of_nobody-cost_is_positive] FAILED" in done.stdout
    assert "ContractError: encode_cost is -1" in done.stdout


def test_checks_need_no_pytest() -> None:
    code = "import sys; sys.modules['pytest'] = None\nfrom vmaftune.testing import checks_for; list(checks_for('mlp'))"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_example_of_a_correction_in_the_hooks_keeps_its_contract(install: Install) -> None:
    doc = inspect.getdoc(VmafTuneSpec.vmaftune_corrections) or ""
    example = textwrap.dedent(doc.partition("Example::")[2])
    imports = (
        "import numpy as np\nfrom vmaftune import hookimpl\nfrom vmaftune.contract import Adjustment, CorrectionSpec\n"
    )
    install("mean-residual", imports + example)
    for check in checks_for("mean-residual"):
        check()
