"""Every command for ffmpeg is put together here: with ffmpeg-python, and what its model has no word for is joined.

ffmpeg-python counts inputs, names streams and writes ``-map`` and ``-filter_complex``. Joined in words (it is release 0.2.0):

* loopback decoders (``-dec 0:0``, the label ``[dec:0]``) and a graph that is text already, such as a metric's: ``graph``;
* options that may repeat or whose order counts (``--enc``, an encoder plugin's, ``-metadata`` and ``-attach`` of many streams):
  it sorts them by name and takes each once: ``Output.given``;
* options that open hardware, which go before the inputs: ``first``;
* inputs that only such a graph reads: ``inputs``;
* a chain of filters that is text, such as the user's: ``chained``.

Its positional filter arguments are escaped twice, so filters get named ones here. Two equal nodes are one to it, so each input
gets something of its own: a file may be compared with itself. Of one stream, two outputs or two filters have to differ. It
hashes all text as UTF-8, which the name of a file need not be, so that text goes in as its bytes, one letter each, and is put
together again in the arguments.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from vmaftune.escape import file_url

Stream = Any
"""ffmpeg-python's: an input, one of its streams (``source["0"]``), or what comes out of a filter."""

Options = Mapping[str, Any]
"""Options without their ``-``, such as ``{"c:v": "ffv1"}``; the value None is a flag's."""

_NONE: Options = MappingProxyType({})

# Frames pass as they are: none is doubled or dropped to keep a rate.
PASS_THROUGH = {"fps_mode": "passthrough"}
# A source may change its size or format on the way (broadcasts, recorded calls). ffmpeg would then build the filters again,
# and libvmaf with them, which forgets what it has scored; instead all pictures are brought to the first one's size.
KEEP_FILTERS = {"reinit_filter": 0}
# One line for each packet or frame, and no copy of what is in it.
LIST_PACKETS = {"f": "framecrc"}
LIST_FRAMES = {"c:v": "wrapped_avframe", "f": "framecrc"}
# One line for each frame, with a checksum of its pixels.
SUM_FRAMES = {"c:v": "rawvideo", "f": "framecrc"}


class Output(NamedTuple):
    """One output of a command.

    Attributes:
        streams: what is in it, in order; text is a label of ``graph`` or a stream specifier (``[scored]``, ``0:2``).
        to: the file; text is a URL as it is; None writes nothing.
        options: of the output.
        given: further options, as words that keep their order and come before ``options``.
    """

    streams: Sequence[Stream | str]
    to: Path | str | None
    options: Options = _NONE
    given: Sequence[str] = ()


def read(path: Path, options: Options = _NONE) -> Stream:
    """A file as an input, each time another one."""
    import ffmpeg  # takes as long to import as all that --help needs

    return ffmpeg.input(_bytes(file_url(path)), **_of_bytes(options), **{_OWN: object()})


def generated(graph: str) -> Stream:
    """An input of pictures that filters make, such as ``testsrc2=size=160x90``."""
    import ffmpeg

    return ffmpeg.input(_bytes(graph), f="lavfi")


def chained(stream: Stream, chain: str | None) -> Stream:
    """What a chain of filters makes of a stream; the chain is text, such as the user's, and passes as it is."""
    return _chain_node()(stream, "chain", args=[_bytes(chain)]).stream() if chain else stream


def one_size(picture: tuple[int, int], then: str | None = None) -> str:
    """A chain that brings all pictures to ``picture``, width and height in pixels, and goes on with ``then``."""
    return ",".join(part for part in ("scale={}:{}".format(*picture), then) if part)


def filtered(name: str, *streams: Stream, **options: Any) -> Stream:
    """What one filter makes of streams. White space at the ends of a value is lost."""
    import ffmpeg

    return ffmpeg.filter(list(streams), name, **_of_bytes(options))


def split(stream: Stream) -> tuple[Stream, Stream]:
    """A stream twice: what comes out of a filter goes into one other alone."""
    twice = stream.filter_multi_output("split")
    return twice.stream(0), twice.stream(1)


def command(
    *outputs: Output,
    first: Sequence[str] = (),
    inputs: Iterable[Stream] = (),
    decoders: Sequence[str] = (),
    graph: str | None = None,
) -> list[str]:
    """The arguments of one run of ffmpeg, for vmaftune.ffmpeg.process.

    Args:
        outputs: those with streams of ffmpeg-python's model come first, and then those in words.
        first: global options.
        inputs: numbered as they come; for a command that has no output of the model.
        decoders: encoded streams that are decoded again (``0:0``, the first of output 0), as ``[dec:0]``, ``[dec:1]``, ...
        graph: filter graph that is text.
    """
    modelled = [output for output in outputs if not isinstance(output.streams[0], str)]
    in_words = [output for output in outputs if isinstance(output.streams[0], str)]
    arguments = [*first, *(_built(modelled) if modelled else _opened(inputs))]
    for decoder in decoders:
        arguments += ["-dec", decoder]
    if graph is not None:
        arguments += ["-filter_complex", graph]
    for output in in_words:
        for stream in output.streams:
            arguments += ["-map", stream]
        arguments += [*_words(output), _url(output)]
    return arguments


# In no argument of a program. The first marks given options, the second makes an input unlike all others.
_GIVEN, _OWN = "\0given", "\0own"


def _built(outputs: Sequence[Output]) -> list[str]:
    """Inputs, graph and outputs as ffmpeg-python writes them."""
    import ffmpeg

    nodes = []
    for number, output in enumerate(outputs):
        options = {_GIVEN: number} if output.given else _of_bytes(_options(output))
        nodes.append(ffmpeg.output(*output.streams, _bytes(_url(output)), **options))
    arguments: list[str] = []
    built = iter(ffmpeg.get_args(ffmpeg.merge_outputs(*nodes)))
    for argument in built:
        if argument == f"-{_GIVEN}":
            arguments += _words(outputs[int(next(built))])
        elif argument == f"-{_OWN}":
            next(built)
        else:
            arguments.append(_text(argument))
    return arguments


def _opened(inputs: Iterable[Stream]) -> list[str]:
    """Inputs alone, each as ffmpeg-python writes it for an output that it does not get."""
    return [argument for stream in inputs for argument in _built([Output([stream], "-")])[:-1]]


def _options(output: Output) -> Options:
    return {**output.options, "f": "null"} if output.to is None else output.options


def _words(output: Output) -> list[str]:
    words = list(output.given)
    for name, value in _options(output).items():
        words += [f"-{name}"] if value is None else [f"-{name}", str(value)]
    return words


def _url(output: Output) -> str:
    return file_url(output.to) if isinstance(output.to, Path) else output.to or "-"


def _bytes(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _text(argument: str) -> str:
    return argument.encode("latin-1").decode("utf-8", "surrogatepass")


def _of_bytes(options: Options) -> dict[str, Any]:
    return {name: _bytes(value) if isinstance(value, str) else value for name, value in options.items()}


@functools.cache
def _chain_node() -> Any:
    from ffmpeg.nodes import FilterNode

    class Chain(FilterNode):  # type: ignore[misc]
        """A node whose text passes as it is: the library would escape it."""

        def _get_filter(self, outgoing_edges: object) -> str:
            return str(self.args[0])

    return Chain
