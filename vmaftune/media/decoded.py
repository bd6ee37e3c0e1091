"""Facts of a source as ffmpeg decodes it: containers crop pictures (Matroska's PixelCrop, MP4's ``clap``), and not every ffmpeg
applies that, so that the one in use is asked."""

from __future__ import annotations

from pathlib import Path

import msgspec

from vmaftune.escape import file_url
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.ffmpeg.probe import picture_size
from vmaftune.media.facts import OF_A_SOURCE, MediaFacts, read_facts


def decoded_facts(ffmpeg: Ffmpeg, path: Path, number: int | None = None, option: str = OF_A_SOURCE) -> MediaFacts:
    """The facts of a source, with the size of the pictures that ``ffmpeg`` decodes. Arguments and errors as of read_facts."""
    facts = read_facts(path, number, option)
    first = ["-map", f"0:{facts.stream_index}", "-frames:v", "1", "-c:v", "wrapped_avframe", "-f", "framecrc", "-"]
    width, height = picture_size(process.query(ffmpeg.path, ["-v", "error", "-i", file_url(path), *first]))
    if not width:  # it cannot be decoded, and the first whole pass says why
        return facts
    cropped = (width, height) != (facts.width, facts.height)
    return msgspec.structs.replace(facts, width=width, height=height, cropped=cropped)
