"""The learner of ``sgd-ema-trainer``: a stream of scores in, checkpoints of the model out."""

from __future__ import annotations

import copy
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from vmaftune_plugins.trainers.checkpoints import Checkpoints, number_of
from vmaftune_plugins.trainers.corpus import own_corpus
from vmaftune_plugins.trainers.descent import Descent
from vmaftune_plugins.trainers.encoded import Encoding, LeftOut, is_held_out, source_of
from vmaftune_plugins.trainers.gate import Fit, Verdict, fit, judge
from vmaftune_plugins.trainers.replay_buffer import ReplayBuffer
from vmaftune_plugins.trainers.sgd_ema_settings import Settings
from vmaftune_plugins.trainers.snapshot import Progress, packed, unpacked
from vmaftune_plugins.trainers.weights import Network

from vmaftune import models
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.learner import LearnerContext, LearnerStatistics, Published, Sample
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.host.manager import PluginManager
from vmaftune.state import atomic
from vmaftune.state.folders import models_folder
from vmaftune.state.regular import read_regular
from vmaftune.training.predictor import LARGEST_DIFFERENCE_VMAF

CUDA_VARIABLE = "VMAFTUNE_TRAINER_CUDA"
SNAPSHOT_FILE = "learner.npz"

_HELD_OUT_ROWS = 500
"""The newest: were there many more, a burst of wrong scores would be too small a share of them to be seen while it comes
in, and would keep the gate shut for long when it is over."""

_COMPARED_ROWS = 64
_SMOOTHING = 0.02


def make_learner(context: LearnerContext) -> SgdEmaLearner:
    """What TrainerSpec.learner takes. Raises UserError where the model of the settings cannot be trained."""
    return SgdEmaLearner(context.settings, context.folder, context.warn)


def _device(warn: Callable[[str], None]) -> str:
    """The processor, unless the GPU is asked for by name: encodes may need it."""
    if os.environ.get(CUDA_VARIABLE) != "1":
        return "cpu"
    if not torch.cuda.is_available():
        warn(f"{CUDA_VARIABLE} is 1, but torch finds no GPU here; the processor trains")
        return "cpu"
    return "cuda"


