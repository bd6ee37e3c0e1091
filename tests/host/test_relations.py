"""A prediction of one scale becomes one of another by what was measured of both; of the scales that predictors know, nothing
changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vmaftune_plugins.predictors.mlp_curves import MlpPredictor
from vmaftune_plugins.predictors.population_curves import PopulationPredictor

from tests.crf_search.conftest import FEATURES_OF_A_SOURCE
from tests.host.conftest import Install
from vmaftune.contract import CurveContext, Features, Prediction, Unsupported, crf_positions
from vmaftune.crf_search.curve import PredictedCurve
from vmaftune.crf_search.grid import crf_grid
from vmaftune.errors import PluginError
from vmaftune.host.manager import PluginManager
from vmaftune.host.relations import (
    MEASURED,
    NEG,
    OWN_SIZE,
    POOLED,
    UHD,
    V1,
    V1_UHD,
    XPSNR,
    Relation,
    shipped,
)
from vmaftune.host.run import PluginChoice, PluginRun
from vmaftune.quality.metric import Metric
from vmaftune.quality.scale import USUAL, Scale
from vmaftune.quality.vmaf import MODELS, VMAF

MANAGER = PluginManager()
KNOWN = (USUAL, UHD)
REAL = [MlpPredictor(), PopulationPredictor()]
OTHERS = [
    *(NEG, V1, V1_UHD, OWN_SIZE, XPSNR, Scale(pool="min"), Scale(pool="p7"), Scale(pool="harmonic_mean")),
    *(msgspec.structs.replace(V1, pool="p5"), msgspec.structs.replace(XPSNR, pool="p10", size="1280x720")),
    *(Scale(model="file-0123456789abcdef"), Scale(model="vmaf_4k_v0.6.1neg", pool="p99"), Scale(size="960x540")),
    Scale(model="vmaf_v1.0.16_3d0h_2160", depth=10),
]


def context(scale: Scale = USUAL, encoder: str = "libx264", features: Features = FEATURES_OF_A_SOURCE) -> CurveContext:
    spec = MANAGER.encoders[encoder]
    grid = crf_grid(spec, None, None, None)
    return CurveContext(features=features, encoder=spec, preset=spec.default_preset, crfs=grid, scale=scale)


def least_eigenvalue(covariance: np.ndarray) -> float:
    """As a share of the largest variance."""
    return float(np.linalg.eigvalsh(covariance)[0] / covariance.diagonal().max())


@st.composite
def relations(draw: st.DrawFn) -> Relation:
    n = draw(st.integers(2, 8))
    steps = st.lists(st.floats(0.5, 20.0), min_size=n, max_size=n)
    rises = st.lists(st.floats(0.0, 20.0), min_size=n, max_size=n)
    return Relation(
        known=USUAL,
        asked=V1,
        sources=9,
        knots=tuple(np.cumsum(draw(steps)).tolist()),
        mean=tuple(np.cumsum(draw(rises)).tolist()),
        deviation=tuple(draw(st.lists(st.floats(0.05, 15.0), min_size=n, max_size=n))),
        length=draw(st.floats(1.0, 60.0)),
    )


@settings(max_examples=60, deadline=None)
@given(relations(), st.integers(1, 12), st.integers(0, 2**31))
def test_a_relation_keeps_order_and_a_covariance_a_covariance(relation: Relation, n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    mean, root = np.sort(random.uniform(0.0, 100.0, n))[::-1], random.normal(0.0, 3.0, (n, 3))
    made = relation.applied(
        Prediction(mean=mean, covariance=root @ root.T, note="kept"), np.linspace(0.0, 1.0, n), (0.0, 100.0)
    )
    assert (np.diff(made.mean) <= 1e-9).all() and made.mean.min() >= 0.0 and made.mean.max() <= 100.0
    assert np.abs(made.covariance - made.covariance.T).max() < 1e-9 and least_eigenvalue(made.covariance) > -1e-9
    assert (made.covariance.diagonal() >= relation.deviation_at(mean) ** 2 - 1e-9).all() and made.note == "kept"


def test_the_shipped_table_has_all_that_is_measured() -> None:
    table = shipped()
    assert all(table.of(known, asked) is not None for known, asked in MEASURED)
    assert {r.known for r in table.relations if r.asked.pool != "mean"} == set(POOLED)
    for relation in table.relations:
        assert (np.diff(relation.knots) > 0.0).all() and (np.diff(relation.mean) >= 0.0).all()
        assert min(relation.deviation) > 0.0 and relation.sources >= 5


@pytest.mark.parametrize("predictor", REAL, ids=["mlp", "population"])
@pytest.mark.parametrize("scale", OTHERS, ids=lambda scale: scale.identity)
def test_real_predictions_become_those_of_another_scale(
    predictor: MlpPredictor | PopulationPredictor, scale: Scale
) -> None:
    metric = MANAGER.metrics[scale.metric]
    bridge = shipped().bridge(KNOWN, scale)
    assert bridge is not None
    asked = context(bridge.known)
    own = predictor.predict(asked)
    made = bridge.over(own, crf_positions(asked.encoder, asked.crfs), metric)
    low, high = metric.limits(scale.model)
    assert low <= made.mean.min() and made.mean.max() <= high and least_eigenvalue(made.covariance) > -1e-9
    # What the predictor left open, and more; a mean that can rise from one CRF to the next does so only where its own does.
    assert (np.diff(made.mean) <= 1e-9)[np.diff(own.mean) <= 0.0].all()
    assert made.note is not None and f" {bridge.known} " in made.note and "90 % lie within" in made.note


def test_every_model_and_pool_is_reached() -> None:
    for model, known in MODELS.items():
        for pool in ("mean", "min", "p3", "harmonic_mean"):
            for size in ("auto", "none"):
                scale = Scale(model=model, pool=pool, size=size, depth=known.depth)
                assert scale in KNOWN or shipped().bridge(KNOWN, scale) is not None, scale


def test_the_nearest_known_scale_is_asked_and_what_was_not_measured_is_wider() -> None:
    table = shipped()
    large = table.bridge(KNOWN, Scale(model="vmaf_v1.0.16_3d0h_2160", depth=10))
    assert large is not None and large.reached == V1_UHD and len(large.wider) == 1
    ways = [table.bridge((scale,), V1_UHD) for scale in KNOWN]
    assert large.deviation == min(way.deviation for way in ways if way is not None), "of two ways the nearer one"
    exact = table.bridge(KNOWN, V1)
    assert exact is not None and exact.known == USUAL and exact.reached == V1 and exact.wider == ()
    own_size = table.bridge(KNOWN, msgspec.structs.replace(V1, size="none"))
    assert own_size is not None and own_size.reached == V1 and own_size.wider == (table.of(USUAL, OWN_SIZE),)
    given, at = Prediction(mean=np.array([93.0]), covariance=np.zeros((1, 1))), np.zeros(1)
    bands = [bridge.over(given, at, VMAF).covariance[0, 0] for bridge in (exact, own_size)]
    assert bands[0] < bands[1]
    assert table.bridge(KNOWN, Scale(metric="nobody-measured-it", model="")) is None
    assert table.bridge((XPSNR,), USUAL) is None


def test_a_percentile_lies_between_those_that_were_measured() -> None:
    at = np.array([70.0, 90.0])
    five, seven, ten = (
        bridge.pooled.mean_at(at)
        for bridge in (shipped().bridge(KNOWN, Scale(pool=pool)) for pool in ("p5", "p7", "p10"))
        if bridge is not None and bridge.pooled is not None
    )
    assert (five <= seven).all() and (seven <= ten).all()


def predicted(scale: Scale, folder: Path, choice: PluginChoice | None = None) -> PredictedCurve:
    return PluginRun(PluginManager(), choice or PluginChoice(), folder, pytest.fail).predict(context(scale))


@pytest.mark.parametrize("scale", KNOWN, ids=lambda scale: scale.identity)
def test_nothing_changes_of_a_scale_that_the_predictor_knows(scale: Scale, tmp_path: Path) -> None:
    curve, own = predicted(scale, tmp_path), REAL[0].predict(context(scale))
    assert (curve.bare.mean == own.mean).all() and (curve.bare.covariance == own.covariance).all()
    assert curve.bare.note == own.note


def test_the_host_says_what_the_prior_is_made_from(tmp_path: Path) -> None:
    usual, other = predicted(USUAL, tmp_path), predicted(V1, tmp_path)
    assert other.predictor == f"{usual.predictor}.{shipped().version}" and other.context.scale == V1
    assert any("the prior of vmaf_v1.0.16_3d0h is made from that of vmaf_v0.6.1" in note for note in other.notes)
    assert (other.bare.covariance.diagonal() > 0.5).all()
    decibels = predicted(XPSNR, tmp_path)
    assert decibels.bare.mean.min() > 20.0 and decibels.bare.mean.max() < 60.0
    assert any(" dB " in note for note in decibels.notes)


DECIBELS = """
    import numpy as np
    from vmaftune import hookimpl
    from vmaftune.contract import Metric, Prediction, PredictorSpec, Scale

    vmaftune_api = 1
    XPSNR = Scale(metric="xpsnr", model="", depth=8)

    class Line:
        version = "line-1"

        def predict(self, context):
            assert context.scale == XPSNR
            n = len(context.crfs)
            return Prediction(mean=np.linspace(TOP, 30.0, n), covariance=np.eye(n))

    class Errors(Metric):
        name, title, filter, parts = "errors", "Errors", "nothing", ("e",)
        higher_is_better, usual_range, highest = False, (1.0, 30.0), 60.0

        def decide(self, asked, pictures): ...
        def filter_text(self, comparison, log, *, threads, every): ...
        def read_log(self, log): ...

    @hookimpl
    def vmaftune_predictors():
        yield PredictorSpec(name="line", version="1", factory=lambda c: Line(), scales=(XPSNR,))

    @hookimpl
    def vmaftune_metrics():
        yield Errors()
