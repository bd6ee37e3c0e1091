"""A tiny model becomes a registered one: file, table, card, figures."""

from __future__ import annotations

import hashlib
from pathlib import Path

from vmaftune import models
from vmaftune.models import ModelEntry
from vmaftune.models.session import OPSET
from vmaftune.tiny.evaluate import EvalReport

LICENCE = "Apache-2.0"


def register_tiny(
    folder: Path, model_id: str, content: bytes, report: EvalReport, data: bytes, card: str
) -> ModelEntry:
    """Register a model of kind ``fr`` in the registry of ``folder``.

    Args:
        data: of the table it was trained on. Tables of the same content are kept once, under a name with their hash.

    Raises:
        UserError, VmafTuneError, OSError: as of models.register.
    """
    entry = ModelEntry(
        id=model_id,
        kind="fr",
        file=f"{model_id}.onnx",
        sha256=report.sha256,
        encoders=(),
        data=data_file(data),
        data_sha256=hashlib.sha256(data).hexdigest(),
        licence=LICENCE,
        opset=OPSET,
        quant_mode="fp32",
        card=f"{model_id}.md",
        metrics=_metrics(report),
        smoke=report.split == "no data",
    )
    files = {entry.file: content, entry.data: data, f"{model_id}.md": card.encode()}
    return models.register(folder, entry, files)


def data_file(data: bytes) -> str:
    """Name of the file that keeps the table a model was made from."""
    return f"tiny-{hashlib.sha256(data).hexdigest()[:8]}.frames.npz"


def _metrics(report: EvalReport) -> dict[str, float]:
    """Mean over sources that were held out; none where the model was judged by what it learned from."""
    if report.split not in ("leave-one-source-out", "leave-sources-out", "one source out"):
        return {}
    spreads = report.over_sources
    means: dict[str, float] = {
        name: round(spreads[name].mean, 6) for name in ("plcc", "srocc", "krocc") if name in spreads
    }
    rmse = spreads["rmse"]
    errors = {"rmse_vmaf": round(rmse.mean, 6), "rmse_vmaf_worst_source": round(rmse.worst, 4)}
    return {**errors, **means, "sources": float(len(report.sources))}
