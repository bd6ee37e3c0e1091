"""``vmaf-tune encode --per-shot`` as a person runs it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from tests.cli.conftest import X264, Program, program
from tests.conftest import Clips
from tests.shots.conftest import CUTS, FRAMES

__all__ = ["program"]

Film = Callable[..., Path]
PER_SHOT = ("--per-shot", "--min-vmaf", "88")
SOON = ("--tolerance", "5")  # within a round or two
AV1 = ("-e", "libsvtav1", "--preset", "12", "--vmaf-scale", "none")


@pytest.fixture
def source(film: Film, tmp_path: Path) -> Path:
    """The film in a folder of its own."""
    path = tmp_path / "films" / "film.mkv"
    path.parent.mkdir()
    path.write_bytes(film("varying.mkv").read_bytes())
    return path


def _shown(file: Path) -> list[float]:
    with av.open(str(file)) as container:
        return [frame.time for frame in container.decode(video=0)]


def _packets_of_frames(file: Path) -> list[int]:
    """Bytes of each frame of the video, in the order of showing."""
    with av.open(str(file)) as container:
        packets = sorted((packet.pts, packet.size) for packet in container.demux(video=0) if packet.size)
    return [size for _, size in packets]


@pytest.mark.parametrize("encoder", (X264, AV1), ids=lambda given: given[1])
def test_the_whole_reaches_its_target_with_a_crf_for_each_shot(
    program: Program, source: Path, encoder: tuple[str, ...]
) -> None:
    output = source.with_name("out.mkv")
    ended = program("encode", "-i", source, "-o", output, *encoder, *PER_SHOT, "--tolerance", "1", "--json")
    assert ended.code == 0, ended.err
    report = ended.json
    by_shot: dict[str, Any] = report["per_shot"]
    assert [shot["start_frame"] for shot in by_shot["shots"]] == list(CUTS)
    assert report["frames"] == FRAMES and report["checked"]
    assert len({shot["crf"] for shot in by_shot["shots"]}) > 1
    assert 88 <= report["final_vmaf"] <= 89.2
    # What it says of the whole and of each shot is so: measured again, and counted in the file.
    score = program("score", "--vmaf-scale", "none", "--json", source, output)
    assert score.json["vmaf"] == pytest.approx(report["final_vmaf"], abs=0.02)
    sizes = _packets_of_frames(output)
    for shot in by_shot["shots"]:
        assert sum(sizes[shot["start_frame"] :][: shot["frames"]]) == shot["bytes"]
    mean = sum(shot["vmaf"] * shot["frames"] for shot in by_shot["shots"]) / FRAMES
    assert mean == pytest.approx(report["final_vmaf"], abs=1e-3)
    assert _shown(output) == pytest.approx(_shown(source), abs=0.0026)
    assert program.left_behind() == [] and {p.name for p in source.parent.iterdir()} == {"film.mkv", "out.mkv"}


def test_other_streams_and_tags_are_as_in_any_encode(program: Program, clips: Clips, source: Path) -> None:
    sound = ["-f", "lavfi", "-i", "sine=duration=4", "-map", "0:v", "-map", "1:a", "-map", "1:a", "-c:v", "copy"]
    tags = ["-metadata:s:v", "title=Views", "-metadata:s:v", "language=fra", "-metadata:s:a:1", "title=Other"]
    late = ["-itsoffset", "0.5", "-i", str(source)]
    film = clips.make("sound.mkv", [*late, *sound, "-c:a", "aac", *tags, "-metadata", "title=Film"])
    outputs = [source.with_name(name) for name in ("plain.mkv", "shots.mkv")]
    for output, how in zip(outputs, (("--crf", "30"), (*PER_SHOT, *SOON)), strict=True):
        ended = program("encode", "-i", film, "-o", output, *X264, *how)
        assert ended.code in (0, 3), ended.err
    plain, shots = (_described(output) for output in outputs)
    assert shots == plain
    assert _shown(outputs[1]) == pytest.approx(_shown(outputs[0]), abs=0.0011)


@pytest.mark.parametrize(("name", "sound", "pictures"), [("apart.ts", "0", "0.7"), ("apart.mpg", "0.4", "0")])
def test_sound_that_begins_at_another_time_stays_with_its_pictures(
    program: Program, clips: Clips, source: Path, film: Film, name: str, sound: str, pictures: str
) -> None:
    inputs = ["-itsoffset", pictures, "-i", str(film("mpeg2.ts")), "-itsoffset", sound, "-f", "lavfi", "-i"]
    apart = clips.make(name, [*inputs, "sine=duration=4", "-c:v", "copy", "-c:a", "mp2"])
    output = source.with_name("out.mkv")
    ended = program("encode", "-i", apart, "-o", output, *X264, "--per-shot", "--min-vmaf", "70", "--tolerance", "20")
    assert ended.code == 0, ended.err

    def begins(file: Path) -> float:
        with av.open(str(file)) as opened:
            packet = next(p for p in opened.demux(audio=0) if p.pts is not None)
            return float(packet.pts * packet.time_base)

    found, wanted = (begins(file) - _shown(file)[0] for file in (output, apart))
    assert abs(wanted) > 0.3 and found == pytest.approx(wanted, abs=0.0025)


def _described(file: Path) -> list[Any]:
    with av.open(str(file)) as container:
        streams = [
            (
                s.type,
                s.codec_context.name,
                {k: v for k, v in s.metadata.items() if k not in ("ENCODER", "DURATION")},
                int(s.disposition),
            )
            for s in container.streams
        ]
        first = [
            next(p.pts * p.time_base for p in container.demux(s) if p.pts is not None)
            for s in list(container.streams)[1:]
        ]
        return [streams, first, {k: v for k, v in container.metadata.items() if k != "ENCODER"}]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("-e", "libvvenc"), "--per-shot joins shots of"),
        (("-e", "libx264", "--crf", "20"), "exclude each other"),
        (("-e", "libx264", "--pool", "p5"), "leave --pool at mean"),
        (("-e", "libx264", "--shot-floor", "95"), "is above --min-vmaf"),
        (("-e", "libx264", "--vfilter", "fps=12"), "use encode without it"),
    ],
)
def test_what_it_cannot_do_is_one_line(program: Program, source: Path, given: tuple[str, ...], said: str) -> None:
    ended = program("encode", "-i", source, *given, "--vmaf-scale", "none", *PER_SHOT)
    assert ended.code == 2 and said in ended.complaint()
    assert [path.name for path in source.parent.iterdir()] == ["film.mkv"]


def test_what_is_for_shots_alone(program: Program, source: Path) -> None:
    ended = program("encode", "-i", source, *X264, "--crf", "30", "--compare-one-crf")
    assert ended.code == 2 and "add --per-shot" in ended.complaint()


def test_the_gain_is_that_of_two_measured_sizes(program: Program, source: Path) -> None:
    ended = program("encode", "-i", source, *X264, *PER_SHOT, *SOON, "--compare-one-crf", "--json")
    assert ended.code == 0, ended.err
    report, one = ended.json, ended.json["per_shot"]["one_crf"]
    above, below = one["above"], one["below"]
    assert above["vmaf"] >= report["final_vmaf"] > below["vmaf"] and above["crf"] < below["crf"] <= above["crf"] + 1
    assert below["bytes"] <= one["bytes"] <= above["bytes"]
    assert one["saved_percent"] == pytest.approx(100 * (1 - report["video_bytes"] / one["bytes"]), abs=0.01)
    plain = source.with_name("plain.mkv")
    assert program("encode", "-i", source, "-o", plain, *X264, "--crf", str(above["crf"])).code == 0
    assert sum(_packets_of_frames(plain)) == pytest.approx(above["bytes"], rel=0.002)


def test_a_target_that_no_crf_reaches(program: Program, source: Path) -> None:
    ended = program("encode", "-i", source, *X264, "--per-shot", "--min-vmaf", "99.9", "--min-crf", "40")
    assert ended.code == 3 and "cannot be met: the source scored against itself" in ended.complaint()
    assert [path.name for path in source.parent.iterdir()] == ["film.mkv"]


def test_killed_and_run_again(program: Program, source: Path) -> None:
    line = ("encode", "-i", source, *X264, *PER_SHOT, *SOON)
    whole = program(*line, "-o", source.with_name("whole.mkv"), "--cache-dir", program.home / "other", "--json")
    assert whole.code in (0, 3), whole.err
    for seconds in (1.5,):
        started = program.start(*line, "-o", source.with_name("out.mkv"))
        time.sleep(seconds)
        started.send_signal(signal.SIGKILL)
        started.wait()
        started.stdout.close()
        started.stderr.close()
        assert not source.with_name("out.mkv").exists() or started.returncode == 0
    source.with_name("out.mkv").unlink(missing_ok=True)
    again = program(*line, "-o", source.with_name("out.mkv"), "--json")
    assert again.code == whole.code, again.err
    assert {path.name for path in source.parent.iterdir()} == {"film.mkv", "whole.mkv", "out.mkv"}
    assert program.left_behind() == []
    first, second = (json.loads(ended.out)["per_shot"] for ended in (whole, again))
    assert second["shots"] == first["shots"]
    assert second["probe_count"] <= first["probe_count"]


def test_events_and_the_page(program: Program, source: Path) -> None:
    page = source.with_name("page.html")
    ended = program("encode", "-i", source, *X264, *PER_SHOT, *SOON, "--events", "jsonl", "--report", page)
    assert ended.code in (0, 3), ended.err
    events = [json.loads(line) for line in ended.out.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[0] == "started" and kinds[-1] == "result"
    assert {"searching", "probing", "probed", "encoding", "checking"} <= set(kinds)
    assert events[-1]["encode"]["per_shot"]["shots"] and page.stat().st_size > 10_000
