"""Checkpoints: when they are due, that they are whole whatever happens, and who passes the gate."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from vmaftune_plugins.trainers.checkpoints import Checkpoints

from tests.models import build
from tests.trainers.conftest import Learners, stream
from vmaftune import models
from vmaftune.corpus.rows import CorpusRow
from vmaftune.models.verify import verify

if TYPE_CHECKING:
    from vmaftune_plugins.trainers.learner import SgdEmaLearner

MINUTE = 60.0


def fed(
    learner: SgdEmaLearner, rows: list[CorpusRow], count: int = 220, *, shift: float = 0.0, seed: int = 0
) -> SgdEmaLearner:
    learner.ingest(stream(rows, count, seed=seed, shift=shift))
    while learner.train():
        pass
    return learner


def whole(folder: Path) -> list[str]:
    """Ids of the checkpoints in a trainer's folder, each of which has the hash beside it."""
    found = []
    for path in sorted(folder.glob("checkpoints/*.onnx")):
        digest, name = path.with_suffix(".onnx.sha256").read_text().split()
        assert name == path.name and digest == hashlib.sha256(path.read_bytes()).hexdigest()
        found.append(path.stem)
    return found


def test_ten_minutes_and_enough_samples_must_have_passed(learner: Learners, rows: list[CorpusRow]) -> None:
    one = learner(checkpoint_samples=50)
    assert one.checkpoint(1000.0) is None
    fed(one, rows, 49)
    assert one.checkpoint(1000.0 + 11 * MINUTE) is None
    fed(one, rows, 1, seed=1)
    assert one.checkpoint(1000.0 + 9.9 * MINUTE) is None
    first = one.checkpoint(1000.0 + 10 * MINUTE)
    assert first is not None and first.version.startswith("sgd-ema-0001-")
    assert one.statistics().since_checkpoint == 0
    fed(one, rows, 60, seed=2)
    assert one.checkpoint(1000.0 + 19 * MINUTE) is None
    second = one.checkpoint(1000.0 + 20 * MINUTE)
    assert second is not None and second.version.startswith("sgd-ema-0002-")


def test_a_clock_that_is_set_back_begins_the_wait_anew(learner: Learners, rows: list[CorpusRow]) -> None:
    one = fed(learner(), rows, 60)
    assert one.checkpoint(1e9) is None and one.checkpoint(5.0) is None
    assert one.checkpoint(5.0 + 9 * MINUTE) is None
    assert one.checkpoint(5.0 + 10 * MINUTE) is not None


def test_by_force_there_is_one_unless_nothing_was_learned(learner: Learners, rows: list[CorpusRow]) -> None:
    one = learner()
    assert one.checkpoint(0.0, force=True) is None
    assert fed(one, rows, 10).checkpoint(0.0, force=True) is not None
    assert one.checkpoint(0.0, force=True) is None


def test_a_good_stream_passes_and_what_passes_is_latest_stable(
    learner: Learners, rows: list[CorpusRow], own: Path, tmp_path: Path
) -> None:
    one = fed(learner(rehearsal=4.0, held_out=0.4), rows)
    published = one.checkpoint(0.0, force=True)
    assert published is not None and published.stable and published.reasons == (), published
    entry, content = models.load("latest-stable")
    assert (entry.id, entry.version, entry.rejected) == ("sgd-ema-0001", published.version, ())
    assert "curves of 37 knots are finite and fall" in verify(entry)
    assert (tmp_path / "trainer/checkpoints/sgd-ema-0001.onnx").read_bytes() == content
    assert whole(tmp_path / "trainer") == ["sgd-ema-0001"]
    assert list(entry.metrics) == ["mae_vmaf stream", "plcc stream", "mae_vmaf reference", "plcc reference"]
    assert models.promoted(own) == ("mlp_v1", "sgd-ema-0001")


