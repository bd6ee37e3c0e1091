"""Pages of real searches and encodes of generated clips, and a real browser to look at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Clips
from tests.report.browser import Browser, browsing, find_browser
from vmaftune.crf_search.engine import Observer
from vmaftune.jobs.search import run_search
from vmaftune.jobs.search_report import SearchReport
from vmaftune.jobs.session import Session
from vmaftune.report.look import Look, look_at_search

RATE = 25
STEP = 3


@dataclass(frozen=True)
class Searched:
    """A search that ended, and a look at its result."""

    clip: Path
    session: Session
    report: SearchReport
    look: Look


@pytest.fixture(scope="session")
def counting(clips: Clips) -> Path:
    """72 frames with B-frames, each of one grey that tells its number: luma 16 + 3 n. A key frame every 12."""
    source = f"color=black:size=96x54:rate={RATE}:duration=2.88,format=yuv420p,geq=lum='16+{STEP}*N':cb=128:cr=128"
    encode = ("-c:v", "libx264", "-qp", "4", "-bf", "3", "-g", "12", "-sc_threshold", "0")
    return clips.lavfi("counting.mkv", source, encode)


def search(clip: Path, cache: Path, **options: object) -> Searched:
    """Search a clip for VMAF 90 and look at the result."""
    base = {"encoder": "libx264", "preset": "ultrafast", "vmaf_scale": "none", "min_vmaf": 90.0, "cache_dir": cache}
    session = Session({**base, **options})
    report = run_search(session, clip, Observer())
    return Searched(clip, session, report, look_at_search(session, clip, report.crf))


@pytest.fixture(scope="session")
def searched(clips: Clips, tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """A search of a short clip that is just large enough for details."""
    source = "mandelbrot=size=800x216:rate=24"
    clip = clips.lavfi("film.mkv", source, ("-frames:v", "40", "-c:v", "libx264", "-crf", "8", "-pix_fmt", "yuv420p"))
    return search(clip, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = find_browser()
    if program is None:
        pytest.skip("no headless browser: install chromium, or name one in VMAFTUNE_BROWSER")
    with browsing(program) as browser:
        yield browser
