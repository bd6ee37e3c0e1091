"""Which model, size and format a comparison gets: ab-av1's rule, so that scores compare."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmaftune.errors import UserError
from vmaftune.ffmpeg.vmaf import MODEL_4K, MODEL_HD, ScoreSettings, decide


@pytest.mark.parametrize(
    ("width", "height", "model", "size"),
    [
        (720, 480, MODEL_HD, (1620, 1080)),
        (480, 270, MODEL_HD, (1920, 1080)),
        (1280, 720, MODEL_HD, (1920, 1080)),
        (640, 360, MODEL_HD, (1920, 1080)),
        (1280, 534, MODEL_HD, (1920, 801)),
        (1920, 1080, MODEL_HD, None),
        (1727, 971, MODEL_HD, (1920, 1080)),
        (1728, 971, MODEL_HD, None),
        (1727, 972, MODEL_HD, None),
        (1080, 1080, MODEL_HD, None),
        (720, 720, MODEL_HD, (1080, 1080)),
        (2560, 1440, MODEL_HD, None),
        (2561, 1440, MODEL_HD, None),
        (2560, 1441, MODEL_HD, None),
        (2562, 1442, MODEL_4K, (3838, 2160)),
        (3455, 1943, MODEL_4K, (3840, 2160)),
        (3456, 1943, MODEL_4K, None),
        (3455, 1944, MODEL_4K, None),
        (3840, 2160, MODEL_4K, None),
        (7680, 4320, MODEL_4K, None),
    ],
)
def test_model_and_size(width: int, height: int, model: str, size: tuple[int, int] | None) -> None:
    """A picture that is turned gets the same comparison, turned."""
    decided, turned = decide(ScoreSettings(), width, height, 8), decide(ScoreSettings(), height, width, 8)
    assert (decided.model, decided.size) == (model, size)
    assert (turned.model, turned.size) == (model, size and size[::-1])


@pytest.mark.parametrize(("depth", "pix_fmt"), [(8, "yuv420p"), (10, "yuv420p10le"), (12, "yuv420p10le")])
def test_format(depth: int, pix_fmt: str) -> None:
    assert decide(ScoreSettings(), 1280, 720, depth).pix_fmt == pix_fmt


def test_a_size_of_the_users_keeps_the_aspect() -> None:
    assert decide(ScoreSettings(scale="1280x720"), 1920, 1080, 8).size == (1280, 720)
    assert decide(ScoreSettings(scale="1280x720"), 720, 480, 8).size == (1080, 720)
    assert decide(ScoreSettings(scale="none"), 720, 480, 8).size is None


def test_a_size_of_the_users_does_not_turn() -> None:
    """It is how to get ab-av1's score of a clip that is held upright."""
    assert decide(ScoreSettings(scale="1920x1080"), 720, 1280, 8).size == (608, 1080)


def test_a_model_of_the_users_decides_the_size_too() -> None:
    assert decide(ScoreSettings(model=MODEL_4K), 1920, 1080, 8).size == (3840, 2160)
    assert decide(ScoreSettings(model="vmaf_v0.6.1neg"), 1920, 1080, 8).size is None


@pytest.mark.parametrize(
    "scale", ["", "1080", "x", "1920x", "x1080", "0x0", "15x16", "-1x1080", "1920X1080x", "99999x16", "²x²"]
)
def test_a_size_that_is_none(scale: str) -> None:
    with pytest.raises(UserError, match="must be auto, none or WIDTHxHEIGHT"):
        decide(ScoreSettings(scale=scale), 1280, 720, 8)


def test_a_model_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        decide(ScoreSettings(model=str(tmp_path / "model.json")), 1280, 720, 8)
