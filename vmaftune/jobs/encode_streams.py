"""What becomes of every stream of a source in a full encode: one is encoded, the others are copied, converted or left out."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import av.error
import msgspec

from vmaftune.errors import UserError
from vmaftune.ffmpeg.escape import file_url
from vmaftune.media.choice import is_attached
from vmaftune.media.facts import shown
from vmaftune.media.opened import open_media

CONTAINERS = {".mkv": "matroska", ".webm": "webm", ".mp4": "mp4", ".m4v": "mp4", ".mov": "mov"}
"""Suffixes a full encode can have, and ffmpeg's names of their formats."""

_TEXT = {"matroska": "subrip", "webm": "webvtt", "mp4": "mov_text", "mov": "mov_text"}
_OF_THE_CONTAINER = ("major_brand", "minor_version", "compatible_brands")
_OF_THE_OLD_PACKETS = ("BPS", "DURATION", "NUMBER_OF_", "_STATISTICS_")  # Matroska's statistics tags
_MIME = {"mjpeg": "image/jpeg", "png": "image/png"}


EVERY_STREAM = "-map 0:{} -map 0:a? -map 0:s? -map 0:t? -c:a copy -c:s copy -c:t copy"
"""Output options that keep the streams of a source that cannot be looked at; ``{}`` becomes the index of its video."""


def default_output(source: Path, encoder: str, which: str | None = None) -> Path:
    """Matroska, because it takes every codec and every kind of stream.

    Args:
        which: one of several encodes of the source.
    """
    stem = source.stem if which is None else f"{source.stem}.{which}"
    return source.absolute().with_name(f"{stem}.{encoder}.mkv")


class StreamPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of the streams.

    Attributes:
        arguments: ffmpeg's output options for it.
        kept: a line for each stream of the output, such as ``audio aac eng, copied``, the encoded one first.
        left_out: a line for each stream that no container takes.
    """

    arguments: tuple[str, ...]
    kept: tuple[str, ...]
    left_out: tuple[str, ...]


class _Plan:
    """The arguments as they grow, stream by stream of the output."""

    def __init__(self, container: str, output: Path, acodec: str | None) -> None:
        self.container, self.output, self.acodec = container, output, acodec
        self.arguments: list[str] = []
        self.kept: list[str] = []
        self.left_out: list[str] = []
        self._streams = 0

    def map(
        self, stream: Any, codec: str | None, what: str, clear: Sequence[str] = (), title: str | None = None
    ) -> None:
        """One stream more; ``codec`` None is the encoded one."""
        place, self._streams = self._streams, self._streams + 1
        flags = "+".join(flag.name for flag in type(stream.disposition) if flag and flag in stream.disposition)
        self.arguments += ["-map", f"0:{stream.index}"]
        if codec is not None:
            self.arguments += [f"-c:{place}", codec]
        if stream.type != "attachment":
            self.arguments += [f"-disposition:{place}", flags or "0"]
        for key in clear:
            self.arguments += [f"-metadata:s:{place}", f"{key}="]
        if title:
            self.arguments += [f"-metadata:s:{place}", f"title={title}"]
        self.kept.append(what)

    def attach(self, number: int, url: str, mime: str, name: str, what: str) -> None:
        """A file that is attached, the ``number``-th attachment of the output."""
        self.arguments += ["-attach", url, f"-metadata:s:t:{number}", f"mimetype={mime}"]
        self.arguments += [f"-metadata:s:t:{number}", f"filename={name}"]
        self.kept.append(what)


def plan_streams(source: Path, video_index: int, encoder: str, output: Path, acodec: str | None) -> StreamPlan:
    """Decide on every stream of ``source``.

    Args:
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
        plan.map(video, None, f"video {_codec(video)}{_tags(video)}, encoded with {encoder}", _stale(video))
        chapters = len(opened.chapters())
        for stream in streams:
            if stream.index != video_index:
                _decide(plan, stream, has_chapters=bool(chapters))
        attached = sum(stream.type == "attachment" for stream in streams)
        for stream in streams:
            if container == "matroska" and _is_cover(stream):
                attached += _attach_cover(plan, source, opened, stream, attached)
        if chapters:
            plan.kept.append(f"{chapters} chapter{'' if chapters == 1 else 's'}, copied")
        stale = [key for key in opened.metadata if key.lower() in _OF_THE_CONTAINER]
    for key in stale:
        plan.arguments += ["-metadata", f"{key}="]
    return StreamPlan(arguments=tuple(plan.arguments), kept=tuple(plan.kept), left_out=tuple(plan.left_out))


