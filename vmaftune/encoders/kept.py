"""What an encode loses of a source's pictures besides quality, and what would keep it: said before anything is searched."""

from __future__ import annotations

import itertools
import re

from vmaftune.encoders.spec import EncoderSettings
from vmaftune.media.facts import DYNAMIC_HDR, MediaFacts
from vmaftune.media.pixels import pixels

_DEINTERLACERS = re.compile(
    r"(?:^|[,;\]\s])(?:(?:bwdif|yadif|deinterlace|w3fdif|estdif|nnedi|kerndeint|mcdeint|pullup|fieldmatch|detelecine|ivtc|field"
    r"|separatefields|removelines)(?:_\w+)?(?=$|[=@,;\[\s])|vpp_qsv=[^,;]*deinterlace|setfield=(?:mode=)?prog|pp=[^,;]*\b(?:lb|li|ci|md|fd|l5)\b)"
)
_TONE_MAPPERS = re.compile(r"(?:^|[,;\]\s])(?:tonemap|libplacebo)")
_CODED_AS_FIELDS = re.compile(r"ildct|ilme|tff|bff|interlace")
_ELSEWHERE = {
    "DOVI_METADATA": "-e libsvtav1 --enc dolbyvision=1 keeps it",
    "DYNAMIC_HDR_PLUS": "-e libaom-av1 and -e libvpx-vp9 keep it",
}


def losses(facts: MediaFacts, settings: EncoderSettings, *, pix_fmt_chosen: bool) -> list[str]:
    """A line for each thing that an encode loses, with what keeps it.

    Args:
        pix_fmt_chosen: the user named the pixel format, and so knows what it holds.
    """
    lines = [*_fields(facts, settings), *_side_data(facts, settings)]
    return lines if pix_fmt_chosen else [*lines, *_of_pixels(facts, settings)]


def _fields(facts: MediaFacts, settings: EncoderSettings) -> list[str]:
    handled = _DEINTERLACERS.search(settings.video_filter or "") or _CODED_AS_FIELDS.search(" ".join(settings.extra))
    if not facts.interlaced or handled:
        return []
    return [
        "its pictures are interlaced and are encoded as if they were not; --vfilter bwdif makes whole pictures of them"
    ]


def _side_data(facts: MediaFacts, settings: EncoderSettings) -> list[str]:
    if _TONE_MAPPERS.search(settings.video_filter or ""):
        return []
    lines, keeps = [], dict(settings.spec.keeps)
    for kind in facts.dynamic_hdr:
        how = keeps.get(kind, f"{settings.spec.name} cannot keep it, {_ELSEWHERE[kind]}")
        if not how or _asked_for(kind, settings):
            continue
        lines.append(f"its {DYNAMIC_HDR[kind]} data is left out of the encode: {how}")
    return lines


def _asked_for(kind: str, settings: EncoderSettings) -> bool:
    options = dict(itertools.pairwise(settings.extra))
    if kind == "DOVI_METADATA":
        return options.get("-dolbyvision", "0") not in ("0", "false", "auto")
    return "dhdr10-info" in options.get("-x265-params", "")


def _of_pixels(facts: MediaFacts, settings: EncoderSettings) -> list[str]:
    have, made = pixels(facts.pix_fmt), pixels(settings.pix_fmt)
    encoder, lines = settings.spec.name, []
    lost = []
    if have.colour > made.colour:
        lost.append(f"{have.subsampling} colour becomes {made.subsampling}")
    if have.bits > made.bits:
        lost.append(f"{have.bits} bits become {made.bits}")
    if lost:
        more = "" if encoder == "libx265" else "; -e libx265 keeps up to 4:4:4 and 12 bits"
        lines.append(f"its pictures ({have.name}) are encoded as {made.name}: {' and '.join(lost)}{more}")
    elif have.rgb:
        lines.append(
            f"its RGB pictures are encoded as {made.name}, which many players do not show; --pix-format yuv420p is shown by all"
        )
    if facts.alpha and not made.alpha:
        keeps = (
            "; -e libvpx-vp9 keeps it in .webm and .mkv"
            if have.alpha
            else ", for ffmpeg's decoder of this codec does not read it"
        )
        lines.append(f"its transparency (alpha channel) is left out of the encode{keeps}")
    elif made.alpha:
        lines.append(f"its transparency (alpha channel) is kept in {made.name}, and only .webm and .mkv can hold it")
    return lines