"""


def test_a_predictor_is_asked_only_for_what_it_knows(install: Install, tmp_path: Path) -> None:
    install("line", DECIBELS.replace("TOP", "48.0"))
    choice = PluginChoice(predictor="line")
    curve = predicted(XPSNR, tmp_path, choice)
    assert curve.predictor == "line@line-1" and curve.bare.mean[0] == 48.0 and curve.bare.note is None
    usual = predicted(USUAL, tmp_path, choice)
    assert usual.predictor == "none@none" and "line: vmaf_v0.6.1 follows from no scale that it knows" in usual.notes


def test_a_mean_is_held_to_what_the_scale_can_be(install: Install, tmp_path: Path) -> None:
    install("line", DECIBELS.replace("TOP", "103.0"))
    with pytest.raises(PluginError, match=r"predicted XPSNR from 30\.0 to 103\.0"):
        predicted(XPSNR, tmp_path, PluginChoice(predictor="line"))


def test_a_metric_that_nobody_measured_starts_without_a_prior(install: Install, tmp_path: Path) -> None:
    install("line", DECIBELS)
    curve = predicted(Scale(metric="errors", model=""), tmp_path)
    mean, metric = curve.bare.mean, PluginManager().metrics["errors"]
    assert isinstance(metric, Metric) and curve.predictor == "none@none" and curve.notes
    assert mean[0] == pytest.approx(1.0, abs=1.5) and mean[-1] == pytest.approx(30.0, abs=3.0)
    assert (np.diff(mean) >= 0.0).all() and least_eigenvalue(curve.bare.covariance) > -1e-9


@pytest.mark.parametrize("predictor", REAL, ids=["mlp", "population"])
def test_features_that_could_not_be_measured_are_not_guessed(predictor: MlpPredictor | PopulationPredictor) -> None:
    values = (*FEATURES_OF_A_SOURCE.values[:-1], float("nan"))
    unmeasured = msgspec.structs.replace(FEATURES_OF_A_SOURCE, values=values)
    with pytest.raises(Unsupported, match="no pilot"):
        predictor.predict(replace(context(), features=unmeasured))
