"""A plugin that fails is named once, switched off for the run, and never costs the user the search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.host.conftest import Install, search_with
from vmaftune.crf_search.engine import Outcome
from vmaftune.errors import PluginError
from vmaftune.host.run import PluginChoice

CORRECTION = """
    import numpy as np
    from vmaftune import hookimpl
    from vmaftune.contract import Adjustment, CorrectionSpec

    class Bad:
        def correct(self, context, prediction):
            n = len(context.crfs)
            {correct}

        def learn(self, capture):
            {learn}

    def make(context):
        {make}
        return Bad()

    @hookimpl
    def vmaftune_corrections():
        yield CorrectionSpec(name="bad", version="1", factory=make)
"""
PREDICTOR = """
    import numpy as np
    from vmaftune import hookimpl
    from vmaftune.contract import Prediction, PredictorSpec, Unsupported

    class Bad:
        version = "bad-1"

        def predict(self, context):
            n = len(context.crfs)
            {predict}

    @hookimpl
    def vmaftune_predictors():
        yield PredictorSpec(name="bad", version="1", factory=lambda context: Bad(), default_rank=1)
"""
EVENTS = """
    from vmaftune import hookimpl

    @hookimpl
    def {hook}({arguments}):
        raise RuntimeError("event gone wrong")
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[Outcome, list[str]]]:
    """A whole search with what is installed; returns its outcome and what was warned of."""

    def run(*on: str, strict: bool = False, predictor: str | None = None) -> tuple[Outcome, list[str]]:
        warnings: list[str] = []
        choice = PluginChoice(on=on, strict=strict, predictor=predictor)
        outcome = search_with(choice, tmp_path / "cache", warnings.append)
        return outcome, warnings

    return run


FINE = {"correct": "return Adjustment(shift=np.zeros(n), captures=0)", "learn": "pass", "make": "pass"}


@pytest.mark.parametrize(
    ("where", "code", "says"),
    [
        ("correct", "raise ValueError('two\\nlines')", "two lines"),
        ("correct", "return Adjustment(shift=np.full(n, np.nan), captures=1)", "no number"),
        ("correct", "return Adjustment(shift=np.zeros(3), captures=1)", "shape"),
        ("correct", "return Adjustment(shift=np.full(n, 41.0), captures=1)", "41.0 is beyond"),
        ("correct", "return None", "NoneType"),
        ("learn", "1 / 0", "division by zero"),
        ("make", "import a_module_that_is_not_there", "No module named"),
    ],
)
def test_a_bad_correction_is_named_once_and_the_search_is_that_of_the_bare_predictor(
    run, install: Install, where: str, code: str, says: str
) -> None:
    bare, _ = run()
    install("bad", CORRECTION.format(**{**FINE, where: code}))
    outcome, warnings = run("bad")
    assert len(warnings) == 1 and "plugin bad failed" in warnings[0] and says in warnings[0]
    assert "\n" not in warnings[0]
    assert outcome.best == bare.best and outcome.probes == bare.probes
    with pytest.raises(PluginError, match="bad"):
        run("bad", strict=True)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise KeyError('x')", "KeyError"),
        ("return Prediction(mean=np.full(n, np.inf), covariance=np.eye(n))", "no number"),
        ("return Prediction(mean=np.full(n, 90.0), covariance=np.eye(2))", "shape (2, 2)"),
        ("return Prediction(mean=np.full(n, 9000.0), covariance=np.eye(n))", "VMAF from"),
        ("return Prediction(mean=np.full(n, 90.0), covariance=-np.eye(n))", "variances"),
        ("return 93", "attribute"),
    ],
)
def test_a_bad_predictor_gives_way_to_the_next(run, install: Install, code: str, says: str) -> None:
    install("bad", PREDICTOR.format(predict=code))
    outcome, warnings = run()
    assert outcome.curve.predictor.startswith("mlp@")
    assert len(warnings) == 1 and says in warnings[0]
    with pytest.raises(PluginError, match="bad"):
        run(predictor="bad")


def test_a_predictor_that_does_not_know_the_encoder_gives_way_and_the_result_says_so(run, install: Install) -> None:
    install("bad", PREDICTOR.format(predict="raise Unsupported('libx264 is too new for me')"))
    outcome, warnings = run()
    assert warnings == []
    assert outcome.curve.predictor.startswith("mlp@")
    assert "too new for me" in (outcome.curve.bare.note or "")


def test_with_no_predictor_at_all_a_search_still_ends(tmp_path: Path) -> None:
    outcome = search_with(PluginChoice(off=("mlp", "population")), tmp_path)
    assert outcome.stop.met and outcome.curve.predictor == "none@none"


@pytest.mark.parametrize(
    ("hook", "arguments"),
    [
        ("vmaftune_before_probe", "request"),
        ("vmaftune_after_probe", "request, record"),
        ("vmaftune_before_score", "request"),
        ("vmaftune_after_score", "record"),
    ],
)
def test_a_raising_event_hook_is_named_once(run, install: Install, hook: str, arguments: str) -> None:
    install("noisy", EVENTS.format(hook=hook, arguments=arguments))
    outcome, warnings = run()
    assert outcome.stop.met
    assert len(warnings) == 1 and "plugin noisy" in warnings[0] and "event gone wrong" in warnings[0]
    with pytest.raises(PluginError):
        run(strict=True)
