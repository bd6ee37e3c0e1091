"""How video is encoded: the filter chain and the arguments that probes and full encodes share, so that an encode is what was
probed.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from vmaftune.encoders.spec import EncoderSettings
from vmaftune.ffmpeg.command import KEEP_FILTERS, Options, Output, Stream, command, one_size, read

# Left alone, ffmpeg rounds the encoder's times to the frame rate, so that a varying rate loses its times and frames may share
# one. 1/360000 s holds milliseconds, 1/90000 s and the frames of all rates in use exactly. Containers round times: one within
# 1 ms of a constant rate is brought back to it, so that the same pictures give the same bits in every container; any other
# is kept. Each frame gets a later time than the one before: encoders and the loopback decoder put frames that share a time
# into another order (libvvenc: VMAF 36 for a true 95).
TIMES = (
    "settb=1/360000,setpts='st(1,STARTPTS+round((PTS-STARTPTS)*TB*FRAME_RATE)/(TB*FRAME_RATE));"
    "st(1,if(lte(abs(ld(1)-PTS)*TB,0.00101),round(ld(1)),PTS));"
    "st(0,if(isnan(ld(1)),if(N,ld(0)+round(1/(TB*if(isnan(FRAME_RATE),25,FRAME_RATE))),0),if(N,max(ld(0)+1,ld(1)),ld(1))))'"
)


class StreamArguments(msgspec.Struct, frozen=True, kw_only=True):
    """What ffmpeg is told of the streams of a source, the encoded one and all others.

    Attributes:
        selected: the streams of the output as ffmpeg names them in the source (``2``, ``a?``), the encoded one first.
        output: output options: what becomes of all but the encoded one.
        reading: input options that the source needs, a pair of name and value each.
    """

    selected: tuple[str, ...]
    output: tuple[str, ...] = ()
    reading: tuple[tuple[str, str], ...] = ()


def of_one_size(settings: EncoderSettings, picture: tuple[int, int]) -> EncoderSettings:
    """The settings with all pictures brought to ``picture``, width and height in pixels, before the user's filters."""
    return msgspec.structs.replace(settings, video_filter=one_size(picture, settings.video_filter))


def encoded(
    source: Path, stream_index: int, settings: EncoderSettings, crf: float, to: Path | None, options: Options
) -> Output:
    """An output that holds the encode of one stream and nothing else; spec.device_arguments go first in its command.

    Args:
        options: of the output besides those of the encode.
    """
    streams = [read(source, KEEP_FILTERS)[str(stream_index)]]
    return Output(streams, to, options, video_arguments(settings, crf))


def video_arguments(settings: EncoderSettings, crf: float) -> list[str]:
    """Output options of the encoded stream, which is the first video of its output."""
    filters = (settings.video_filter, settings.scale_filter, TIMES, settings.upload_filter)
    chain = ",".join(part for part in filters if part)
    times = ["-fps_mode:v:0", "passthrough", "-enc_time_base:v:0", "filter"]
    return ["-filter:v:0", chain, *times, *settings.output_arguments(crf)]


def read_beside(*streams: Stream | str) -> tuple[Output, ...]:
    """An output of a run that only tells times: read these streams as well, and drop them.

    ffmpeg lets a source begin at 0 by the earliest of the streams that it READS (MPEG-TS, MPEG-PS, Ogg), and evens out jumps
    of their clocks by what it reads. So every run whose times are compared or put together reads the same streams.
    """
    return (Output(streams, None, {"c": "copy"}),) if streams else ()


def full_arguments(
    source: Path,
    picture: tuple[int, int],
    settings: EncoderSettings,
    crf: float,
    streams: StreamArguments,
    container: str,
    output: Path,
    seconds: float | None = None,
) -> list[str]:
    """Arguments of a full encode.

    Args:
        picture: width and height in pixels of the source's first frame.
        streams: decided on by vmaftune.jobs.encode_streams.
        container: ffmpeg's name of the format.
        seconds: of the output; None is all of it.
    """
    settings = of_one_size(settings, picture)
    opened = read(source, KEEP_FILTERS | dict(streams.reading))
    return command(
        Output(
            [opened[selected] for selected in streams.selected],
            output,
            {"f": container} | ({} if seconds is None else {"t": f"{seconds:.3f}"}),
            [*video_arguments(settings, crf), *_tag_arguments(settings, container), *streams.output],
        ),
        first=settings.spec.device_arguments,
    )


def _tag_arguments(settings: EncoderSettings, container: str) -> list[str]:
    tag = settings.tag(container)
    return [] if tag is None else ["-tag:v:0", tag]


def joined_arguments(
    source: Path,
    video: Path,
    start_seconds: float,
    settings: EncoderSettings,
    streams: StreamArguments,
    container: str,
    output: Path,
) -> list[str]:
    """Arguments that put a video which was encoded before in the place of the one that a full encode would make.

    Args:
        settings: how it was encoded. Its encoder is said in a tag, as ffmpeg does; the source's says what made the source.
        video: begins at 0.
        start_seconds: when its first frame is shown, in a run that reads the streams of a full encode (read_beside).
        streams, container, output: as in full_arguments.
    """
    replaced, *others = (f"0:{selected}" for selected in streams.selected)
    # Said for one stream, it has to be said for all.
    tags = [part for place, n in enumerate(streams.selected) for part in (f"-map_metadata:s:{place}", f"0:s:{n}")]
    return command(
        Output(
            ["1:v:0", *others],
            output,
            {"map_chapters": 0, "f": container},
            [
                *("-c:0", "copy", *streams.output, *tags, "-metadata:s:0", f"encoder={settings.spec.name}"),
                *_tag_arguments(settings, container),
            ],
        ),
        *read_beside(replaced),
        inputs=(read(source, dict(streams.reading)), read(video, {"itsoffset": f"{start_seconds:.6f}"})),
    )