def _decide(plan: _Plan, stream: Any, *, has_chapters: bool) -> None:
    what = f"{'cover' if _is_cover(stream) else stream.type} {_codec(stream)}{_tags(stream)}"
    if stream.type == "audio":
        if plan.acodec is None:
            plan.map(stream, "copy", f"{what}, copied", title=_title(plan, stream))
        else:
            plan.map(stream, plan.acodec, f"{what}, encoded with {plan.acodec}", _stale(stream), _title(plan, stream))
    elif stream.type == "subtitle":
        _decide_subtitle(plan, stream, what)
    elif stream.type == "attachment":
        if plan.container != "matroska":
            raise _use_mkv(plan, what)
        plan.map(stream, "copy", f"{what}, copied")
    elif _is_cover(stream):
        if plan.container == "webm":
            raise _use_mkv(plan, what)
        if plan.container != "matroska":
            plan.map(stream, "copy", f"{what}, copied")
    elif stream.type == "video":
        plan.map(stream, "copy", f"{what}, copied")
    elif "timecode" in stream.metadata:
        plan.kept.append(f"timecode {shown(stream.metadata['timecode'])}, kept as a tag")
    elif not has_chapters or _codec(stream) not in ("", "bin_data"):  # those are tracks of chapters' titles
        plan.left_out.append(
            f"{what} is left out: it is neither pictures, sound nor text, and Matroska has no place for it"
        )


def _decide_subtitle(plan: _Plan, stream: Any, what: str) -> None:
    codec, title = _codec(stream), _title(plan, stream)
    if codec in _held(plan.container):
        plan.map(stream, "copy", f"{what}, copied", title=title)
    elif _is_text(codec):
        plan.map(stream, _TEXT[plan.container], f"{what}, converted to {_TEXT[plan.container]}", title=title)
    elif codec in _held("matroska"):
        raise _use_mkv(plan, what)
    else:
        plan.left_out.append(f"{what} is left out: Matroska has no place for it")


def _attach_cover(plan: _Plan, source: Path, opened: Any, stream: Any, number: int) -> bool:
    """A cover picture as Matroska has it, an attachment, read from where it lies in the source."""
    codec = _codec(stream)
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


def _codec(stream: Any) -> str:
    """ffmpeg's name of the codec; empty where it has none."""
    if stream.type == "attachment":
        return stream.name or "file"
    context = stream.codec_context
    return "" if context is None else str(context.codec.canonical_name)


def _tags(stream: Any) -> str:
    language = stream.metadata.get("language", "und")
    return f" {shown(language)}" if language != "und" else ""


def _title(plan: _Plan, stream: Any) -> str | None:
    """The title of a track, which .mp4 and .mov call its name."""
    named = stream.metadata.get("name") if "title" not in stream.metadata else None
    return named if plan.container in ("matroska", "webm") else None


def _is_cover(stream: Any) -> bool:
    return stream.type == "video" and is_attached(stream)


def _stale(stream: Any) -> list[str]:
    """Tags that tell of packets which are not kept."""
    return [key for key in stream.metadata if key.startswith(_OF_THE_OLD_PACKETS)]


def _held(container: str) -> set[str]:
    """Codecs that a container has a name for."""
    with av.open("/dev/null", "w", format=container) as opened:
        names = opened.supported_codecs
    return {codec for codec in map(_canonical, names) if codec}


def _canonical(name: str) -> str | None:
    for mode in ("r", "w"):
        try:
            return av.Codec(name, mode).canonical_name
        except av.codec.codec.UnknownCodecError:
            continue
    return None


def _is_text(codec: str) -> bool:
    try:
        text: Any = av.codec.codec.Properties.TEXT_SUB
        return bool(av.Codec(codec, "r").properties & text.value)
    except av.codec.codec.UnknownCodecError:
        return False