class SgdEmaLearner:
    """Stochastic gradient descent on a stream of scores, with a moving average of the weights that is published.

    Each sample that comes in is worth one step: a batch is half the newest samples up to that one, half older ones from the
    buffer, with rows of the corpus that the model was made from. So the same samples in the same order give the same
    weights, however they arrive, as long as training is not half a buffer behind. A share of the sources is never trained on.

    Args:
        settings: of the plugin.
        folder: where snapshots and checkpoints are written.
        warn: shows one line.
        encoders: by name, for the order of their presets; None takes those that are installed.

    Raises:
        UserError: there is no such model, it cannot be trained, or its corpus is not installed.
        VmafTuneError: its file is broken.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        warn: Callable[[str], None],
        encoders: Mapping[str, EncoderSpec] | None = None,
    ) -> None:
        torch.set_num_threads(1)
        self._settings, self._folder, self._warn = settings, folder, warn
        self._device = _device(warn)
        if settings.model == models.LATEST_STABLE:
            raise UserError(
                f"model = {settings.model!r}: the trainer begins with a model that stays the same; name one"
            )
        self._base, content = models.load(settings.model)
        self.network = Network(content, f"model {self._base.id}", self._device)
        installed = PluginManager().encoders if encoders is None else encoders
        self._encoding = Encoding(self.network.contract, installed)
        self._corpus = own_corpus(self._base, self._encoding)
        self._checkpoints = Checkpoints(folder, settings.keep)
        self._ingesting = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        """Everything that a snapshot holds, as it is before the first sample."""
        settings, width = self._settings, self._encoding.width
        self._descent = Descent(self.network, settings, self._corpus.rehearsal, self._device)
        self._buffer = ReplayBuffer(settings.buffer, width)
        self._held_out = ReplayBuffer(_HELD_OUT_ROWS, width)
        self._random = np.random.default_rng(settings.seed)
        self._progress = Progress(base=self._base.version, optimiser=settings.optimiser)

    def ingest(self, samples: Sequence[Sample]) -> None:
        with self._ingesting:
            for sample in samples:
                self._ingest(sample)

    def _ingest(self, sample: Sample) -> None:
        progress = self._progress
        progress.taken += 1
        try:
            if sample.scale not in self._corpus.scales:
                raise LeftOut("another scale")
            row = self._encoding.row(sample.encoder, sample.preset, sample.crf, sample.features, sample.true_score)
        except LeftOut as why:
            progress.leave_out(str(why))
            return
        progress.used += 1
        held_out = is_held_out(source_of(row), self._settings.held_out)
        (self._held_out if held_out else self._buffer).push(row)

    def train(self) -> bool:
        progress, pushed = self._progress, self._buffer.pushed
        if progress.trained_to >= pushed:
            return False
        # What it cannot keep up with is not the newest any more; it is replayed.
        progress.trained_to = max(progress.trained_to + 1, pushed - self._settings.buffer // 2)
        loss = self._descent.train(self._batch(progress.trained_to))
        if loss is not None:
            progress.loss = loss if progress.loss is None else progress.loss + _SMOOTHING * (loss - progress.loss)
        progress.trained_unix_seconds = time.time()
        return True

    def _batch(self, end: int) -> np.ndarray:
        """Samples up to number ``end``, half of them the newest, with rows of the corpus; shape (n, d + 5)."""
        batch, corpus = self._settings.batch, self._corpus.rehearsal
        stream = self._buffer.sample_recent(batch, self._random, recent=batch // 2, before=end)
        rehearsed = self._random.integers(0, len(corpus), round(batch * self._settings.rehearsal))
        return np.concatenate([stream, corpus[rehearsed]])

    def checkpoint(self, unix_seconds: float, *, force: bool = False) -> Published | None:
        progress = self._progress
        if not (force or self._is_due(unix_seconds)) or self._descent.step == progress.published_step:
            return None
        try:
            published = self._publish()
        except VmafTuneError as error:
            raise OSError(str(error)) from error
        progress.checked_unix_seconds, progress.used_at_checkpoint = unix_seconds, progress.used
        progress.published_step = self._descent.step
        return published

    def _is_due(self, unix_seconds: float) -> bool:
        progress, settings = self._progress, self._settings
        if progress.checked_unix_seconds is None or unix_seconds < progress.checked_unix_seconds:
            # The wait begins, or the clock was set back: waiting for it to come round again could take years.
            progress.checked_unix_seconds = unix_seconds
        return (
            unix_seconds - progress.checked_unix_seconds >= 60.0 * settings.checkpoint_minutes
            and progress.used - progress.used_at_checkpoint >= settings.checkpoint_samples
        )

    def _publish(self) -> Published:
        weights, rows = self._descent.average, self._held_out.rows()
        model_id = self._checkpoints.reserve(after=self._progress.last_number)
        self._progress.last_number = number_of(model_id)
        content = self.network.file(weights)
        compared = np.concatenate([self._corpus.reference[:_COMPARED_ROWS], rows[-_COMPARED_ROWS:]])
        difference = self.network.difference(weights, content, compared)
        if not difference <= LARGEST_DIFFERENCE_VMAF:
            why = f"torch and onnxruntime differ by {difference:.2g} VMAF"
            self._warn(f"{model_id} was not published: {why}")
            return Published(version=model_id, stable=False, reasons=(why,))
        verdict = self._judged(weights, rows)
        self._checkpoints.prune(never={self._base.id})
        self._checkpoints.write(model_id, content)
        entry = self._checkpoints.register(
            model_id,
            content,
            self._base,
            self._corpus.content,
            card=self._card(model_id, verdict),
            metrics=verdict.metrics,
            rejected=verdict.reasons,
        )
        if not verdict.reasons:
            models.promote(models_folder(), model_id, before=self._base.id)
        return Published(version=entry.version, stable=not verdict.reasons, reasons=verdict.reasons)

    def _judged(self, weights: np.ndarray, rows: np.ndarray) -> Verdict:
        stable = self._stable()
        compared = {"checkpoint": weights, "stable": stable.theta, "first": self.network.theta}

        def fits(of: np.ndarray) -> dict[str, Fit]:
            return {name: fit(self.network.predicted(theta, of), of) for name, theta in compared.items()}

        on_stream = fits(rows) if len(rows) else {}
        return judge(rows, stable.deviations(rows), on_stream, fits(self._corpus.reference))

    def _stable(self) -> Network:
        """The model that ``latest-stable`` means; the one that training began with where that has other curves."""
        if not models.promoted(models_folder()):
            return self.network
        found, content = models.load(models.LATEST_STABLE)
        try:
            stable = Network(content, f"model {found.id}", self._device)
        except UserError:  # somebody promoted a predictor of another make
            return self.network
        return stable if stable.contract == self.network.contract else self.network

    def _card(self, model_id: str, verdict: Verdict) -> str:
        """Markdown."""
        facts = [
            f"Trained on from `{self._base.version}` with {self._buffer.pushed:,} scores of this host's encodes in "
            f"{self._descent.step:,} steps, beside the corpus that it was made from. Covariance and scaler are that model's.",
            "",
            "**Gate.** " + ("Passed." if not verdict.reasons else "Rejected: " + "; ".join(verdict.reasons) + "."),
            "",
            "Held out were a share of the sources of the stream, and the reference, a part of the corpus: "
            + ", ".join(f"{name} {value:.4g}" for name, value in verdict.metrics.items())
            + ".",
        ]
        return f"# {model_id}\n\n" + "\n".join(facts) + "\n"

    def snapshot(self) -> None:
        with self._ingesting:  # so that buffers and counts are of one moment
            progress = copy.deepcopy(self._progress)
            parts = {name: part.state() for name, part in self._parts().items()}
        atomic.write(self._folder / SNAPSHOT_FILE, packed(progress, self._random, parts), private=True)

    def restore(self) -> int:
        path = self._folder / SNAPSHOT_FILE
        try:
            content = read_regular(path, 2**31)
        except FileNotFoundError:
            return 0
        try:
            self._go_on(content)
        except Exception as error:  # torch's and numpy's too: whatever it is, the file is at fault
            why = f"has no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
            aside = atomic.set_aside(path, "set-aside")
            self._warn(f"{path} {why}; it was set aside as {aside.name} and training begins anew")
            self._begin()
        return self._progress.taken

    def _go_on(self, content: bytes) -> None:
        progress, random, parts = unpacked(content)
        if progress.base != self._base.version:
            raise ValueError(f"is of the model {progress.base}, not {self._base.version}")
        if progress.optimiser != self._settings.optimiser:
            parts["descent"] = {k: v for k, v in parts["descent"].items() if not k.startswith("optimiser_")}
            progress.optimiser = self._settings.optimiser
        self._descent.restore(parts["descent"])
        self._buffer = ReplayBuffer.restored(parts["buffer"], self._settings.buffer)
        self._held_out = ReplayBuffer.restored(parts["held_out"], _HELD_OUT_ROWS)
        self._progress, self._random = progress, random

    def _parts(self) -> dict[str, Any]:
        return {"descent": self._descent, "buffer": self._buffer, "held_out": self._held_out}

    def statistics(self) -> LearnerStatistics:
        progress = self._progress
        return LearnerStatistics(
            step=self._descent.step,
            taken=progress.taken,
            buffered=len(self._buffer),
            loss=progress.loss,
            trained_unix_seconds=progress.trained_unix_seconds,
            since_checkpoint=progress.used - progress.used_at_checkpoint,
            buffer_bytes=self._buffer.nbytes + self._held_out.nbytes,
        )

    @property
    def left_out(self) -> dict[str, int]:
        """Samples that were not learned from, by reason; from any thread."""
        return dict(self._progress.left_out)