POISONS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "random": lambda scores, random: random.uniform(0.0, 100.0, len(scores)),
    "20 too low": lambda scores, random: scores - 20.0,
    "20 too high": lambda scores, random: scores + 20.0,
    "swapped": lambda scores, random: random.permutation(scores),
}


@pytest.mark.parametrize("poison", POISONS)
def test_a_poisoned_stream_is_kept_as_rejected_and_moves_nothing(
    learner: Learners, rows: list[CorpusRow], own: Path, poison: str
) -> None:
    import msgspec

    one = learner(rehearsal=4.0, held_out=0.4)
    samples = stream(rows, 220)
    scores = POISONS[poison](np.array([s.true_score for s in samples]), np.random.default_rng(0)).clip(0.0, 100.0)
    one.ingest([msgspec.structs.replace(s, true_score=float(v)) for s, v in zip(samples, scores, strict=True)])
    while one.train():
        pass
    published = one.checkpoint(0.0, force=True)
    assert published is not None and not published.stable and published.reasons
    assert models.promoted(own) == () and models.find("latest-stable").id == "mlp_v1"
    assert models.find("sgd-ema-0001").rejected == published.reasons
    card = models.find("sgd-ema-0001").card
    assert card is not None and "Rejected: " in (own / card).read_text()


def test_the_gate_opens_again_when_the_wrong_scores_are_old(
    learner: Learners, rows: list[CorpusRow], own: Path
) -> None:
    """What is held out are the newest 500, of a thousand scores here."""
    one = fed(learner(rehearsal=4.0, held_out=0.5), rows, 200, shift=-30.0)
    published = one.checkpoint(0.0, force=True)
    assert published is not None and any("farther than 4 standard" in reason for reason in published.reasons)
    published = fed(one, rows, 1200, seed=1).checkpoint(0.0, force=True)
    assert published is not None
    assert not any("farther than 4 standard" in reason for reason in published.reasons), published.reasons


def test_the_last_ones_are_kept_and_whatever_is_stable_or_was(
    learner: Learners, rows: list[CorpusRow], own: Path, tmp_path: Path
) -> None:
    one = learner(keep=2)
    for number in range(1, 6):
        assert fed(one, rows, 3, seed=number).checkpoint(0.0, force=True) is not None
        if number == 2:
            models.promote(own, "sgd-ema-0001", before="mlp_v1")
    kept = ["sgd-ema-0001", "sgd-ema-0004", "sgd-ema-0005"]
    assert [model.id for model in models.entries() if model.origin == "own"] == kept
    assert whole(tmp_path / "trainer") == kept
    assert sorted(path.name for path in own.glob("*.onnx")) == [f"{name}.onnx" for name in kept]
    assert (own / "mlp_v1.rows.jsonl.gz").exists(), "it is the data of those that are left"


def test_a_number_is_never_used_again(own: Path, tmp_path: Path) -> None:
    one = Checkpoints(tmp_path, 5)
    assert [one.reserve(), one.reserve()] == ["sgd-ema-0001", "sgd-ema-0002"]
    assert Checkpoints(tmp_path, 5).reserve() == "sgd-ema-0003"
    assert Checkpoints(tmp_path / "another", 5).reserve() == "sgd-ema-0004", "they share the models"
    shutil.rmtree(tmp_path / "checkpoints")
    assert one.reserve() == "sgd-ema-0005"
    shutil.rmtree(own)
    assert one.reserve() == "sgd-ema-0006"
    build.register(own, "sgd-ema-0041")
    assert one.reserve() == "sgd-ema-0042"
    (own / "sgd-ema-last-number").write_text("no number")
    (tmp_path / "checkpoints/sgd-ema-last-number").write_text("")
    models.promote(own, "sgd-ema-0050")
    assert one.reserve() == "sgd-ema-0051"
    assert one.reserve(after=60) == "sgd-ema-0061"


