"""What becomes of every stream of a source in a full encode: one is encoded, the others are copied, converted or left out."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from vmaftune.encoding.arguments import StreamArguments
from vmaftune.errors import UserError
from vmaftune.escape import file_url
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.jobs.containers import CONTAINERS, Held, codec_of, is_text
from vmaftune.jobs.encode_audio import layout_filter
from vmaftune.media.choice import is_attached
from vmaftune.media.facts import shown
from vmaftune.media.opened import open_media
from vmaftune.media.webvtt import READ_AS, unnamed_webvtt

_DATA_HELD = {"gpmd": ("mp4", "mov")}
"""Tracks that are neither pictures, sound nor text and that ffmpeg copies with all that they need: GoPro's telemetry. Of others
it drops the description, without which nothing can read them."""

_TEXT = {"matroska": "subrip", "webm": "webvtt", "mp4": "mov_text", "mov": "mov_text"}
_OF_THE_CONTAINER = ("major_brand", "minor_version", "compatible_brands")
_OF_THE_OLD_PACKETS = ("BPS", "DURATION", "NUMBER_OF_", "_STATISTICS_")  # Matroska's statistics tags
_NO_TIME = "1970-01-01T00:00:00"  # a container that has the field and not the time
_MIME = {"mjpeg": "image/jpeg", "png": "image/png"}


def every_stream(video_index: int) -> StreamArguments:
    """What keeps the streams of a source that cannot be looked at."""
    copied = "-c:a copy -c:s copy -c:t copy"
    return StreamArguments(selected=(str(video_index), "a?", "s?", "t?"), output=tuple(copied.split()))


def default_output(source: Path, encoder: str, which: str | None = None) -> Path:
    """Matroska, because it takes every codec and every kind of stream.

    Args:
        which: one of several encodes of the source.
    """
    stem = source.stem if which is None else f"{source.stem}.{which}"
    return source.absolute().with_name(f"{stem}.{encoder}.mkv")


class Mapped(msgspec.Struct, frozen=True):
    """A stream of the source that becomes one of the output.

    Attributes:
        index: in the source; its place in StreamPlan.mapped is that in the output.
        kind: ``video``, ``audio``, ``subtitle``, ``data`` or ``attachment``.
        copied: whether its packets stay what they are.
    """

    index: int
    kind: str
    copied: bool


class StreamPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of the streams.

    Attributes:
        arguments: what ffmpeg is told of it.
        mapped: the streams of the output, the encoded one first.
        late_seconds: by how much the last of pictures and sound begins after the first.
        kept: a line for each stream of the output, such as ``audio aac eng, copied``, the encoded one first.
        left_out: a line for each stream that the container does not take, and Matroska neither.
    """

    arguments: StreamArguments
    mapped: tuple[Mapped, ...]
    late_seconds: float
    kept: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def beside(self) -> tuple[int, ...]:
        """Indices in the source of all that has times besides the encoded one."""
        return tuple(stream.index for stream in self.mapped[1:] if stream.kind != "attachment")


class _Plan:
    """The arguments as they grow, stream by stream of the output."""

    def __init__(self, container: str, output: Path, acodec: str | None) -> None:
        self.container, self.output, self.acodec = container, output, acodec
        self.reading: dict[str, str] = {}
        self.arguments: list[str] = []
        self.mapped: list[Mapped] = []
        self.kept: list[str] = []
        self.left_out: list[str] = []

    def map(
        self, stream: Any, codec: str | None, what: str, clear: Sequence[str] = (), title: str | None = None
    ) -> None:
        """One stream more; ``codec`` None is the encoded one."""
        place = len(self.mapped)
        self.mapped.append(Mapped(stream.index, stream.type, codec == "copy"))
        flags = "+".join(flag.name for flag in type(stream.disposition) if flag and flag in stream.disposition)
        if codec is not None:
            self.arguments += [f"-c:{place}", codec]
        if stream.type != "attachment":
            self.arguments += [f"-disposition:{place}", flags or "0"]
        for key in clear:
            self.arguments += [f"-metadata:s:{place}", f"{key}="]
        if title:
            self.arguments += [f"-metadata:s:{place}", f"title={title}"]
        self.kept.append(what)

    def leave_out(self, what: str, holders: Sequence[str]) -> None:
        """A stream that this container does not take; ``holders`` are suffixes of those that do."""
        where = f"; {' and '.join(holders)} hold{'s' if len(holders) == 1 else ''} it: name such an output with -o"
        suffix = self.output.suffix.lower()
        self.left_out.append(
            f"{what} is left out: {suffix} has no place for it{where if holders else ', nor has another'}"
        )

    def attach(self, number: int, url: str, mime: str, name: str, what: str) -> None:
        """A file that is attached, the ``number``-th attachment of the output."""
        self.arguments += ["-attach", url, f"-metadata:s:t:{number}", f"mimetype={mime}"]
        self.arguments += [f"-metadata:s:t:{number}", f"filename={name}"]
        self.kept.append(what)


