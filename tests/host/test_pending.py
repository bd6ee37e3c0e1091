"""A capture whose run was killed before it was learned is learned by the next run, once, by those that were on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trainer.conftest import capture
from vmaftune.contract import Capture
from vmaftune.host.pending import KIND, Lesson, PendingCaptures
from vmaftune.state.store import Store


class Learner:
    """Remembers what it learned."""

    def __init__(self) -> None:
        self.learned: list[float] = []

    def learn(self, capture: Capture) -> None:
        self.learned.append(capture.observed)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache.sqlite")


def _noted(run: PendingCaptures, observed: float, name: str = "sidecar", version: str = "v1") -> Lesson:
    assert run.ready()
    return run.noted(Lesson(name=name, learner=Learner(), capture=capture(observed)), version)  # type: ignore[arg-type]


def _killed(run: PendingCaptures) -> None:
    """The system frees the lock of a process that died."""
    assert run._lock is not None
    run._lock.release()


def _taken(run: PendingCaptures, name: str = "sidecar", version: str = "v1") -> list[float]:
    taken = []
    for found, learned in run.take(name, version):
        taken.append(found.observed)
        learned()
    return taken


def test_what_was_learned_is_not_kept(store: Store, tmp_path: Path) -> None:
    run = PendingCaptures(store, tmp_path)
    _noted(run, 90.0).learned()
    run.close()
    assert store.counts() == {} and list((tmp_path / "pending").iterdir()) == []


def test_a_run_that_lives_keeps_its_own(store: Store, tmp_path: Path) -> None:
    living, other = PendingCaptures(store, tmp_path), PendingCaptures(store, tmp_path)
    _noted(living, 90.0)
    assert _taken(other) == [] == _taken(living)
    _killed(living)
    assert _taken(other) == [90.0] and _taken(other) == []
    assert list((tmp_path / "pending").iterdir()) == []


def test_only_those_that_were_on_learn(store: Store, tmp_path: Path) -> None:
    killed, following = PendingCaptures(store, tmp_path), PendingCaptures(store, tmp_path)
    _noted(killed, 90.0)
    _noted(killed, 91.0, version="v2")
    _noted(killed, 92.0, name="trainer")
    _killed(killed)
    assert _taken(following, "another") == []
    assert _taken(following) == [90.0]
    assert _taken(following, "trainer") == [92.0]
    assert _taken(following, version="v2") == [91.0] and store.counts() == {}


def test_two_runs_never_take_the_same(store: Store, tmp_path: Path) -> None:
    killed = PendingCaptures(store, tmp_path)
    for observed in (90.0, 91.0, 92.0):
        _noted(killed, observed)
    _killed(killed)
    first, second = PendingCaptures(store, tmp_path), PendingCaptures(store, tmp_path)
    taking = first.take("sidecar", "v1")
    found, learned = next(taking)
    assert _taken(second) == [], "the first one looks after them"
    learned()
    taking.close()
    assert [found.observed, *_taken(second)] == [90.0, 91.0, 92.0]


def test_without_a_lasting_store_nothing_is_noted(tmp_path: Path) -> None:
    assert not PendingCaptures(Store(None), tmp_path).ready()
    (tmp_path / "pending").write_text("in the way")
    assert not PendingCaptures(Store(tmp_path / "cache.sqlite"), tmp_path).ready()


def test_score_and_capture_are_kept_together_or_not_at_all(store: Store, tmp_path: Path) -> None:
    run = PendingCaptures(store, tmp_path)
    with pytest.raises(KeyboardInterrupt), store.together():
        store.put("probe", "curve", 1)
        _noted(run, 90.0)
        raise KeyboardInterrupt
    assert store.counts() == {}
    with store.together():
        store.put("probe", "curve", 1)
        _noted(run, 90.0)
        assert Store(tmp_path / "cache.sqlite").counts() == {}
    assert Store(tmp_path / "cache.sqlite").counts() == {"probe": 1, KIND: 1}
