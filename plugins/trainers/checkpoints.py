"""Checkpoints: ONNX files that are numbered for all time, each with its SHA-256 beside it, of which the newest are kept.

``checkpoints/sgd-ema-0007.onnx`` and ``sgd-ema-0007.onnx.sha256`` (as ``sha256sum -c`` reads it) lie in the trainer's
folder, and the same file is registered among the user's models under the id ``sgd-ema-0007``.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Collection
from pathlib import Path

from vmaftune import models
from vmaftune.models import ModelEntry, RegisteredModel
from vmaftune.models.session import OPSET
from vmaftune.state import atomic
from vmaftune.state.folders import models_folder

PREFIX = "sgd-ema-"
_ID = re.compile(re.escape(PREFIX) + r"(\d+)")
_COUNTER = "last-version"
_SUFFIX, _HASH_SUFFIX = ".onnx", ".onnx.sha256"


class Checkpoints:
    """The checkpoints of one trainer.

    Args:
        folder: of the trainer.
        keep: checkpoints that are kept, beside those that ``latest-stable`` means or can be rolled back to.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder, self._keep = folder / "checkpoints", keep

    def reserve(self) -> str:
        """An id that was never given and never will be again, even where what comes next is killed.

        The registry is asked too: the trainer's folder may have been lost. Raises OSError, UserError and VmafTuneError.
        """
        number = 1 + max(self._counted(), *(_number(name) for name in self._names()), 0)
        atomic.write(self._folder / _COUNTER, f"{number}\n".encode("ascii"))
        return f"{PREFIX}{number:04}"

    def write(self, model_id: str, content: bytes) -> None:
        """Write the file whole; its hash comes first, so that no checkpoint is ever without one. Raises OSError."""
        name = f"{model_id}{_SUFFIX}"
        line = f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        atomic.write(self._folder / f"{model_id}{_HASH_SUFFIX}", line.encode("ascii"))
        atomic.write(self._folder / name, content)

    def register(
        self,
        model_id: str,
        content: bytes,
        base: RegisteredModel,
        data: bytes,
        *,
        card: str,
        metrics: dict[str, float],
        rejected: tuple[str, ...],
    ) -> ModelEntry:
        """Put it among the user's models.

        Args:
            base: the model that training began with, and ``data`` its corpus.

        Raises:
            UserError, VmafTuneError, OSError: as vmaftune.models.register.
        """
        entry = ModelEntry(
            id=model_id,
            kind="predictor",
            file=f"{model_id}{_SUFFIX}",
            sha256=hashlib.sha256(content).hexdigest(),
            encoders=base.encoders,
            data=base.data,
            data_sha256=base.data_sha256,
            licence=base.licence,
            opset=OPSET,
            card=f"{model_id}.md",
            metrics=metrics,
            rejected=rejected,
        )
        files = {entry.file: content, entry.data: data, f"{model_id}.md": card.encode()}
        return models.register(models_folder(), entry, files)

    def prune(self, never: Collection[str] = ()) -> None:
        """Remove all but the newest, those that ``latest-stable`` means or meant, and ``never``. Raises as models.forget."""
        spared = {*models.promoted(models_folder()), *never}
        mine = sorted(self._names(), key=_number)
        old = [name for name in mine[: -self._keep] if name not in spared]
        models.forget(models_folder(), old)
        for name in old:
            for suffix in (_SUFFIX, _HASH_SUFFIX):
                (self._folder / f"{name}{suffix}").unlink(missing_ok=True)

    def _counted(self) -> int:
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int((self._folder / _COUNTER).read_text("ascii"))
        return 0

    def _names(self) -> set[str]:
        """Ids of all checkpoints that left a file or an entry."""
        files = (path.name.split(".")[0] for path in self._folder.glob(f"{PREFIX}*"))
        registered = (model.id for model in models.entries())
        return {name for name in (*files, *registered) if _ID.fullmatch(name)}


def _number(model_id: str) -> int:
    match = _ID.fullmatch(model_id)
    return int(match[1]) if match else 0
