"""``sidecar plot``: a figure of the residuals, or one line that says why there is none."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Program


def test_it_draws(taught: Program) -> None:
    ended = taught("sidecar", "plot", "residuals.svg")
    assert ended.code == 0 and ended.out == "residuals.svg: libx264, 48 captures\n"
    text = (taught.home / "residuals.svg").read_text()
    assert "<svg" in text and "libx264, last 48 captures" in text
    assert taught("sidecar", "plot", "residuals.png", "libx264").code == 0
    assert (taught.home / "residuals.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("x.jpg",), "plot x.jpg: name a file that ends in .png, .svg, .pdf"),
        (("nosuch/x.png",), "cannot write plot nosuch/x.png: No such file or directory"),
        (("x.png",), "there is nothing to draw: no capture is held"),
        (("x.png", "libx2"), "libx2: no such encoder"),
    ],
)
def test_a_mistake_is_one_line(program: Program, arguments: tuple[str, ...], said: str) -> None:
    ended = program("sidecar", "plot", *arguments)
    assert ended.code == 2 and said in ended.complaint()
    assert not (program.home / arguments[0]).exists()
