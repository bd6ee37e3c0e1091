"""The model's card: what it is, what it was made from, how good it is on sources it never saw, and what it cannot do."""

from __future__ import annotations

from collections.abc import Sequence

from vmaftune.training.design import Design
from vmaftune.training.evaluate import Figures
from vmaftune.training.predictor import TrainedPredictor

_HEAD = """\
| {} | curves | sources | mean error | median | 9 in 10 below | 90 % interval covers | first guess near |
|---|---|---|---|---|---|---|---|"""

_CARD = """\
# {id}

**Purpose.** Predicts the curve VMAF(CRF) of a source, with its uncertainty, from features and a pilot, before
anything is encoded with the encoder that is asked for. It is the `mlp` predictor's prior of a search; a result is
always a measured score.

**Data.** `{data}`: {rows:,} rows. Learned were {curves} curves of {sources} sources
({kinds}).
Every row is a real encode, scored with the VMAF model of its size, frames paired by index.

**Model.** {members} MLPs ({hidden}, tanh) whose mean is the curve, shared by all encoders with a head for each, and a
straight path beside them, in the basis of {components} principal components of each encoder's curves; made to fall
with CRF. The covariance is a spread by distance to VMAF's ceiling, a factor for each encoder and preset, and the
correlation of errors between knots. Scaler, network and covariance are one ONNX graph of opset 17. onnxruntime and
torch differ by at most {difference:.1g} VMAF. Seed {seed}.

**Held out.** Every figure is of sources that the network speaking of them never saw: leave-one-source-out, with all
heights of a source left out together. Errors are in VMAF, where true VMAF is 80 to 98. The first guess is that for
VMAF 90, 93 and 96, near when within 1.5 CRF of the truth (2.5 for SVT-AV1).

{by_curve}

{by_kind}

**Limits.** {worst}Sources were {heights} pixels high.
What lies far outside that, and encoders and presets that are not listed, are not its business: the population prior
answers for those. Intervals, too, were made without the source that they are counted on.

Licence: {licence}.
"""


def model_card(
    model_id: str, predictor: TrainedPredictor, design: Design, *, data: str, rows: int, seed: int, licence: str
) -> str:
    """Markdown.

    Args:
        data: file name of the corpus it was trained on, and ``rows`` how many rows that has.
    """
    table = predictor.table
    by_error = sorted(predictor.by_kind, key=lambda group: -group.mae_vmaf)
    worst = [f"{_plain(group.group)} ({group.mae_vmaf:.1f})" for group in by_error[:2]]
    return _CARD.format(
        id=model_id,
        data=data,
        rows=rows,
        curves=len(table.which),
        sources=len(set(table.sources)),
        kinds=", ".join(sorted(map(_plain, set(table.kinds)))),
        members=design.members,
        hidden="x".join(map(str, design.hidden)) or "no hidden layer",
        components=design.components,
        difference=predictor.difference_vmaf,
        seed=seed,
        by_curve=_table("encoder", predictor.by_curve),
        by_kind=_table("content", predictor.by_kind),
        worst=f"It errs most on {' and '.join(worst)}. " if len(predictor.by_kind) > 1 else "",
        heights=" to ".join(str(height) for height in dict.fromkeys((table.heights.min(), table.heights.max()))),
        licence=licence,
    )


def _table(of: str, groups: Sequence[Figures]) -> str:
    lines = [_HEAD.format(of)]
    for g in groups:
        near = f"{100 * g.first_guess:.0f} %" if g.first_guess == g.first_guess else "–"
        lines.append(
            f"| {_plain(g.group)} | {g.curves} | {g.sources} | {g.mae_vmaf:.2f} | {g.median_vmaf:.2f} "
            f"| {g.worst_decile_vmaf:.2f} | {100 * g.coverage_90:.0f} % | {near} |"
        )
    return "\n".join(lines)


def _plain(name: str) -> str:
    """A name of the user's, such as a kind of content, that cannot break a table."""
    return " ".join(name.replace("|", "/").split())
