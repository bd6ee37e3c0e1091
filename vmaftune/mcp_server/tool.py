"""What a tool is: a name, what it takes and gives as msgspec structs, and the coroutine that does it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from vmaftune.mcp_server.child import Jobs
from vmaftune.mcp_server.meter import Report
from vmaftune.mcp_server.roots import Roots
from vmaftune.quality.vmaf import GENERATIONS, MODELS

Video = Annotated[
    str, Meta(min_length=1, max_length=4096, description="A file: an absolute path, or one relative to a root folder.")
]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][\w.+-]*$", max_length=100)]
VideoStream = Annotated[
    int,
    Meta(
        ge=0,
        le=1000,
        description="Which video stream of the file, from 0 as in ffmpeg's 0:v:N; chosen when left out.",
    ),
]
if TYPE_CHECKING:
    VmafModel = str
    VmafGeneration = str
else:
    VmafModel = Literal[tuple(MODELS)]
    VmafGeneration = Literal[GENERATIONS]
MetricName = Annotated[
    Name, Meta(description="What is measured: vmaf (default), xpsnr, or one that a plugin of the server's host adds.")
]
Pool = Annotated[str, Meta(pattern=r"^(mean|harmonic_mean|min|p\d{1,3})$")]
VmafScale = Annotated[
    str,
    Meta(
        pattern=r"^(auto|none|[1-9]\d{1,4}x[1-9]\d{1,4})$",
        description="Size at which pictures are compared: auto (HD, or 4K for large ones), none, or WIDTHxHEIGHT.",
    ),
]


SCORE_OPTIONS = ("vmaf_model", "vmaf_generation", "vmaf_scale", "pool")
"""How scores of a metric are made, by the names of the command line's options."""


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tool takes; None, or left out, is vmaf-tune's default."""

    def options(self, *names: str) -> list[str]:
        """Command-line options of the fields that are given."""
        words = []
        for name in names:
            value = getattr(self, name)
            if value is not None:
                words += [f"--{name.replace('_', '-')}", str(value)]
        return words


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a tool works with: the folders it may read, who runs jobs, and who is told of progress."""

    roots: Roots
    jobs: Jobs
    report: Report


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a tool gives: its structured result, and pictures (PNG) with a caption each."""

    result: msgspec.Struct
    pictures: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool as clients see it, and ``run``, which does it; its docstring is the description."""

    name: str
    title: str
    takes: type[Arguments]
    gives: type[msgspec.Struct]
    run: Callable[[Work, Any], Awaitable[Answer]]

    @property
    def description(self) -> str:
        """For the assistant that chooses among tools."""
        return inspect.cleandoc(self.run.__doc__ or "")


def schema_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of a struct with the struct itself at its root, as the protocol wants it."""
    made = msgspec.json.schema(kind)
    definitions = made["$defs"]
    for definition in definitions.values():
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
    root: dict[str, Any] = definitions.pop(kind.__name__)
    return {**root, "$defs": definitions} if definitions else root
