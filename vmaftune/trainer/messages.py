"""What is said over the trainer's socket: newline-delimited JSON, a line each way, answers in the order of the requests.

{"v":1,"id":"…","encoder":"libx264","preset":"medium","crf":23,"features":[…],"true_score":93.1}
{…,"true_score":41.2,"scale":"xpsnr~8bit"}    of another scale than the usual one, by its identity (vmaftune.quality.scale)
{"ok":true,"step":1200,"buffered":830}        the sample is durable, once, however often it is sent
{"ok":false,"error":"…"}                      it was not taken; with "retry":true it may be sent again as it is
{"v":1,"status":true}                         asks how the trainer does
{"ok":true,"status":{…}}                      says so
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from vmaftune.contract.features import NAMES
from vmaftune.contract.learner import Sample
from vmaftune.quality.scale import USUAL, Scale

VERSION = 1
LARGEST_FEATURE = 1e9
"""No feature comes near it; beyond it one is a fault, and float32 would not hold it well."""

LARGEST_SCORE = 1e6
"""Of any metric."""

_LONGEST_ERROR = 200

Id = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9._:-]{1,64}\Z")]
Name = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._+-]{0,63}\Z")]
ScaleName = Annotated[str, msgspec.Meta(max_length=200)]
Feature = Annotated[float, msgspec.Meta(ge=-LARGEST_FEATURE, le=LARGEST_FEATURE)]


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sample. Attributes as in vmaftune.contract.learner.Sample, but for ``scale``, which is the identity of one; JSON has
    neither NaN nor infinities."""

    v: Literal[1]
    id: Id
    encoder: Name
    preset: Name | None
    crf: Annotated[float, msgspec.Meta(ge=-1000.0, le=1000.0)]
    features: Annotated[tuple[Feature, ...], msgspec.Meta(min_length=len(NAMES), max_length=len(NAMES))]
    true_score: Annotated[float, msgspec.Meta(ge=-LARGEST_SCORE, le=LARGEST_SCORE)]
    scale: ScaleName | None = None

    def __post_init__(self) -> None:
        if self.scale is not None:
            Scale.named(self.scale)
        elif not 0.0 <= self.true_score <= 100.0:
            raise ValueError("true_score must be from 0 to 100 where no scale is named - at `$.true_score`")

    def sample(self, unix_seconds: float) -> Sample:
        """The sample as a learner takes it in."""
        return Sample(
            id=self.id,
            encoder=self.encoder,
            preset=self.preset,
            crf=self.crf,
            features=self.features,
            true_score=self.true_score,
            unix_seconds=unix_seconds,
            scale=USUAL if self.scale is None else Scale.named(self.scale),
        )


class StatusRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks how the trainer does."""

    v: Literal[1]
    status: bool


class Taken(msgspec.Struct, frozen=True):
    """The sample is durable. ``step`` and ``buffered`` are the learner's, see LearnerStatistics."""

    step: int
    buffered: int
    ok: bool = True


class Refused(msgspec.Struct, frozen=True, omit_defaults=True):
    """The sample was not taken; with ``retry`` the fault is not the sample's."""

    ok: bool
    error: str
    retry: bool = False


class Answer(msgspec.Struct, frozen=True):
    """Either answer, as a client reads it."""

    ok: bool
    step: int = 0
    buffered: int = 0
    error: str = ""
    retry: bool = False


class _Any(msgspec.Struct):
    v: object = None
    status: object = None


_requests = msgspec.json.Decoder(Request)
_status_requests = msgspec.json.Decoder(StatusRequest)
_any = msgspec.json.Decoder(_Any)


def parse(line: bytes) -> Request | StatusRequest:
    """The request in a line.

    Raises:
        ValueError: with what is wrong with it, in words.
    """
    try:
        return _requests.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return _other(line, error)


def _other(line: bytes, why: Exception) -> StatusRequest:
    """A line that is no sample: a question, or what is wrong with it."""
    try:
        seen = _any.decode(line)
        if seen.v != VERSION or isinstance(seen.v, bool):
            raise ValueError(f'"v" must be {VERSION}, the version of these messages')
        if seen.status is not None:
            return _status_requests.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        why = error
    text = "nested too deeply" if isinstance(why, RecursionError) else " ".join(str(why).split())
    raise ValueError(text[:_LONGEST_ERROR])


def refused(error: str, *, retry: bool = False) -> bytes:
    """The line that says no."""
    return msgspec.json.encode(Refused(ok=False, error=error[:_LONGEST_ERROR], retry=retry)) + b"\n"


def taken(step: int, buffered: int) -> bytes:
    """The line that says yes."""
    return msgspec.json.encode(Taken(step=step, buffered=buffered)) + b"\n"


def request_line(
    sample_id: str,
    encoder: str,
    preset: str | None,
    crf: float,
    features: Sequence[float],
    true_score: float,
    scale: Scale = USUAL,
) -> bytes:
    """The line of a sample. The usual scale is not named, so that a trainer of an earlier version takes it.

    Raises:
        ValueError: no trainer would take it, such as one with a feature that could not be measured (NaN).
    """
    fields = {"v": VERSION, "id": sample_id, "encoder": encoder, "preset": preset, "crf": crf}
    of_scale = {} if scale.usual else {"scale": scale.identity}
    line = msgspec.json.encode({**fields, "features": features, "true_score": true_score, **of_scale})
    parse(line)  # NaN and infinities are written as null, which is refused here
    return line + b"\n"
