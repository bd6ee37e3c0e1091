"""``--events jsonl`` of commands that do more than one search: encode, batch."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import X264, Program
from tests.events.conftest import Events, kinds


def test_an_encode_tells_of_search_encode_and_check(program: Program, clip: Path, events: Events) -> None:
    output = program.home / "out.mkv"
    line = ["encode", "-i", clip, "-o", output, *X264, "--min-vmaf", "90"]
    told = events(program(*line, "--events", "jsonl"))
    seen = kinds(told)
    order = ["started", "prepared", "predicted", "probing", "encoding", "checking", "result"]
    assert [kind for kind in dict.fromkeys(seen) if kind in order] == order
    encoding = next(event for event in told if event["event"] == "encoding")
    report = told[-1]["encode"]
    assert (encoding["output"], encoding["crf"], encoding["frames"]) == (str(output), report["crf"], 12)
    assert output.is_file() and report["output"] == str(output)


def test_a_batch_tells_of_every_file(program: Program, clip: Path, longer: Path, events: Events) -> None:
    broken = program.home / "broken.mkv"
    broken.write_text("no video")
    line = ["batch", clip, longer, broken, "--search-only", *X264, "--min-vmaf", "90"]
    ended = program(*line, "--events", "jsonl")
    told = events(ended)
    assert ended.code == 1 == told[-1]["exit_code"]
    assert (told[-1]["batch"]["done"], told[-1]["batch"]["failed"], told[-1]["batch"]["left"]) == (2, 1, 0)
    assert kinds(told)[:2] == ["started", "queued"] and told[1]["to_do"] == 3
    ended_files = {event["file"]: event for event in told if event["event"] == "file_ended"}
    assert set(ended_files) == {str(clip), str(longer), str(broken)}
    assert ended_files[str(broken)]["code"] == 2 and "broken.mkv" in ended_files[str(broken)]["reason"]
    report = program.search(clip)
    assert ended_files[str(clip)]["report"]["crf"] == report["crf"]
    for file in ended_files:
        own = [event["event"] for event in told if event.get("file") == file]
        assert own[0] == "file_began" and own[-1] == "file_ended" and own.count("file_ended") == 1
    assert any(event["event"] == "file_step" and event["file"] == str(longer) for event in told)


def test_a_batch_that_cannot_begin_is_an_error(program: Program, events: Events) -> None:
    ended = program("batch", "--events", "jsonl")
    assert ended.code == 2 and events(ended)[-1]["message"] == ended.complaint()
    assert program("batch", "x.mkv", "--json", "--events", "jsonl").code == 2
