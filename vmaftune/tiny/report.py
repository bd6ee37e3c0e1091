"""The evaluation of a tiny model, and its card, for people to read: Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from vmaftune.media.facts import shown
from vmaftune.tiny.evaluate import EvalReport
from vmaftune.tiny.figures import METRICS, Figures, Spread

_ORIGIN = {
    "leave-one-source-out": "Each source is judged by a network that never saw it ({folds} networks).",
    "leave-sources-out": "Each source is judged by a network that never saw it nor its group ({folds} networks).",
    "one source out": "The source was never seen in training.",
    "fitted on these frames": "**Not held out**: the model was fitted on these very frames. This is no claim.",
    "not known": "Whether the model was trained on these frames is not known here.",
    "no data": "Made to try the training out: no epoch of training, no real frame. The figures mean nothing.",
}
_HEADING = "| | frames or clips | PLCC | SROCC | KROCC | RMSE, VMAF |\n|---|---|---|---|---|---|"

_CARD = """\
# {name}

**Purpose.** Gives vmaf_v0.6.1 of a frame from six of libvmaf's features ({features}), without the SVM:
`vmaf-tune score REF DIST --model {name}`.

**Use.** Input `features`, float32, raw canonical-6, shape (n, 6), the frames of one clip in order, n of any size; output
`vmaf`, float32, shape (n, 1). {inside} ONNX opset 17, of the operators {operators} at most. onnxruntime and torch differ by
at most {difference:.1g} VMAF on the corpus it was made from (one step of float32 is 8e-6 there).

**Data.** `{data}`: {frames:,} frames of {clips} encodes of {sources} sources, VMAF {low:.0f} to {high:.0f}; targets are
{targets}. {fitted}

**Training.** {recipe}

"""

_LIMITS = """

**Limits.** It repeats what its teacher says, errors included. Features that lie outside the corpus (artefacts of other codecs,
other sizes, HDR) were not learned from. It is no measurement: a search is always verified with libvmaf's own VMAF.

