"""What an encode has no more of its source, beside its streams: tags, dispositions, and data of the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av.error

from vmaftune.errors import VmafTuneError
from vmaftune.jobs.containers import CONTAINERS
from vmaftune.jobs.encode_streams import Mapped
from vmaftune.media.mdta import append_tags
from vmaftune.media.opened import open_media
from vmaftune.media.side_data import side_data_names

_MADE_BY_A_MUXER = {
    *("encoder", "duration", "major_brand", "minor_version", "compatible_brands"),
    *("company_name", "product_name", "product_version", "timecode"),
}
_OF_A_TRACK = {
    *("encoder", "duration", "bps", "number_of_frames", "number_of_bytes", "handler_name", "vendor_id", "timecode"),
    *("creation_time", "filename", "mimetype", "rotate", "file_package_umid"),
}
"""Tags of tracks that tell of packets which are gone, that every container has, or that go to another place."""

_OF_PICTURES = {
    *("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL", "AMBIENT_VIEWING_ENVIRONMENT"),
    *("DYNAMIC_HDR_PLUS", "DYNAMIC_HDR_VIVID", "DOVI_METADATA", "A53_CC", "STEREO3D", "SPHERICAL"),
}


def keep_tags(source: Path, made: Path, container: str) -> None:
    """Put the tags of the file for which .mp4 and .mov have no name of their own into an encode that has no name yet.

    Raises:
        VmafTuneError: it cannot be written.
    """
    if container not in ("mp4", "mov"):
        return
    (tags, _), (kept, _) = _tags(source), _tags(made)
    gone = {key: value for key, value in tags.items() if key.lower() in _gone(tags, kept) and value}
    try:
        if gone:
            append_tags(made, gone)
    except OSError as error:
        raise VmafTuneError(f"no room for the tags of the encode: {error.strerror}") from error


def mixed_down(source: Path, streams: Sequence[Mapped], made: Path) -> list[str]:
    """A line for each stream of audio that is encoded, and has fewer channels then: some encoders take two at most.

    Args:
        streams: those of ``made`` in its order.
    """
    lines = []
    try:
        with open_media(source) as before, open_media(made) as after:
            for place, stream in enumerate(streams):
                if stream.kind == "audio" and not stream.copied and place < len(after.streams):
                    old, new = _layout(before.streams[stream.index]), _layout(after.streams[place])
                    if old is not None and new is not None and new[0] < old[0]:
                        lines.append(f"the audio (stream {stream.index}) is mixed down from {old[1]} to {new[1]}")
    except av.error.FFmpegError:  # too short a moment to tell
        return []
    return lines


def _layout(stream: Any) -> tuple[int, str] | None:
    """Number of channels, and their name."""
    context = stream.codec_context
    return None if context is None else (context.layout.nb_channels, context.layout.name)


def lost(source: Path, streams: Sequence[Mapped], made: Path, target: Path) -> list[str]:
    """A line for each kind of thing that an encode has no more.

    Args:
        streams: those of the encode in its order.
        target: the name that it will have.
    """
    (tags, tracks), (kept, kept_tracks) = _tags(source), _tags(made)
    suffix = target.suffix.lower()
    gone = [*(f"tag {key}" for key in sorted(_gone(tags, kept)))]
    for place, stream in enumerate(streams):
        if place < len(kept_tracks) and stream.kind != "attachment":
            gone += _gone_of_track(stream, tracks[stream.index], kept_tracks[place])
    lines = []
    if gone:
        keeps = "" if CONTAINERS[suffix] == "matroska" else "; .mkv keeps more"
        lines.append(f"{suffix} has no place for: {', '.join(gone)}{keeps}")
    data = _data(source, streams[0].index) - _data(made, 0)
    if data:
        lines.append(f"the encoder left out the pictures' {', '.join(sorted(data))}")
    return lines


def _gone(tags: dict[str, str], kept: dict[str, str]) -> set[str]:
    """Names in lower case. A name with a language (``title-eng``) repeats the one without."""
    names, there = {key.lower() for key in tags}, {key.lower() for key in kept}
    repeated = {name for name in names if "-" in name and name.rpartition("-")[0] in names}
    return names - there - repeated - _MADE_BY_A_MUXER


_Track = tuple[dict[str, str], set[str]]


def _gone_of_track(stream: Mapped, track: _Track, kept: _Track) -> list[str]:
    (tags, flags), (kept_tags, kept_flags) = track, kept
    there = {key.lower(): value for key, value in kept_tags.items()}
    missing = flags - kept_flags - ({"descriptions"} if "visual_impaired" in kept_flags else set())  # the same, twice
    gone = [f"disposition {flag}" for flag in sorted(missing)]
    for key, value in sorted(tags.items()):
        name = key.lower()
        if name in _OF_A_TRACK or name.startswith("_statistics_") or (name == "language" and value == "und"):
            continue
        if name in ("title", "name"):  # what MP4 calls the name of a track is its title elsewhere
            gone += [] if value in (there.get("title"), there.get("name")) else [f"tag {name}"]
        elif name not in there:
            gone.append(f"tag {name}")
        elif name == "language" and there.get(name) != value:
            gone.append(f"language {value}")
    return [f"{what} of stream {stream.index} ({stream.kind})" for what in gone]


def _tags(file: Path) -> tuple[dict[str, str], list[_Track]]:
    """Tags of the file, and of each stream its tags and dispositions."""
    with open_media(file) as container:
        tracks: list[_Track] = []
        for stream in container.streams:
            held: Any = stream.disposition
            flags = {str(flag.name) for flag in type(held) if flag and flag in held}
            tracks.append((dict(stream.metadata), flags - {"attached_pic"}))
        return dict(container.metadata), tracks


def _data(file: Path, stream_index: int) -> set[str]:
    """Names of the data of the first picture."""
    try:
        with open_media(file) as container:
            frame = next(container.decode(container.streams[stream_index]), None)
    except av.error.FFmpegError:
        return set()
    return set() if frame is None else {name for name in side_data_names(frame) if name in _OF_PICTURES}
