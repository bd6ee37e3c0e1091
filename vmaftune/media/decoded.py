"""Facts of a source as ffmpeg decodes it: containers crop pictures (Matroska's PixelCrop, MP4's ``clap``), and not every ffmpeg
applies that, so that the one in use is asked."""

from __future__ import annotations

from pathlib import Path

import msgspec

from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import LIST_FRAMES, Output, command, read
from vmaftune.ffmpeg.listing import picture_size
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import OF_A_SOURCE, MediaFacts, read_facts


def decoded_facts(ffmpeg: Ffmpeg, path: Path, number: int | None = None, option: str = OF_A_SOURCE) -> MediaFacts:
    """The facts of a source, with the size of the pictures that ``ffmpeg`` decodes. Arguments and errors as of read_facts."""
    facts = read_facts(path, number, option)
    picture = Output([read(path)[str(facts.stream_index)]], "-", {"frames:v": 1} | LIST_FRAMES)
    width, height = picture_size(process.query(ffmpeg.path, command(picture, first=["-v", "error"])))
    if not width:  # it cannot be decoded, and the first whole pass says why
        return facts
    cropped = (width, height) != (facts.width, facts.height)
    return msgspec.structs.replace(facts, width=width, height=height, cropped=cropped)
