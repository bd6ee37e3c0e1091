"""The curve that is expected of a source."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vmaftune.crf_search.posterior import Posterior
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.session import Session, names_origins
from vmaftune.quality.scored import ScoredReport, scored_by
from vmaftune.state.workspace import workspace


class PredictReport(ScoredReport, frozen=True, kw_only=True):
    """What ``predict --json`` prints; arrays of shape (n,). ``note`` is the predictor's, ``notes`` the corrections' too."""

    encoder: str
    preset: str | None
    predictor: str
    note: str | None
    notes: list[str]
    plugins: list[str]
    crfs: list[float]
    score: list[float]
    vmaf: list[float] | None = None
    deviation: list[float]
    correction_score: list[float]
    correction_vmaf: list[float] | None = None
    feature_seconds: float


@names_origins
def run_predict(session: Session, path: Path, observer: JobObserver | None = None) -> PredictReport:
    """Predict and correct the curve of a source; nothing is encoded but pilots, nothing is verified.

    Raises:
        UserError: an option or the source is wrong.
    """
    ffmpeg = session.ffmpeg()
    spec = session.encoder(ffmpeg)
    grid = session.grid(spec)
    observer = observer or JobObserver()
    with session.plugins() as plugins, workspace() as folder:
        source = session.prepared(ffmpeg, path, folder, on_measure=observer.measuring)
        observer.measured(source)
        preset = source.settings.preset
        curve = plugins.predict(source.context(grid))
        metric = source.comparison.metric
        deviation = Posterior(curve.corrected, metric.grain).deviation()
    return PredictReport(
        **scored_by(source.comparison, source.scale),
        encoder=spec.name,
        preset=preset,
        predictor=curve.predictor,
        note=curve.bare.note,
        notes=curve.notes,
        plugins=list(curve.adjustments),
        crfs=grid.tolist(),
        score=np.round(np.clip(curve.corrected.mean, *metric.limits(source.comparison.model)), 3).tolist(),
        deviation=np.round(deviation, 3).tolist(),
        correction_score=np.round(curve.corrected.mean - curve.bare.mean, 3).tolist(),
        feature_seconds=round(source.measured.feature_seconds, 3),
    )