def plan_streams(
    ffmpeg: Ffmpeg, source: Path, video_index: int, encoder: str, output: Path, acodec: str | None
) -> StreamPlan:
    """Decide on every stream of ``source``.

    Args:
        ffmpeg: is asked what a container holds where our own tables do not say.
        video_index: of the stream that is encoded.
        encoder: its encoder.
        output: its suffix is the container.
        acodec: ffmpeg's name of the encoder that audio goes through; None copies it.

    Raises:
        UserError: ``output`` cannot hold one that Matroska could, or is of no container we know.
    """
    container = CONTAINERS.get(output.suffix.lower())
    if container is None:
        raise UserError(f"{shown(output.name)}: name an output that ends in {', '.join(CONTAINERS)}")
    plan = _Plan(container, output, acodec)
    with open_media(source) as opened:
        streams = list(opened.streams)
        video = streams[video_index]
        what = f"video {codec_of(video)}{_tags(video)}, encoded with {encoder}"
        plan.map(video, None, what, _stale(video), _title(video))
        chapters = len(opened.chapters())
        unnamed = unnamed_webvtt(source, opened)
        for stream in streams:
            if stream.index in unnamed:
                plan.reading[f"c:{stream.index}"] = READ_AS
        held = Held(ffmpeg, source, plan.reading)
        for stream in streams:
            if stream.index != video_index:
                codec = READ_AS if stream.index in unnamed else codec_of(stream)
                _decide(plan, held, stream, codec, has_chapters=bool(chapters))
        attached = sum(stream.type == "attachment" for stream in streams)
        for stream in streams:
            if container == "matroska" and _is_cover(stream):
                attached += _attach_cover(plan, source, opened, stream, attached)
        if chapters:
            plan.kept.append(f"{chapters} chapter{'' if chapters == 1 else 's'}, copied")
        stale = [key for key in opened.metadata if key.lower() in _OF_THE_CONTAINER]
        # ffmpeg 9: "one;another" where it stands twice
        made, _, _ = opened.metadata.get("creation_time", "").partition(";")
        begins = [_begin(streams[stream.index]) for stream in plan.mapped if stream.kind in ("video", "audio")]
        late = max(begins) - min(begins)
    if made and not made.startswith(_NO_TIME):  # which ffmpeg by itself leaves out
        plan.arguments += ["-metadata", f"creation_time={made}"]
    for key in stale:
        plan.arguments += ["-metadata", f"{key}="]
    return StreamPlan(
        arguments=StreamArguments(
            selected=tuple(str(stream.index) for stream in plan.mapped),
            output=tuple(plan.arguments),
            reading=tuple(plan.reading.items()),
        ),
        mapped=tuple(plan.mapped),
        late_seconds=late,
        kept=tuple(plan.kept),
        left_out=tuple(plan.left_out),
    )


