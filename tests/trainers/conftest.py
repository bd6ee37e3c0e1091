"""A trainer of the shipped model, in folders of the test's own, and scores to feed it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
from vmaftune_plugins.encoders import vmaftune_encoders

from tests.models.conftest import own
from vmaftune import models
from vmaftune.contract.learner import Sample
from vmaftune.corpus.rows import CorpusRow, model_rows

if TYPE_CHECKING:
    from vmaftune_plugins.trainers.learner import SgdEmaLearner

__all__ = ["learner", "own", "rows", "sample", "stream"]

SPECS = {spec.name: spec for spec in vmaftune_encoders()}
Learners = Callable[..., "SgdEmaLearner"]


@pytest.fixture(scope="session")
def rows() -> list[CorpusRow]:
    """The shipped corpus, of the encoders that the shipped model knows."""
    model = models.find("mlp_v1")
    known = {tuple(curve.split()) for curve in model.encoders}
    return [row for row in model_rows(model) if (row.encoder, row.preset) in known]


def sample(row: CorpusRow, number: int = 0, **changes: Any) -> Sample:
    """The score of a corpus row as a node sends it."""
    return msgspec.structs.replace(
        Sample(
            id=str(number),
            encoder=row.encoder,
            preset=row.preset,
            crf=row.crf,
            features=row.features,
            true_score=row.vmaf_mean,
            unix_seconds=float(number),
        ),
        **changes,
    )


def stream(rows: list[CorpusRow], count: int, *, seed: int = 0, shift: float = 0.0) -> list[Sample]:
    """Scores of clips that nobody measured: the features are a little off those of the corpus, ``shift`` is added."""
    random = np.random.default_rng(seed)
    made = []
    for number, place in enumerate(random.integers(0, len(rows), count)):
        row = rows[place]
        features = (*row.features[:6], row.features[6] + 0.5, *row.features[7:])
        score = float(np.clip(row.vmaf_mean + shift, 0.0, 100.0))
        made.append(sample(row, number, features=features, true_score=score))
    return made


@pytest.fixture
def learner(tmp_path: Path, own: Path) -> Learners:
    """Makes learners; each one of a folder goes on from what the one before left there."""
    pytest.importorskip("torch")
    from vmaftune_plugins.trainers.learner import SgdEmaLearner
    from vmaftune_plugins.trainers.sgd_ema_settings import Settings

    def make(folder: str = "trainer", **settings: Any) -> SgdEmaLearner:
        chosen = Settings(**{"batch": 8, "rehearsal": 1.0, "checkpoint_samples": 50, **settings})
        return SgdEmaLearner(chosen, tmp_path / folder, lambda text: None, SPECS)

    return make
