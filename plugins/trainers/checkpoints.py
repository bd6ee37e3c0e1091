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

from filelock import FileLock

from vmaftune import models
from vmaftune.models import ModelEntry, RegisteredModel
from vmaftune.models.session import OPSET
from vmaftune.state import atomic
from vmaftune.state.folders import models_folder

PREFIX = "sgd-ema-"
_ID = re.compile(re.escape(PREFIX) + r"(\d+)")
_COUNTER = f"{PREFIX}last-number"
_LOCK_SECONDS = 20.0
_SUFFIX, _HASH_SUFFIX = ".onnx", ".onnx.sha256"


class Checkpoints:
    """The checkpoints of one trainer.

    Args:
        folder: of the trainer.
        keep: checkpoints that are kept, beside those that ``latest-stable`` means or can be rolled back to.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder, self._keep = folder / "checkpoints", keep

    def reserve(self, after: int = 0) -> str:
        """An id that was never given and never will be again, even where what comes next is killed.

        The last number is kept among the models, which several trainers may share, and in the trainer's folder: either may
        be lost, and so may the checkpoints. Raises OSError, UserError and VmafTuneError.

        Args:
            after: a number that is known to have been given.
        """
        folders = (self._folder, models_folder())
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        with FileLock(models_folder() / f"{_COUNTER}.lock", timeout=_LOCK_SECONDS):
            known = (*map(_counted, folders), *map(number_of, (*self._names(), *models.promoted(models_folder()))))
            number = 1 + max(after, *known)
            for folder in folders:
                atomic.write(folder / _COUNTER, f"{number}\n".encode("ascii"))
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
        """Make room for one more: remove all but the newest, those that ``latest-stable`` means or meant, and ``never``.

        Raises as models.forget. It comes first, so that where it fails there are not more and more.
        """
        spared = {*models.promoted(models_folder()), *never}
        mine = sorted(self._names(), key=number_of)
        old = [name for name in mine[: max(len(mine) + 1 - self._keep, 0)] if name not in spared]
        models.forget(models_folder(), old)
        for name in old:
            for suffix in (_SUFFIX, _HASH_SUFFIX):
                (self._folder / f"{name}{suffix}").unlink(missing_ok=True)

    def _names(self) -> set[str]:
        """Ids of all checkpoints that left a file or an entry."""
        files = (path.name.split(".")[0] for path in self._folder.glob(f"{PREFIX}*"))
        registered = (model.id for model in models.entries())
        return {name for name in (*files, *registered) if _ID.fullmatch(name)}


def number_of(model_id: str) -> int:
    """The number of a checkpoint; 0 where the id is of another model."""
    match = _ID.fullmatch(model_id)
    return int(match[1]) if match else 0


def _counted(folder: Path) -> int:
    with contextlib.suppress(FileNotFoundError, ValueError):
        return int((folder / _COUNTER).read_text("ascii"))
    return 0
