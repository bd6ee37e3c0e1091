"""What tests of every layer share: the real ffmpeg, tiny clips made with it, and the way a clip is scored."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.encoders.spec import settings_for
from vmaftune.encoding.probe import EncodedSample, encode_and_score
from vmaftune.escape import file_url
from vmaftune.features.measure import measure
from vmaftune.features.pilot import X264
from vmaftune.ffmpeg.locate import Ffmpeg, locate
from vmaftune.media.facts import read_facts
from vmaftune.media.samples import SampleRule, cut
from vmaftune.quality.compare import Selection
from vmaftune.quality.metric import Asked, Comparison, Pictures
from vmaftune.quality.vmaf import VMAF
from vmaftune.state.store import Store

ROOT = Path(__file__).parent.parent
WHOLE = SampleRule(duration_seconds=0)

CONSTANT_QP = EncoderSpec(
    name="libx264",
    quality_options=(("-qp", "{}"),),
    presets=("ultrafast", "superfast", "medium"),
    default_preset="superfast",
    pix_fmts=("yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le"),
)
"""x264 at a constant QP decides nothing by timestamps, so the same pictures give the same bits in any container."""


@dataclass(frozen=True)
class Clips:
    """Makes clips with ffmpeg, each once in a session (and process)."""

    ffmpeg: Ffmpeg
    folder: Path

    def make(self, name: str, arguments: Sequence[str]) -> Path:
        """The clip that ``ffmpeg ARGUMENTS name`` gives, made when these arguments come for the first time."""
        folder = self.folder / hashlib.blake2b(repr(arguments).encode(), digest_size=8).hexdigest()
        path = folder / name
        if not path.exists():
            folder.mkdir(exist_ok=True)
            self.run([*arguments, file_url(path)])
        return path

    def lavfi(self, name: str, source: str, arguments: Sequence[str] = ("-c:v", "libx264", "-qp", "0")) -> Path:
        """The clip ``name`` of a lavfi source; lossless unless told otherwise."""
        return self.make(name, ["-f", "lavfi", "-i", source, *arguments])

    def run(self, arguments: Sequence[str]) -> str:
        """What ffmpeg prints on stdout; it must succeed."""
        command = [str(self.ffmpeg.path), "-v", "error", "-nostdin", "-y", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def hashes(self, path: Path, stream: int | None = None, *, video_filter: str | None = None) -> list[str]:
        """MD5 of every picture that decoding ``path`` shows, in order."""
        stream = read_facts(path).stream_index if stream is None else stream
        chain = ["-vf", video_filter] if video_filter else []
        output = ["-map", f"0:{stream}", *chain, "-fps_mode", "passthrough", "-f", "framemd5", "-"]
        lines = self.run(["-i", file_url(path), *output]).splitlines()
        return [line.rsplit(",", 1)[1].strip() for line in lines if not line.startswith("#")]


FRAMES = 36
"""Pictures of the moving clip."""


@dataclass(frozen=True)
class Moving:
    """One moving picture, as raw frames and as H.264 with B-frames, to be put into any container at any rate."""

    clips: Clips

    @property
    def raw(self) -> Path:
        source = f"testsrc2=size=160x90:rate=25:duration={FRAMES / 25},format=yuv420p"
        return self.clips.lavfi("moving.yuv", source, ["-f", "rawvideo"])

    def at(self, name: str, rate: str = "25", arguments: Sequence[str] = ()) -> Path:
        """The pictures at a rate. The QP is constant, so the pictures that a decoder shows are those of every other rate."""
        geometry = ["-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", "160x90", "-framerate", rate]
        encode = ["-c:v", "libx264", "-qp", "12", "-bf", "3", *arguments]
        return self.clips.make(name, [*geometry, "-i", file_url(self.raw), *encode])

    @property
    def plain(self) -> Path:
        """Matroska at a constant 25 fps, which its milliseconds hold exactly."""
        return self.at("plain.mkv")


def decided(width: int, height: int, depth: int = 8, **asked: Any) -> Comparison:
    """How pictures are compared by VMAF."""
    return VMAF.decide(Asked(**asked), Pictures(width=width, height=height, bit_depth=depth))


@dataclass(frozen=True)
class Scorer:
    """Encodes and scores a whole clip the way a search does, without scaling, so that it is fast."""

    ffmpeg: Ffmpeg
    folder: Path

    def __call__(
        self,
        path: Path,
        spec: EncoderSpec = CONSTANT_QP,
        crf: float = 22.0,
        *,
        extra: Sequence[str] = (),
        preset: str | None = None,
        pix_fmt: str | None = None,
        one_process: bool | None = None,
        expected_frames: int | None = None,
        selection: Selection | None = None,
        scale: str = "none",
        model: str | None = None,
    ) -> EncodedSample:
        facts = read_facts(path)
        (sample,) = cut(path, facts, WHOLE, self.folder)
        measured = measure(self.ffmpeg, facts, [sample], self.folder, path, plan=X264)
        settings = settings_for(
            spec,
            preset=preset,
            pix_fmt=pix_fmt,
            video_filter=None,
            extra=extra,
            source_pix_fmt=facts.pix_fmt,
            source_size=(facts.width, facts.height),
        )
        depth = max(facts.bit_depth, 10 if "10" in settings.pix_fmt else 8)
        return encode_and_score(
            self.ffmpeg,
            sample.path,
            sample.stream_index,
            measured.frames[0] if expected_frames is None else expected_frames,
            settings,
            crf,
            decided(facts.width, facts.height, depth, size=scale, model=model),
            threads=2,
            folder=self.folder,
            selection=selection,
            one_process=one_process,
        )


@pytest.fixture(scope="session")
def ffmpeg() -> Ffmpeg:
    """The ffmpeg that a user gets without naming one."""
    return locate(None, Store(None))


@pytest.fixture(scope="session")
def clips(ffmpeg: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(ffmpeg, tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="session")
def moving(clips: Clips) -> Moving:
    return Moving(clips)


@pytest.fixture
def score(ffmpeg: Ffmpeg, tmp_path: Path) -> Scorer:
    folder = tmp_path / "scoring"
    folder.mkdir()
    return Scorer(ffmpeg, folder)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real clips and golden pairs beside the project, where a developer has it."""
    folder = ROOT.parent / "shared"
    if not (folder / "golden").is_dir():
        pytest.skip("no folder ../shared with real clips beside the project")
    return folder
