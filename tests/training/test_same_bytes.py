"""The same rows and seed give the same file: in another process, in another order, with another number of threads."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.conftest import ROOT
from tests.training.build import RANGES, SMALL, made_rows
from vmaftune.corpus.rows import CorpusRow
from vmaftune.training.predictor import TrainedPredictor, train_predictor

BRIEF = replace(SMALL, steps=20)
TRAIN = """
import hashlib
from tests.training.test_same_bytes import *
print(hashlib.sha256(train_predictor(made_rows(), RANGES, seed=5, design=BRIEF).content).hexdigest())
"""


@pytest.fixture(scope="module")
def once() -> str:
    return digest(train_predictor(made_rows(), RANGES, seed=5, design=BRIEF))


def digest(trained: TrainedPredictor) -> str:
    return hashlib.sha256(trained.content).hexdigest()


@pytest.mark.parametrize("threads", ["1", "2"])
def test_in_another_process(once: str, threads: str) -> None:
    env = {**os.environ, "OMP_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
    done = subprocess.run([sys.executable, "-c", TRAIN], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == once


def test_in_another_order(once: str) -> None:
    assert digest(train_predictor(made_rows()[::-1], RANGES, seed=5, design=BRIEF)) == once


def test_another_seed_gives_another_file(once: str) -> None:
    assert digest(train_predictor(made_rows(), RANGES, seed=6, design=BRIEF)) != once


def test_another_row_gives_another_file(once: str, rows: list[CorpusRow]) -> None:
    assert digest(train_predictor(rows, RANGES, seed=5, design=BRIEF)) != once


def test_the_number_of_threads_is_left_as_it_was() -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        train_predictor(made_rows(), RANGES, seed=5, design=replace(SMALL, steps=1))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
