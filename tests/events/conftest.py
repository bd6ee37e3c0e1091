"""The real program and its clips, as in the tests of the command line; its events, each held against the schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.conftest import Ended, Program, clip, clips, ffmpeg, longer, program

__all__ = ["clip", "clips", "longer", "program"]

SCHEMA = Path(__file__).parents[2] / "docs" / "events.schema.json"
Events = Callable[[Ended | bytes], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def encode(clips: Path) -> Path:
    """A bad encode of clip.mkv."""
    file = clips / "encode.mkv"
    ffmpeg("-i", clips / "clip.mkv", "-c:v", "libx264", "-crf", "38", file)
    return file


@pytest.fixture(scope="session")
def events() -> Events:
    """Reads what a run wrote on standard output: events alone, every line as docs/events.schema.json wants it."""
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))

    def read(ended: Ended | bytes) -> list[dict[str, Any]]:
        text = ended.out if isinstance(ended, Ended) else ended.decode("utf-8", "surrogateescape")
        assert text.endswith("\n")
        found = [json.loads(line) for line in text.splitlines()]
        for event in found:
            validator.validate(event)
        assert [e["event"] for e in found if e["event"] in ("result", "error")] == [found[-1]["event"]]
        return found

    return read


def kinds(events: list[dict[str, Any]]) -> list[str]:
    """What happened, but for progress, which depends on the time that a step takes."""
    return [event["event"] for event in events if event["event"] != "progress"]


__all__ += ["Events", "Program", "encode", "events", "kinds"]
