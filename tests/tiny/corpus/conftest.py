"""A small corpus of generated video: two sources, five distortions, 160x90."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import Clips
from vmaftune.escape import file_url

FRAMES = 10
LOSSLESS = ("-c:v", "ffv1", "-pix_fmt", "yuv420p")
_SOURCES = {
    "Bars": "testsrc2=size=160x90:rate=25:duration=0.4",
    "Old_Town": "mandelbrot=size=160x90:rate=30:end_pts=10,trim=end_frame=10",
}
_DISTORTED = (
    ("Bars_20_90_100", ("-crf", "40")),
    ("Bars_80_90_400", ("-crf", "20")),
    ("Bars_20_44_50", ("-vf", "scale=78:44", "-crf", "30")),
    ("Old_Town_20_90_100", ("-crf", "40")),
    ("Old_Town_80_90_400", ("-crf", "20", "-pix_fmt", "yuv420p10le")),
)
PAIRS = len(_DISTORTED)


@pytest.fixture(scope="session")
def made(clips: Clips) -> Path:
    """The corpus, not to be changed."""
    folder = clips.folder / "corpus"
    if folder.exists():
        return folder
    for name in ("ref", "dis"):
        (folder / name).mkdir(parents=True)
    references = {}
    for source, graph in _SOURCES.items():
        references[source] = folder / "ref" / f"{source}_{30 if source == 'Old_Town' else 25}fps.mkv"
        clips.run(["-f", "lavfi", "-i", graph, *LOSSLESS, file_url(references[source])])
    for name, arguments in _DISTORTED:
        reference = references[name.rsplit("_", 3)[0]]
        encode = ["-i", file_url(reference), "-c:v", "libx264", "-preset", "ultrafast", *arguments]
        clips.run([*encode, file_url(folder / "dis" / f"{name}.mkv")])
    return folder


@pytest.fixture
def corpus(made: Path, tmp_path: Path) -> Path:
    """A copy of the corpus."""
    return Path(shutil.copytree(made, tmp_path / "corpus"))


@pytest.fixture
def raw_corpus(made: Path, clips: Clips, tmp_path: Path) -> Path:
    """The corpus as raw video, stored at the references' size as Netflix's is."""
    folder = tmp_path / "raw"
    for path in sorted(made.glob("*/*.mkv")):
        target = folder / path.relative_to(made).with_suffix(".yuv")
        target.parent.mkdir(parents=True, exist_ok=True)
        scaled = ["-vf", "scale=160:90:flags=bicubic", "-pix_fmt", "yuv420p"]
        clips.run(["-i", file_url(path), *scaled, "-f", "rawvideo", file_url(target)])
    return folder
