"""What a batch, its child processes and a cluster tell each other, and how that is written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from vmaftune.crf_search.source import CutSource
from vmaftune.learned.captures import CaptureLine
from vmaftune.quality.measure import USUAL_MEASURE, Measure

Message = TypeVar("Message")


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """What has a source and an output.

    Attributes:
        file: the source, as the file system has it.
        output: of the encode; None for a search alone.
    """

    file: bytes
    output: bytes | None

    @property
    def path(self) -> Path:
        """The source."""
        return Path(os.fsdecode(self.file))

    @property
    def output_path(self) -> Path | None:
        """Of the encode."""
        return None if self.output is None else Path(os.fsdecode(self.output))


class Job(Named, frozen=True, kw_only=True):
    """One file to be searched, or searched and encoded.

    Attributes:
        options: by the names of vmaftune.jobs.options, as JSON values.
        replace: the output may be there already.
        cut: the source's samples, where they were brought here without it.
    """

    options: dict[str, Any]
    replace: bool = False
    cut: CutSource | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Where a job stands.

    Attributes:
        what: the step in a few words, such as ``CRF 27``.
        share: of the step that is done, 0 to 1.
        done: of the whole job, 0 to 1, as far as can be known.
        verified: the last verified CRF and its score.
        measure: how that is written.
        warning: a line that a person should see; the other fields then say nothing.
    """

    what: str = ""
    share: float = 0.0
    done: float = 0.0
    verified: tuple[float, float] | None = None
    measure: Measure = USUAL_MEASURE
    warning: str | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How a job ended.

    Attributes:
        code: 0, or the exit code that the same command alone would have had (vmaftune.errors).
        reason: one line, empty where all is well.
        report: SearchReport or EncodeReport as JSON values; None where there is none.
        warnings: what a person was told of it besides, a line each.
        captures: what corrections can learn from it; empty where they learned already.
        seconds: wall time of the job where it ran.
    """

    code: int
    reason: str = ""
    report: dict[str, Any] | None = None
    warnings: list[str] = []
    captures: list[CaptureLine] = []
    seconds: float = 0.0


class WorkerLost(Exception):
    """The process or machine that did a job is gone; the text is one line that says how."""