def _decide(plan: _Plan, held: Held, stream: Any, codec: str, *, has_chapters: bool) -> None:
    kind = "cover" if _is_cover(stream) else stream.type
    what = f"{kind} {codec or held.tag(stream.index) or 'of an unknown codec'}{_tags(stream)}"
    if stream.type == "attachment":
        if plan.container != "matroska":
            raise _use_mkv(plan, what)
        plan.map(stream, "copy", f"{what}, copied")
    elif _is_cover(stream):
        if plan.container == "webm":
            raise _use_mkv(plan, what)
        if plan.container != "matroska":
            plan.map(stream, "copy", f"{what}, copied")
    elif stream.type not in ("audio", "video", "subtitle"):
        _decide_data(plan, held.tag(stream.index), stream, what, has_chapters=has_chapters)
    elif stream.type == "audio" and plan.acodec is not None:
        _encode_audio(plan, stream, what)
    elif held.by(plan.container, stream, codec):
        plan.map(stream, "copy", f"{what}, copied", title=_title(stream))
    elif stream.type == "subtitle" and is_text(codec):
        text = _TEXT[plan.container]
        plan.map(stream, text, f"{what}, converted to {text}", title=_title(stream))
    elif held.by("matroska", stream, codec):
        raise _use_mkv(plan, what)
    else:
        formats = [suffix for suffix, name in CONTAINERS.items() if suffix != ".m4v" and held.by(name, stream, codec)]
        plan.leave_out(what, formats)


def _encode_audio(plan: _Plan, stream: Any, what: str) -> None:
    assert plan.acodec is not None
    chain = layout_filter(plan.acodec, stream.codec_context)
    if chain is not None:
        plan.arguments += [f"-filter:{len(plan.mapped)}", chain]
    plan.map(stream, plan.acodec, f"{what}, encoded with {plan.acodec}", _stale(stream), _title(stream))


def _decide_data(plan: _Plan, tag: str, stream: Any, what: str, *, has_chapters: bool) -> None:
    """A track that is neither pictures, sound nor text; ``tag`` is what .mp4 calls its codec."""
    formats = _DATA_HELD.get(tag, ())
    if plan.container in formats:
        plan.map(stream, "copy", f"{what}, copied")
    elif "timecode" in stream.metadata:
        plan.kept.append(f"timecode {shown(stream.metadata['timecode'])}, kept as a tag")
    elif not has_chapters or tag != "text":  # that is the track of the chapters' titles
        suffixes = [suffix for suffix, name in CONTAINERS.items() if suffix != ".m4v" and name in formats]
        plan.leave_out(what, suffixes)


def _attach_cover(plan: _Plan, source: Path, opened: Any, stream: Any, number: int) -> bool:
    """A cover picture as Matroska has it, an attachment, read from where it lies in the source."""
    codec = codec_of(stream)
    what = f"cover {codec}"
    picture = next((bytes(packet) for packet in opened.demux(stream) if packet.size), b"")
    begin = _find(source, picture)
    if begin is None or codec not in _MIME:
        plan.left_out.append(f"{what} is left out: it cannot be taken out of this file")
        return False
    ending = "jpg" if codec == "mjpeg" else codec
    name = stream.metadata.get("filename") or f"cover.{ending}"
    mime = stream.metadata.get("mimetype") or _MIME[codec]
    url = f"subfile,,start,{begin},end,{begin + len(picture)},,:{file_url(source)}"
    plan.attach(number, url, mime, name, f"{what}, copied")
    return True


def _find(source: Path, content: bytes) -> int | None:
    """Where ``content`` lies in a file."""
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        place = mapped.find(content) if content else -1
    return None if place < 0 else place


def _use_mkv(plan: _Plan, what: str) -> UserError:
    return UserError(f"{plan.output.suffix} cannot hold {what}: name an output that ends in .mkv to keep every stream")


def _tags(stream: Any) -> str:
    language = stream.metadata.get("language", "und")
    return f" {shown(language)}" if language != "und" else ""


def _title(stream: Any) -> str | None:
    """The title of a track as .mp4 and .mov give it, where it is the track's name; ffmpeg reads it so and writes it not."""
    return stream.metadata.get("name") if "title" not in stream.metadata else None


def _is_cover(stream: Any) -> bool:
    return stream.type == "video" and is_attached(stream)


def _begin(stream: Any) -> float:
    """Seconds."""
    return float((stream.start_time or 0) * (stream.time_base or 0))


def _stale(stream: Any) -> list[str]:
    """Tags that tell of packets which are not kept."""
    return [key for key in stream.metadata if key.startswith(_OF_THE_OLD_PACKETS)]
