"""What is written: whole, self-contained, harmless whatever a file is called; refused before the work where it cannot be."""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from tests.report import pages
from tests.report.conftest import Searched
from vmaftune.errors import UserError
from vmaftune.report.look import Look
from vmaftune.report.page import Page, check_page, rendered, write_page
from vmaftune.report.search import search_page
from vmaftune.report.words import clock, command, lasting, size

LARGEST_BYTES = 1_500_000
_VOID = {"meta", "link", "img", "br"}

Make = Callable[[Searched], Page]
KINDS: dict[str, Make] = {
    "crf-search": lambda s: search_page(s.report, Path(pages.HOSTILE), s.look),
    "without-pictures": lambda s: search_page(s.report, Path(pages.HOSTILE), Look(problem="There is nothing to see.")),
    "encode": lambda s: pages.encode(s.report, s.look, final_score=93.2),
    "encode-at-crf": lambda s: pages.encode(None, Look()),
    "batch": lambda s: pages.batch(),
    "ladder": lambda s: pages.ladder(),
    "compare": lambda s: pages.comparison(),
}


class Reader(HTMLParser):
    """Elements with their attributes, checked to be closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if "script" not in self.open and "style" not in self.open:
            self.text.append(data)


def read(page: Page) -> tuple[Reader, bytes]:
    content = rendered(page)
    reader = Reader()
    reader.feed(content.decode("utf-8"))
    assert not reader.open
    return reader, content


@pytest.fixture(params=KINDS)
def page(request: pytest.FixtureRequest, searched: Searched) -> Page:
    return KINDS[request.param](searched)


def test_needs_nothing_else(page: Page) -> None:
    reader, content = read(page)
    assert len(content) < LARGEST_BYTES
    for tag, attributes in reader.elements:
        for name in ("src", "href", "srcset", "action", "poster", "data", "xlink:href"):
            value = attributes.get(name)
            assert value is None or value.startswith("data:"), (tag, name, value)
        assert "url(" not in (attributes.get("style") or "")
    style = re.search(r"<style>(.*?)</style>", content.decode(), re.DOTALL)
    assert style is not None and "url(" not in style[1] and "@import" not in style[1]


def test_a_file_name_is_text(page: Page) -> None:
    reader, content = read(page)
    scripts = [attributes for tag, attributes in reader.elements if tag == "script"]
    assert scripts == [{}]
    assert not [name for _, attributes in reader.elements for name in attributes if name.startswith("on")]
    assert all(
        str(attributes.get("src")).startswith("data:image/jpeg") for tag, attributes in reader.elements if tag == "img"
    )
    text = "".join(reader.text)
    assert "\u202e" not in text, "a name must not turn the direction of what stands beside it"
    assert "49" not in re.findall(r"\{\{7\*7\}\}|49 ", text), "a name is no template"
    assert b"Content-Security-Policy" in content


def test_is_readable_without_sight(page: Page) -> None:
    reader, _ = read(page)
    assert [attributes["lang"] for tag, attributes in reader.elements if tag == "html"] == ["en"]
    levels = [int(tag[1]) for tag, _ in reader.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    for tag, attributes in reader.elements:
        if tag == "img":
            assert attributes.get("alt")
        if tag == "svg" and "width" in attributes and "height" in attributes and "role" in attributes:
            assert len(attributes.get("aria-label") or "") > 20
        if tag == "th":
            assert attributes.get("scope") in ("col", "row")
    identities = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(identities) == len(set(identities))
    for _, attributes in reader.elements:
        assert attributes.get("aria-labelledby", identities[0]) in identities


def test_says_the_result_first(searched: Searched) -> None:
    reader, _ = read(search_page(searched.report, searched.clip, searched.look))
    text = re.sub(r"\s+", " ", "".join(reader.text))
    report = searched.report
    head = text[: text.index("The curve")]
    for said in (
        "film.mkv",
        f"CRF {report.crf:g}",
        f"{report.vmaf:.2f}",
        "40 frames",
        "90 to 90.25",
        "libx264, preset ultrafast",
    ):
        assert said in head
    for probe in report.probes:
        assert f"{probe.vmaf:.2f}" in text[text.index("Probes") :]
    assert report.encode_command.split(" -i ")[0] in text


def test_a_target_that_was_missed_looks_like_it(searched: Searched) -> None:
    import msgspec

    missed = msgspec.structs.replace(searched.report, target_met=False, target=99.9)
    reader, _ = read(search_page(missed, searched.clip, searched.look))
    assert "was not reached" in "".join(reader.text)
    assert any("bad" in (attributes.get("class") or "").split() for _, attributes in reader.elements)


def test_a_huge_batch_stays_a_page_that_opens() -> None:
    _, content = read(pages.batch("film.mkv", count=12_000))
    assert len(content) < LARGEST_BYTES
    assert b"of 12,000 files" in content


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("report.pdf", ".html"),
        ("folder.html", "directory"),
        ("missing/report.html", "No such file"),
        ("a.mkv", ".html"),
    ],
)
def test_refused_before_the_work(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(UserError, match=said):
        check_page(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]


def test_may_be_read_by_those_that_other_files_are(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_page(pages.batch("film.mkv"), tmp_path / "report.html")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "report.html").stat().st_mode) == 0o644


def test_a_full_disk_leaves_the_page_before(tmp_path: Path) -> None:
    """A limit of the file size stands for the disk: writing ends in the middle."""
    file = tmp_path / "report.html"
    file.write_text("the page before")
    script = f"""
import resource
from pathlib import Path
from tests.report import pages
from vmaftune.errors import VmafTuneError
from vmaftune.report.page import write_page
page = pages.batch("film.mkv")
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_page(page, Path({str(file)!r}))
except VmafTuneError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "cannot write --report" in done.stdout
    assert file.read_text() == "the page before" and list(tmp_path.iterdir()) == [file]


def test_a_command_can_be_copied() -> None:
    """What bash makes of the shown command is the command."""
    name = "a 'b'\n\u202e\udcff\\x.mkv"
    shown = command(f"printf %s {shlex.quote(name)}")
    assert shown.isprintable()
    made = subprocess.run(["bash", "-c", shown], capture_output=True, check=True).stdout
    assert made == os.fsencode(name)


def test_words() -> None:
    assert [size(n) for n in (812, 1_234, 99_400, 3_400_000_000)] == ["812 B", "1.2 kB", "99 kB", "3.4 GB"]
    assert [lasting(s) for s in (0.41, 39.2, 59.7, 125, 3600, 12_000)] == [
        *("0.4 s", "39 s", "1 min", "2 min 5 s", "1 h", "3 h 20 min")
    ]
    assert [clock(7.4), clock(3723), clock(59.999, fine=True)] == ["0:07", "1:02:03", "1:00.00"]
