"""Card and figures tell of every encoder and kind of content."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from tests.training.build import SMALL
from vmaftune.training.card import model_card
from vmaftune.training.plots import held_out_figure
from vmaftune.training.predictor import TrainedPredictor


def card(trained: TrainedPredictor) -> str:
    return model_card("mine", trained, SMALL, data="mine.rows.jsonl.gz", rows=240, seed=7, licence="Apache-2.0")


def test_the_card_tells_of_every_encoder_and_kind(trained: TrainedPredictor) -> None:
    text = card(trained)
    for figures in (*trained.by_curve, *trained.by_kind):
        (line,) = (line for line in text.splitlines() if line.startswith(f"| {figures.group} |"))
        assert f"| {figures.curves} | {figures.sources} | {figures.mae_vmaf:.2f} |" in line
        assert f"| {100 * figures.coverage_90:.0f} % |" in line
    assert len(trained.by_curve) == 2 and len(trained.by_kind) == 3
    assert text.startswith("# mine\n") and "`mine.rows.jsonl.gz`: 240 rows" in text and "Seed 7." in text
    assert "48 curves of 18 sources\n(animation, film, screen)" in text and "540 to 720 pixels" in text


def test_it_names_what_it_errs_most_on_where_there_is_a_choice(trained: TrainedPredictor) -> None:
    worst = max(trained.by_kind, key=lambda figures: figures.mae_vmaf)
    assert f"It errs most on {worst.group} ({worst.mae_vmaf:.1f}) and " in card(trained)
    assert "It errs most" not in card(replace(trained, by_kind=trained.by_kind[:1]))


def test_a_name_cannot_break_the_table(trained: TrainedPredictor) -> None:
    odd = [msgspec.structs.replace(trained.by_kind[0], group="news | talk\nshow")]
    assert "| news / talk show | " in card(replace(trained, by_kind=odd))


def test_a_guess_that_nobody_could_make_is_a_dash(trained: TrainedPredictor) -> None:
    none = [msgspec.structs.replace(trained.by_kind[0], first_guess=float("nan"))]
    assert "% | – |" in card(replace(trained, by_kind=none))


def test_the_figure_is_a_picture_and_the_same_again(trained: TrainedPredictor) -> None:
    pytest.importorskip("matplotlib")
    picture = held_out_figure(trained)
    assert picture.startswith(b"\x89PNG") and len(picture) > 20_000
    assert held_out_figure(trained) == picture