def test_all_files_of_checkpoints_are_lost_and_no_number_comes_again(
    learner: Learners, rows: list[CorpusRow], own: Path, tmp_path: Path
) -> None:
    one = fed(learner(), rows, 10)
    assert one.checkpoint(0.0, force=True) is not None
    one.snapshot()
    shutil.rmtree(own)
    shutil.rmtree(tmp_path / "trainer/checkpoints")
    two = learner()
    two.restore()
    published = fed(two, rows, 5, seed=1).checkpoint(0.0, force=True)
    assert published is not None and published.version.startswith("sgd-ema-0002-")


def test_trainers_that_share_the_models_get_different_numbers(own: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from vmaftune_plugins.trainers.checkpoints import Checkpoints\n"
        "print(*(Checkpoints(Path(sys.argv[1]), 5).reserve() for _ in range(20)))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path / name)], stdout=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    given = [number for process in processes for number in process.communicate(timeout=180)[0].split()]
    assert sorted(given) == [f"sgd-ema-{n:04}" for n in range(1, 41)]


def test_what_torch_and_onnxruntime_do_not_agree_on_is_not_published(
    learner: Learners, rows: list[CorpusRow], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = fed(learner(), rows, 10)
    monkeypatch.setattr(one.network, "difference", lambda *given: 2e-4)
    published = one.checkpoint(0.0, force=True)
    assert published is not None and not published.stable
    assert published.reasons == ("torch and onnxruntime differ by 0.0002 VMAF",)
    assert whole(tmp_path / "trainer") == [] and all(model.origin == "shipped" for model in models.entries())


def test_a_full_disk_leaves_nothing_half_and_is_tried_again_later(
    learner: Learners, rows: list[CorpusRow], own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = fed(learner(), rows, 60)
    one.checkpoint(0.0)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        one.checkpoint(10 * MINUTE)
    monkeypatch.undo()
    monkeypatch.setenv("VMAFTUNE_MODELS", str(own))
    assert whole(tmp_path / "trainer") == [] and not list(own.glob("*.onnx"))
    assert one.checkpoint(11 * MINUTE) is not None and whole(tmp_path / "trainer") == ["sgd-ema-0001"]


def test_a_broken_registry_is_an_os_error_of_one_line(learner: Learners, rows: list[CorpusRow], own: Path) -> None:
    one = fed(learner(), rows, 10)
    own.mkdir()
    (own / "registry.json").write_text("nonsense")
    with pytest.raises(OSError, match=r"registry\.json is no registry of models"):
        one.checkpoint(0.0, force=True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="it takes fork")
def test_a_kill_at_any_write_leaves_whole_files_and_unused_numbers(
    learner: Learners, rows: list[CorpusRow], own: Path, tmp_path: Path
) -> None:
    one = fed(learner(rehearsal=4.0, held_out=0.4), rows)
    numbers, survived, at = [], False, 0
    while not survived:
        at += 1
        survived = _published_by_a_child(one, at)
        stable = models.find("latest-stable")
        models.read(stable, stable.file, stable.sha256)
        for entry in models.entries():
            models.read(entry, entry.file, entry.sha256)
        on_disk = [int(name[-4:]) for name in whole(tmp_path / "trainer")]
        numbers.append(int(Checkpoints(tmp_path / "trainer", 5).reserve()[-4:]))
        assert numbers[-1] > max([0, *on_disk, *numbers[:-1]])
    assert at > 8, "it writes counter, hash, checkpoint, model, data, card, registry and alias, each with its folder"
    assert models.find("latest-stable").id.startswith("sgd-ema-")


def _published_by_a_child(learner: SgdEmaLearner, at: int) -> bool:
    """Publish in a child process that is killed when it comes to its fsync number ``at``; whether it came to the end."""
    child = os.fork()
    if child == 0:
        left, fsync = [at], os.fsync

        def dying(handle: int) -> None:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), 9)
            fsync(handle)

        os.fsync = dying
        try:
            learner.checkpoint(0.0, force=True)
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status == 0 or os.WIFSIGNALED(status), "it failed in another way"
    return status == 0
