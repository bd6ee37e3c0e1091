"""``vmaf-tune predict``: the predicted curve of a source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np

from vmaftune.cli.options import (
    encode_options,
    host_options,
    json_option,
    plugin_options,
    range_options,
    sample_options,
)
from vmaftune.cli.output import print_json
from vmaftune.cli.plot import check_figure, plot_prediction
from vmaftune.cli.session import Session
from vmaftune.encoders.spec import number
from vmaftune.search.posterior import Posterior
from vmaftune.search.source import prepare
from vmaftune.state.workspace import workspace
from vmaftune.types import CurveContext

_LINES = 13


class PredictReport(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints; arrays of shape (n,). ``note`` is the predictor's, ``notes`` are its and the corrections'."""

    encoder: str
    preset: str | None
    predictor: str
    note: str | None
    notes: list[str]
    plugins: list[str]
    crfs: list[float]
    vmaf: list[float]
    deviation: list[float]
    correction_vmaf: list[float]
    feature_seconds: float


@click.command("predict")
@encode_options
@range_options
@sample_options
@plugin_options
@host_options
@click.option(
    "--plot", type=click.Path(path_type=Path), metavar="FILE.png|svg", help="Draw the curve (needs matplotlib)."
)
@json_option
def command(**options: Any) -> None:
    """The VMAF(CRF) curve that is expected of a source, with its 90 % band; nothing is encoded, nothing is verified."""
    check_figure(options["plot"])
    session = Session(options)
    ffmpeg = session.ffmpeg()
    spec = session.encoder(ffmpeg)
    grid = session.grid(spec)
    with session.plugins() as plugins, workspace() as folder:
        source = prepare(ffmpeg, options["input_"], session.encode_request(spec), session.store, folder)
        preset = source.settings.preset
        curve = plugins.predict(CurveContext(features=source.measured.features, encoder=spec, preset=preset, crfs=grid))
        deviation = Posterior(curve.corrected).deviation()
    report = PredictReport(
        encoder=spec.name,
        preset=preset,
        predictor=curve.predictor,
        note=curve.bare.note,
        notes=curve.notes,
        plugins=list(curve.adjustments),
        crfs=grid.tolist(),
        vmaf=np.round(np.clip(curve.corrected.mean, 0, 100), 3).tolist(),
        deviation=np.round(deviation, 3).tolist(),
        correction_vmaf=np.round(curve.corrected.mean - curve.bare.mean, 3).tolist(),
        feature_seconds=round(source.measured.feature_seconds, 3),
    )
    if options["as_json"]:
        print_json(report)
    else:
        click.echo("\n".join(_lines(report)))
    if options["plot"] is not None:
        title = f"{spec.name} preset {preset or 'none'}: {curve.predictor.split('@')[0]}"
        plot_prediction(report.crfs, report.vmaf, report.deviation, title, options["plot"])


def _lines(report: PredictReport) -> list[str]:
    lines = [f"{report.encoder} preset {report.preset or 'none'}, expected by {report.predictor} (not verified)"]
    lines += report.notes
    lines.append("   CRF    VMAF   90 % band")
    for place in np.unique(np.linspace(0, len(report.crfs) - 1, _LINES).round().astype(int)):
        crf, mean, reach = report.crfs[place], report.vmaf[place], 1.645 * report.deviation[place]
        low, high = max(0.0, mean - reach), min(100.0, mean + reach)
        lines.append(f"{number(crf):>6}  {mean:6.2f}   {low:6.2f} to {high:6.2f}")
    return lines
