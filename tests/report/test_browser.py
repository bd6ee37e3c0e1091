"""Pages in a real browser: nothing is loaded, nothing overflows, all can be read in light and dark, and on paper."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest

from tests.report.browser import Browser
from tests.report.conftest import Searched
from tests.report.test_page import KINDS
from vmaftune.report.page import write_page

WIDTHS = (320, 360, 768, 1280)

CONTRAST = """
(() => {
  const parse = (colour) => { const p = colour.match(/[\\d.]+/g).map(Number); return { rgb: p.slice(0, 3), a: p[3] ?? 1 }; };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const { rgb, a } = parse(getComputedStyle(e).backgroundColor);
      if (a > 0.5) return rgb;
    }
    return [255, 255, 255];
  };
  const weak = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.getClientRects().length) continue;
    if (element.closest("script, title")) continue;
    const style = getComputedStyle(element);
    const [one, other] = [luminance(parse(element.closest("svg") ? style.fill : style.color).rgb), luminance(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) weak.push(`${ratio.toFixed(2)}: ${walker.currentNode.textContent.trim().slice(0, 40)}`);
  }
  return weak;
})()
"""

OVERFLOWING = """
[...document.querySelectorAll("body *")].filter((e) => {
  const box = e.getBoundingClientRect();
  return box.width && box.right > innerWidth + 1 && !e.closest(".scroll, svg, pre");
}).map((e) => e.outerHTML.slice(0, 80))
"""


@pytest.fixture(params=KINDS)
def file(request: pytest.FixtureRequest, searched: Searched, tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    write_page(KINDS[request.param](searched), path)
    return path


def brightness(png: bytes) -> float:
    with av.open(io.BytesIO(png)) as container:
        return float(np.median(next(container.decode(video=0)).to_ndarray(format="gray")))


def test_loads_nothing_and_complains_of_nothing(browser: Browser, file: Path) -> None:
    browser.open(file, width=1280)
    assert [url for url in browser.requests if not url.startswith("data:")] == [file.as_uri()]
    assert browser.complaints == []
    assert "owned" not in browser.run("document.title.slice(0, 8)")
    broken = "[...document.images].filter((i) => !i.complete || !i.naturalWidth).length"
    assert browser.run(broken) == 0


def test_fits_every_width(browser: Browser, file: Path) -> None:
    for width in WIDTHS:
        browser.open(file, width=width)
        assert browser.run("document.documentElement.scrollWidth") <= width
        assert browser.run(OVERFLOWING) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_can_be_read_in_light_and_dark(browser: Browser, file: Path, dark: bool) -> None:
    browser.open(file, width=1280, dark=dark)
    assert browser.run(CONTRAST) == []
    bright = brightness(browser.photograph())
    assert bright < 60 if dark else bright > 200


def test_type_on_a_phone_is_as_large_as_on_a_desk(browser: Browser, file: Path) -> None:
    """Charts are drawn anew for a narrow page, not shrunk."""
    sizes = """[...document.querySelectorAll(".chart > svg")].filter((s) => s.getClientRects().length)
      .map((s) => 12 * s.getBoundingClientRect().width / s.viewBox.baseVal.width)"""
    for width in (360, 1280):
        browser.open(file, width=width)
        assert all(10.0 <= size <= 17.0 for size in browser.run(sizes))


def test_screen_readers_are_told_of_every_picture(browser: Browser, file: Path) -> None:
    browser.open(file, width=1280)
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    roles = {"image", "img", "graphics-document"}
    pictures = [node for node in nodes if not node["ignored"] and node["role"]["value"] in roles]
    assert all(node["name"]["value"] for node in pictures)
    shown = "[...document.images, ...document.querySelectorAll('.chart > svg')].filter((e) => e.getClientRects().length).length"
    assert len(pictures) == browser.run(shown)


def test_prints(browser: Browser, file: Path) -> None:
    browser.open(file, width=1280, dark=True)
    assert browser.printed().startswith(b"%PDF")
    browser.call(
        "Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}]
    )
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.run(CONTRAST) == []


def test_a_table_sorts(browser: Browser, searched: Searched, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(KINDS["batch"](searched), path)
    browser.open(path, width=1280)
    column = "[...document.querySelector('table.sortable').tBodies[0].rows].map((r) => Number(r.cells[4].dataset.key))"
    press = "document.querySelectorAll('table.sortable thead button')[4].click()"
    browser.run(press)
    rising = browser.run(column)
    assert rising == sorted(rising) and len(set(rising)) > 3
    browser.run(press)
    assert browser.run(column) == sorted(rising, reverse=True)
    assert browser.run("document.querySelectorAll('[aria-sort]').length") == 1


def test_the_command_is_copied(browser: Browser, searched: Searched, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(KINDS["crf-search"](searched), path)
    browser.open(path, width=360)
    browser.run("document.querySelector('[data-copy]').click()")
    assert browser.run("new Promise((r) => setTimeout(() => r(getSelection().toString()), 200))").startswith(
        searched.report.encode_command[:40]
    )
    assert browser.run("document.querySelector('[data-copy]').textContent") in ("Copied", "Selected")
