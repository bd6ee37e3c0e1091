"""What corrections have learned, with bytes that rotted: it is set aside in a line, and learning goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from vmaftune_plugins.sidecars.ridge_correction import RidgeCorrection
from vmaftune_plugins.sidecars.ridge_settings import Settings

from tests.mutations import mutated
from tests.sidecars.conftest import VERSION, capture, context, learn, on_ten_sources, prediction


def _make(folder: Path, told: list[str]) -> RidgeCorrection:
    return RidgeCorrection(Settings(), folder, VERSION, told.append)


def test_the_state_of_ridge(tmp_path: Path) -> None:
    told: list[str] = []
    learn(_make(tmp_path, told), on_ten_sources(3.0))
    (file,) = tmp_path.glob("*/*/state.json")
    whole, held = file.read_bytes(), _make(tmp_path, told).state("libx264").history
    asked = context(0.3)
    for number, content in enumerate(mutated(whole, 200)):
        file.write_bytes(content)
        told.clear()
        correction = _make(tmp_path, told)
        state = correction.state("libx264")
        assert state.history in (held, [])
        assert len(told) == (not state.history) and all("\n" not in line for line in told), told
        if number % 40 == 0:
            assert np.isfinite(correction.correct(asked, prediction(asked)).shift).all()
            correction.learn(capture(28.0, 1.0))
            assert len(_make(tmp_path, told).state("libx264").history) == len(state.history) + 1


def test_a_byte_that_is_no_utf8(tmp_path: Path) -> None:
    told: list[str] = []
    learn(_make(tmp_path, told), on_ten_sources(3.0))
    (file,) = tmp_path.glob("*/*/state.json")
    file.write_bytes(file.read_bytes().replace(b"medium", b"medi\xffm"))
    correction = learn(_make(tmp_path, told), [capture(28.0, 1.0)])
    assert len(told) == 1 and "set aside as state.json.set-aside" in told[0]
    assert correction.state("libx264").captures == 1


def test_a_digit_that_rotted_is_not_learned_from(tmp_path: Path) -> None:
    told: list[str] = []
    learn(_make(tmp_path, told), [capture(28.0, 3.0)])
    (file,) = tmp_path.glob("*/*/state.json")
    assert file.read_bytes().count(b",3.0,") >= 1
    file.write_bytes(file.read_bytes().replace(b",3.0,", b",9.0,"))
    assert _make(tmp_path, told).state("libx264").captures == 0 and "its checksum differs" in told[0]
