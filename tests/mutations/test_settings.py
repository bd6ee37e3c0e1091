"""Every value in every documented range of a shipped correction works, at the corners of all of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec import inspect
from vmaftune_plugins.sidecars.ridge_correction import RidgeCorrection

from tests.sidecars.conftest import VERSION, context, learn, on_ten_sources, prediction
from vmaftune.contract import CorrectionSpec, PluginContext
from vmaftune.host.manager import PluginManager

CORRECTIONS = [r.spec for r in PluginManager().of_kind("correction") if r.distribution == "vmaf-tune"]


def _corners(settings: type[msgspec.Struct]) -> Iterator[tuple[str, list[Any]]]:
    """Least and largest of each number that has bounds, by the name of its key."""
    for field in inspect.type_info(settings).fields:  # type: ignore[attr-defined]
        kind = field.type
        if isinstance(kind, inspect.IntType | inspect.FloatType):
            least = kind.ge if kind.ge is not None else math.nextafter(kind.gt, math.inf)  # type: ignore[arg-type]
            yield field.encode_name, [least, *([1e-30] if least < 1e-30 and kind.gt is not None else []), kind.le]


def _all(settings: type[msgspec.Struct]) -> list[dict[str, Any]]:
    corners = dict(_corners(settings))
    each = [{name: value} for name, values in corners.items() for value in values]
    least, most = ({name: values[end] for name, values in corners.items()} for end in (0, -1))
    mixed = [{**most, name: value} for (name, values) in corners.items() for value in values]
    return [*each, least, most, *mixed]


@pytest.mark.parametrize("spec", CORRECTIONS, ids=lambda spec: spec.name)
def test_corners(spec: CorrectionSpec, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    corners = _all(spec.settings)
    assert len(corners) > 10
    for number, values in enumerate(corners):
        told: list[str] = []
        settings = msgspec.convert(values, spec.settings)
        made = spec.factory(
            PluginContext(
                settings=settings, predictor_version=VERSION, cache_folder=folder / str(number % 2), warn=told.append
            )
        )
        for each in itertools.islice(on_ten_sources(6.0), 6 if number > 1 else None):
            made.learn(each)
        asked = context(0.3)
        adjusted = made.correct(asked, prediction(asked))
        assert np.isfinite(adjusted.shift).all(), values
        if adjusted.covariance is not None:
            variances = np.diagonal(adjusted.covariance)
            assert np.isfinite(adjusted.covariance).all() and variances.min() > -1e-6, values


@pytest.mark.parametrize("weak", [5e-324, 1e-30, 1e-6, 1e-4])
def test_a_pull_that_is_hardly_one(weak: float, tmp_path: Path) -> None:
    from vmaftune_plugins.sidecars.ridge_settings import Settings

    settings = msgspec.convert({"lambda": weak, "minimum-sources": 1}, Settings)
    correction = learn(RidgeCorrection(settings, tmp_path, VERSION, pytest.fail), on_ten_sources(3.0))
    asked = context(0.0)
    adjusted = correction.correct(asked, prediction(asked))
    assert abs(adjusted.shift[len(asked.crfs) // 2] - 3.0) < 1.0
    assert adjusted.covariance is not None and np.linalg.eigvalsh(adjusted.covariance)[0] > -1e-6