Licence: Apache-2.0.
"""


def markdown(report: EvalReport, figure: str | None = None) -> str:
    """The readable report.

    Args:
        figure: file name of its scatter plots.
    """
    parts = [f"# {_plain(report.model)}", "", _facts(report), "", body(report)]
    if figure is not None:
        parts += ["", f"![what the model says against what it should]({figure})"]
    return "\n".join(parts) + "\n"


def body(report: EvalReport) -> str:
    """The figures, as tables."""
    lines = [
        f"## {report.split[:1].upper()}{report.split[1:]}",
        "",
        _ORIGIN[report.split].format(folds=report.folds),
        "",
        _HEADING,
        _row("frames", report.frame),
        _row("clips (mean over frames)", report.clip),
        "",
    ]
    if len(report.sources) > 1:
        lines += ["Frames, over sources:", "", "| | mean ± sd | worst | of |", "|---|---|---|---|"]
        lines += [_spread(name, report.over_sources[name]) for name in METRICS if name in report.over_sources]
        lines += [""]
    lines += ["Frames of each source, the worst first:", "", _HEADING.replace("frames or clips", "frames")]
    worst = sorted(report.sources, key=lambda source: -source.frame.rmse)
    lines += [_row(_plain(source.source), source.frame) for source in worst]
    return "\n".join(lines)


def summary(report: EvalReport) -> list[str]:
    """The figures in a few lines."""
    lines = [
        f"{report.model}: {report.parameters if report.parameters is not None else 'unknown'} parameters, "
        f"{report.file_bytes} bytes; {report.split}, {len(report.sources)} sources"
    ]
    for unit, found in (("frames", report.frame), ("clips", report.clip)):
        each = [f"{name.upper()} {value:.5f}" for name in METRICS[:3] if (value := getattr(found, name)) is not None]
        lines.append(f"  {found.count:6d} {unit:6s} RMSE {found.rmse:.3f} VMAF  {'  '.join(each)}")
    for name in ("rmse", "plcc"):
        if len(report.sources) > 1 and (spread := report.over_sources.get(name)) is not None:
            digits = 3 if name == "rmse" else 5
            lines.append(
                f"  over sources: {name.upper()} {spread.mean:.{digits}f} ± {spread.sd:.{digits}f}, worst "
                f"{spread.worst:.{digits}f} ({shown(spread.worst_source)})"
            )
    if (cost := report.latency) is not None:
        lines.append(
            f"  one frame: p50 {cost.bound_p50_us:.2f} µs, p95 {cost.bound_p95_us:.2f} µs through bound buffers; p50 "
            f"{cost.run_p50_us:.2f} µs, p95 {cost.run_p95_us:.2f} µs by session.run"
        )
    return lines


def model_card(report: EvalReport, *, data: str, operators: Sequence[str], features: Sequence[str]) -> str:
    """The card of a registered model, with its held-out figures.

    Args:
        data: file name of the table it was trained on.
    """
    s = report.settings
    blind = s["blind_to"]
    inside = [
        text
        for on, text in ((s["scaler"], "the StandardScaler, as Sub and Div"), (s["clip"], "the clip to 0 to 100"))
        if on
    ]
    head = _CARD.format(
        name=report.model,
        features=", ".join(features),
        inside=f"In the graph: {' and '.join(inside)}." if inside else "No scaler and no clip in the graph.",
        operators=", ".join(operators),
        difference=s["difference_vmaf"],
        data=data,
        frames=s["frames"],
        clips=s["clips"],
        sources=s["sources"],
        low=s["lowest_score"],
        high=s["highest_score"],
        targets=s["targets"],
        fitted="The weights were fitted on all sources."
        if blind is None
        else f"The weights never saw {_plain(str(blind))}.",
        recipe=_recipe(report),
    )
    return head + _facts(report) + "\n\n" + body(report) + _LIMITS


def _facts(report: EvalReport) -> str:
    latency = report.latency
    facts = [
        ("architecture", report.architecture or "not known"),
        ("parameters", f"{report.parameters:,}" if report.parameters is not None else "not known"),
        ("file", f"{report.file_bytes:,} bytes, sha256 {report.sha256}"),
    ]
    if latency is not None:
        facts.append(
            (
                "one frame, onnxruntime, one thread",
                f"p50 {latency.bound_p50_us:.1f} µs, p95 {latency.bound_p95_us:.1f} µs through bound buffers; "
                f"p50 {latency.run_p50_us:.1f} µs, p95 {latency.run_p95_us:.1f} µs by session.run",
            )
        )
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in facts)])


def _recipe(report: EvalReport) -> str:
    s = report.settings
    rate = "falling to zero along a half cosine" if s["cosine"] else "constant"
    parts = [
        f"{report.architecture}, {report.parameters:,} parameters; recipe {s['recipe']}: Adam, learning rate "
        f"{s['learning_rate']:g}, {rate}; mean squared error of each frame; batches of {s['batch']}; {s['epochs']} epochs; "
        f"seed {s['seed']}."
    ]
    if s["scaler"]:
        parts.append("Inputs and target are standardised; the target's scale is then folded into the last layer.")
    if s["clip"]:
        parts.append("What lies beyond a target that libvmaf clipped (0 or 100) is no error.")
    if s["patience"] is not None:
        parts.append(f"Early stopping after {s['patience']} epochs watched sources that were not learned from.")
    parts.append(f"RMSE on what it learned from: {s['rmse_learned_from']} VMAF.")
    return " ".join(parts)


def _row(name: str, found: Figures) -> str:
    each = (_number(value) for value in (found.plcc, found.srocc, found.krocc))
    return f"| {name} | {found.count:,} | {' | '.join(each)} | {found.rmse:.3f} |"


def _spread(name: str, spread: Spread) -> str:
    digits = 3 if name == "rmse" else 5
    of = f"{spread.mean:.{digits}f} ± {spread.sd:.{digits}f}"
    return f"| {name.upper()} | {of} | {spread.worst:.{digits}f} | {_plain(spread.worst_source)} |"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.5f}"


def _plain(name: str) -> str:
    """A name of the user's that cannot break a table."""
    return " ".join(name.replace("|", "/").split())
