"""What a person is told, or refused, before anything long is run: by every job alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.conftest import Clips
from tests.encoders.test_command_lines import SPECS, settings
from vmaftune.encoders.kept import losses
from vmaftune.errors import UserError
from vmaftune.jobs.compare import Candidate, run_compare
from vmaftune.jobs.encode import run_encode
from vmaftune.jobs.ladder import run_ladder
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.score import run_score
from vmaftune.jobs.search import run_search
from vmaftune.jobs.session import Session
from vmaftune.media.facts import MediaFacts, read_facts

_FAST = {"encoder": "libx264", "preset": "ultrafast", "cache": False, "vmaf_scale": "none", "min_vmaf": 60.0}
_JOBS: dict[str, Callable[[Session, Path, Path], object]] = {
    "crf-search": lambda session, source, _: run_search(session, source, JobObserver()),
    "encode": lambda session, source, folder: run_encode(session, source, folder / "out.mkv", JobObserver()),
    "ladder": lambda session, source, _: run_ladder(session, source, [48], 1, 4.0, JobObserver()),
    "compare": lambda session, source, _: run_compare(
        session,
        source,
        [Candidate(encoder="libx264", preset=preset) for preset in ("ultrafast", "superfast")],
        JobObserver(),
        curves=False,
    ),
}


@pytest.fixture(scope="session")
def laced(clips: Clips) -> Path:
    source = "testsrc2=size=128x96:rate=50:duration=0.4,interlace"
    return clips.lavfi("laced.mkv", source, ["-c:v", "libx264", "-qp", "12", "-flags", "+ildct+ilme"])


def _told(job: str, source: Path, folder: Path, **options: Any) -> list[str]:
    told: list[str] = []
    _JOBS[job](Session({**_FAST, **options}, told.append), source, folder)
    return told


@pytest.mark.parametrize("job", _JOBS)
def test_interlaced_pictures_are_said_by_every_job_once(job: str, laced: Path, tmp_path: Path) -> None:
    told = [line for line in _told(job, laced, tmp_path) if "interlaced" in line]
    assert len(told) == 1 and told[0].startswith("laced.mkv: ")


@pytest.mark.parametrize("job", _JOBS)
def test_a_mistyped_parameter_ends_every_job_before_it_begins(job: str, laced: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"libx264 does not take the parameter aq-mod=1"):
        _told(job, laced, tmp_path, enc=["x264-params=aq-mod=1"])


@pytest.mark.parametrize(
    "chain",
    [
        *("bwdif", "yadif=1", "yadif@one=mode=send_frame", "hflip,w3fdif", "[in]estdif[out]", "nnedi=weights=a.bin"),
        *(
            "kerndeint",
            "bwdif_cuda",
            "deinterlace_vaapi",
            "fieldmatch,decimate",
            "pullup",
            "setfield=prog",
            "field=top",
        ),
        *("crop=64:48 , bwdif", "vpp_qsv=deinterlace=2", "separatefields"),
    ],
)
def test_a_filter_that_deinterlaces_is_not_answered_with_advice_to_do_so(chain: str) -> None:
    assert not losses(_facts(interlaced=True), settings("libx264", video_filter=chain), pix_fmt_chosen=False)


@pytest.mark.parametrize("chain", [None, "hflip", "interlace", "fieldorder=tff", "fieldhint=a", "drawtext=text=bwdif"])
def test_other_filters_leave_lines(chain: str | None) -> None:
    (line,) = losses(_facts(interlaced=True), settings("libx264", video_filter=chain), pix_fmt_chosen=False)
    assert "interlaced" in line


def test_an_encode_in_fields_is_as_it_should_be() -> None:
    made = settings("libx264", extra=("-flags", "+ildct+ilme"))
    assert not losses(_facts(interlaced=True), made, pix_fmt_chosen=False)


@pytest.mark.parametrize(
    ("kind", "encoder", "extra", "said"),
    [
        ("DOVI_METADATA", "libx265", (), "Dolby Vision.*dolbyvision=1 --enc maxrate"),
        ("DOVI_METADATA", "libsvtav1", (), "Dolby Vision.*--enc dolbyvision=1 keeps it"),
        ("DOVI_METADATA", "libx264", (), "libx264 cannot keep it, -e libsvtav1"),
        ("DOVI_METADATA", "libx265", ("-dolbyvision", "1", "-maxrate", "9M"), None),
        ("DYNAMIC_HDR_PLUS", "libx265", (), "HDR10.*dhdr10-info=FILE"),
        ("DYNAMIC_HDR_PLUS", "libx265", ("-x265-params", "dhdr10-info=a.json"), None),
        ("DYNAMIC_HDR_PLUS", "libsvtav1", (), "libsvtav1 cannot keep it, -e libaom-av1"),
        ("DYNAMIC_HDR_PLUS", "libaom-av1", (), None),
    ],
)
def test_data_of_the_pictures_that_is_dropped(
    kind: str, encoder: str, extra: tuple[str, ...], said: str | None
) -> None:
    lines = losses(_facts(dynamic_hdr=(kind,)), settings(encoder, extra=extra), pix_fmt_chosen=False)
    assert len(lines) == (0 if said is None else 1)
    if said is not None:
        assert re.search(said, lines[0])


def test_tone_mapped_pictures_need_no_dynamic_hdr() -> None:
    made = settings("libx265", video_filter="zscale=t=linear,tonemap=hable,format=yuv420p")
    assert not losses(_facts(dynamic_hdr=("DOVI_METADATA",)), made, pix_fmt_chosen=False)


@pytest.mark.parametrize(
    ("source", "encoder", "said"),
    [
        ("yuv420p", "libsvtav1", []),
        ("yuv420p10le", "libx264", []),
        ("gray", "libx264", []),
        ("yuv422p12le", "libx265", []),
        ("yuv422p10le", "libx264", []),
        ("yuv422p12le", "libx264", ["12 bits become 10; -e libx265 keeps"]),
        ("yuv444p", "libsvtav1", ["4:4:4 colour becomes 4:2:0"]),
        ("yuva444p12le", "libx265", ["transparency (alpha channel) is left out"]),
        ("rgb24", "libx264", ["RGB pictures are encoded as yuv444p"]),
        ("yuva420p", "libvpx-vp9", ["transparency (alpha channel) is kept in yuva420p"]),
    ],
)
def test_what_a_pixel_format_loses(source: str, encoder: str, said: list[str]) -> None:
    facts = _facts(pix_fmt=source, alpha="a4" in source)
    lines = losses(facts, settings(encoder, source_pix_fmt=source), pix_fmt_chosen=False)
    assert len(lines) == len(said) and all(text in line for text, line in zip(said, lines, strict=True))


def test_a_format_of_the_users_own_is_no_news_to_them() -> None:
    made = settings("libx264", source_pix_fmt="yuv444p12le", pix_fmt="yuv420p")
    assert not losses(_facts(pix_fmt="yuv444p12le"), made, pix_fmt_chosen=True)


def test_alpha_is_read_and_kept_by_vp9(clips: Clips, tmp_path: Path) -> None:
    source = "testsrc2=size=64x48:rate=10:duration=0.5,format=yuva444p10le,colorchannelmixer=aa=0.5"
    film = clips.lavfi("clear.mov", source, ["-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"])
    assert read_facts(film).alpha
    told = _told("encode", film, tmp_path, encoder="libvpx-vp9", preset="8", crf=40.0)
    assert any("kept in yuva420p" in line for line in told)
    made = tmp_path / "out.mkv"
    assert read_facts(made).alpha  # Matroska says so; ffmpeg's own decoder of VP9 shows the colours alone
    alpha = "alphaextract,signalstats,metadata=print:file=-"
    raw = clips.run(["-c:v", "libvpx-vp9", "-i", str(made), "-vf", alpha, "-f", "null", "-"])
    levels = [float(line.split("=")[1]) for line in raw.splitlines() if ".YAVG=" in line]
    assert len(levels) == 5 and all(100 < level < 155 for level in levels)


@pytest.mark.parametrize(
    ("size", "encoder"), [("1x1", "libx264"), ("1x40", "libaom-av1"), ("3x3", "libsvtav1"), ("10x12", "libx265")]
)
@pytest.mark.parametrize("job", ["crf-search", "encode"])
def test_pictures_too_small_for_an_encoder(size: str, encoder: str, job: str, clips: Clips, tmp_path: Path) -> None:
    width, height = size.split("x")
    film = clips.lavfi("small.mkv", f"testsrc=size=40x40:rate=5:duration=0.6,crop={width}:{height}", ["-c:v", "png"])
    with pytest.raises(UserError, match=rf"pictures of {size} are too small for {encoder}"):
        _told(job, film, tmp_path, encoder=encoder, preset=None, vmaf_scale="auto")


@pytest.mark.parametrize("job", ["crf-search", "encode"])
def test_pictures_too_small_to_be_compared(job: str, clips: Clips, tmp_path: Path) -> None:
    film = clips.lavfi("small.mkv", "testsrc=size=10x12:rate=5:duration=0.6", ["-c:v", "ffv1"])
    with pytest.raises(UserError, match="compared at 10x12, and libvmaf takes 18x18"):
        _told(job, film, tmp_path)
    with pytest.raises(UserError, match="compared at 10x12, and libvmaf takes 18x18"):
        run_score(Session(_FAST, print), film, film, {}, per_frame=False)


@pytest.mark.parametrize("size", ["10x12", "2x40", "40x2"])
def test_small_pictures_that_can_be_encoded_are(size: str, clips: Clips, tmp_path: Path) -> None:
    film = clips.lavfi("small.mkv", f"testsrc=size={size}:rate=5:duration=0.6", ["-c:v", "ffv1"])
    told: list[str] = []
    session = Session({**_FAST, "vmaf_scale": "480x480", "max_probes": 1}, told.append)
    assert 0 < run_search(session, film, JobObserver()).vmaf <= 100


@pytest.mark.parametrize("name", ["libx264", "libx265", "libsvtav1", "libaom-av1", "libvpx-vp9", "libvvenc"])
def test_the_least_size_that_an_encoder_takes(name: str, clips: Clips) -> None:
    least = SPECS[name].least_side
    source = ["-f", "lavfi", "-i", f"color=gray:size={least}x{least}:rate=5:duration=1"]
    clips.run([*source, *settings(name).output_arguments(40), "-f", "null", "-"])


def _facts(**changes: Any) -> MediaFacts:
    facts = MediaFacts(
        stream_index=0,
        width=1920,
        height=1080,
        fps=25.0,
        duration_seconds=10.0,
        pix_fmt="yuv420p",
        bit_depth=8,
        codec="h264",
        file_bytes=1,
        declared_frames=250,
    )
    return msgspec.structs.replace(facts, **changes)
