"""A trained predictor becomes a registered model."""

from __future__ import annotations

import hashlib
from pathlib import Path

from vmaftune import models
from vmaftune.models import ModelEntry
from vmaftune.models.session import OPSET
from vmaftune.training.predictor import TrainedPredictor

LICENCE = "Apache-2.0"


def data_file(model_id: str) -> str:
    """Name of the file that keeps the rows a model was made from."""
    return f"{model_id}.rows.jsonl.gz"


def register_predictor(
    folder: Path, model_id: str, trained: TrainedPredictor, data: bytes, card: str | None = None
) -> ModelEntry:
    """Register a predictor with its rows, and its card where there is one.

    Args:
        folder: of the registry.
        data: packed rows it was trained on.

    Returns:
        The entry as registered.

    Raises:
        UserError, VmafTuneError, OSError: as of models.register.
    """
    entry = ModelEntry(
        id=model_id,
        kind="predictor",
        file=f"{model_id}.onnx",
        sha256=hashlib.sha256(trained.content).hexdigest(),
        encoders=tuple(curve.name for curve in trained.table.curves),
        data=data_file(model_id),
        data_sha256=hashlib.sha256(data).hexdigest(),
        licence=LICENCE,
        opset=OPSET,
        card=None if card is None else f"{model_id}.md",
        metrics=trained.metrics,
    )
    files = {entry.file: trained.content, entry.data: data}
    return models.register(folder, entry, files if card is None else {**files, f"{model_id}.md": card.encode()})
