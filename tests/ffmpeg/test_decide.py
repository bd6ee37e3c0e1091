"""Which model, size and format a comparison gets: ab-av1's rule, so that scores compare."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import decided
from vmaftune.errors import UserError
from vmaftune.quality.metric import Asked, Pictures
from vmaftune.quality.vmaf import MODEL_4K, MODEL_HD, VMAF


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
    level, turned = decided(width, height, 8), decided(height, width, 8)
    assert (level.model, level.size) == (model, size)
    assert (turned.model, turned.size) == (model, size and size[::-1])


@pytest.mark.parametrize(("depth", "pix_fmt"), [(8, "yuv420p"), (10, "yuv420p10le"), (12, "yuv420p10le")])
def test_format(depth: int, pix_fmt: str) -> None:
    assert decided(1280, 720, depth).pix_fmt == pix_fmt


@pytest.mark.parametrize(
    ("fps", "large", "model"),
    [
        (25, False, "vmaf_v1.0.16_3d0h"),
        (46.9, True, "vmaf_v1.0.16_1d5h_2160"),
        (47, False, "vmaf_v1.0.16_hfr_3d0h"),
        (59.94, True, "vmaf_v1.0.16_hfr_1d5h_2160"),
    ],
)
def test_the_models_of_v1(fps: float, large: bool, model: str) -> None:
    width, height = (3840, 2160) if large else (1920, 1080)
    comparison = VMAF.decide(Asked(generation="v1"), Pictures(width=width, height=height, fps=fps))
    assert (comparison.model, comparison.pix_fmt, comparison.size) == (model, "yuv420p10le", None)


def test_a_model_says_at_which_size_it_compares() -> None:
    assert decided(1280, 720, model="vmaf_v1.0.16_1d5h_2160").size == (3840, 2160)
    assert decided(1280, 720, model="vmaf_v1.0.16_5d0h").size == (1920, 1080)


def test_a_size_of_the_users_keeps_the_aspect() -> None:
    assert decided(1920, 1080, 8, size="1280x720").size == (1280, 720)
    assert decided(720, 480, 8, size="1280x720").size == (1080, 720)
    assert decided(720, 480, 8, size="none").size is None


def test_a_size_of_the_users_does_not_turn() -> None:
    """It is how to get ab-av1's score of a clip that is held upright."""
    assert decided(720, 1280, 8, size="1920x1080").size == (608, 1080)


def test_a_model_of_the_users_decides_the_size_too() -> None:
    assert decided(1920, 1080, 8, model=MODEL_4K).size == (3840, 2160)
    assert decided(1920, 1080, 8, model="vmaf_v0.6.1neg").size is None


@pytest.mark.parametrize(
    "scale", ["", "1080", "x", "1920x", "x1080", "0x0", "15x16", "-1x1080", "1920X1080x", "99999x16", "²x²"]
)
def test_a_size_that_is_none(scale: str) -> None:
    with pytest.raises(UserError, match="must be auto, none or WIDTHxHEIGHT"):
        decided(1280, 720, 8, size=scale)


def test_a_model_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        decided(1280, 720, 8, model=str(tmp_path / "model.json"))
