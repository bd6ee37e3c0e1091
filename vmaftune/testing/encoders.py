"""The contract of encoders: what a spec says agrees with itself, and with what ffmpeg takes."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from vmaftune.contract.encoders import PILOT_FAMILIES, EncoderSpec
from vmaftune.crf_search.grid import crf_grid
from vmaftune.encoders.spec import EncoderSettings, number, settings_for
from vmaftune.errors import FfmpegError, UserError
from vmaftune.escape import file_url
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import LIST_PACKETS, Output, Stream, command, generated
from vmaftune.ffmpeg.listing import packet_bytes
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import DYNAMIC_HDR
from vmaftune.state.workspace import workspace
from vmaftune.testing.check import ContractError, NotChecked

_FRAMES = 8
_SIZE = (192, 108)
_ATTEMPTS = 4  # as of a probe: ffmpeg's libvvenc wrapper now and then ends so short a clip without one packet


class EncoderSubject:
    """An encoder under test.

    Args:
        spec: its spec.
        located: finds the program to try it with, or raises UserError.
    """

    def __init__(self, spec: EncoderSpec, located: Callable[[], Ffmpeg]) -> None:
        self.spec, self._located = spec, located

    @property
    def ffmpeg(self) -> Ffmpeg:
        """The program. Raises NotChecked where there is none that has the encoder."""
        try:
            found = self._located()
        except UserError as error:
            raise NotChecked(str(error)) from error
        if self.spec.name not in found.encoders:
            raise NotChecked(f"{found.path} (ffmpeg {found.version}) was built without it")
        return found

    @property
    def quarters(self) -> tuple[float, float]:
        """CRFs a quarter and three quarters down the grid. Raises NotChecked where there is none."""
        try:
            grid = crf_grid(self.spec, None, None, None)
        except (UserError, ValueError) as error:
            raise NotChecked(f"there are no CRFs to try: {error}") from error
        quarter = len(grid) // 4
        return float(grid[quarter]), float(grid[-1 - quarter])

    @property
    def settings(self) -> EncoderSettings:
        """For a small 8-bit source, with nothing chosen."""
        return settings_for(
            self.spec,
            preset=None,
            pix_fmt=None,
            video_filter=None,
            extra=(),
            source_pix_fmt="yuv420p",
            source_size=_SIZE,
        )

    @property
    def pieces(self) -> EncoderSettings:
        """The same for pieces that are joined."""
        settings = self.settings
        return msgspec.structs.replace(settings, extra=(*settings.extra, *(self.spec.piece_arguments or ())))

    def encoded(self, ffmpeg: Ffmpeg, crf: float, settings: EncoderSettings) -> tuple[str, bytes]:
        """Codec of a short generated clip, and what its stream begins with (extradata)."""
        import av  # takes as long to import as all the rest
        import av.error

        with workspace() as folder:
            made = folder / "made.mkv"
            output = Output([self._clip["v"]], made, self._options(settings), settings.output_arguments(crf))
            for _ in range(_ATTEMPTS):
                process.run(ffmpeg.path, command(output, first=self.spec.device_arguments))
                with contextlib.suppress(av.error.FFmpegError, IndexError), av.open(file_url(made)) as opened:
                    context = opened.streams.video[0].codec_context
                    return context.codec.canonical_name, bytes(context.extradata or b"")
        raise ContractError(f"at CRF {number(crf)} it encodes {_FRAMES} frames to nothing")

    @property
    def _clip(self) -> Stream:
        return generated("testsrc2=size={}x{}:rate=25".format(*_SIZE))

    @staticmethod
    def _options(settings: EncoderSettings) -> dict[str, Any]:
        return {"frames:v": _FRAMES} | ({"vf": settings.filter_chain} if settings.filter_chain else {})

    def encoded_bytes(self, ffmpeg: Ffmpeg, crf: float) -> int:
        """Size of a short generated clip."""
        settings = self.settings
        with workspace() as folder:
            packets = folder / "packets.txt"
            output = Output(
                [self._clip["v"]], packets, self._options(settings) | LIST_PACKETS, settings.output_arguments(crf)
            )
            arguments = command(output, first=self.spec.device_arguments)
            for _ in range(_ATTEMPTS):
                process.run(ffmpeg.path, arguments)
                if size := sum(packet_bytes(packets)):
                    return size
        raise ContractError(f"at CRF {number(crf)} it encodes {_FRAMES} frames to nothing")


def check_ranges_give_a_grid(of: EncoderSubject) -> None:
    """The search range is within what the encoder accepts, and its step gives at least two CRFs in it."""
    spec = of.spec
    if not all(math.isfinite(value) for value in (*spec.quality_range, *spec.search_range, spec.step)):
        raise ContractError("a range or the step is no finite number")
    try:
        crfs = len(crf_grid(spec, None, None, None))
    except UserError as error:
        raise ContractError(f"its ranges and step do not agree: {error}") from error
    if crfs < 2:
        raise ContractError(f"step {spec.step:g} gives a single CRF within search_range {spec.search_range}")


def check_presets_are_consistent(of: EncoderSubject) -> None:
    """Presets have an option to go with, and the default is one of them."""
    spec = of.spec
    if spec.default_preset is not None and spec.default_preset not in spec.presets:
        raise ContractError(f"default_preset {spec.default_preset!r} is not among presets")
    if spec.presets and spec.preset_option is None:
        raise ContractError("it has presets and no preset_option that takes them")
    if len(set(spec.presets)) != len(spec.presets):
        raise ContractError("a preset stands in presets twice")


def check_quality_options_take_the_crf(of: EncoderSubject) -> None:
    """There is a quality option, each begins with - and has a place for the CRF ({})."""
    if not of.spec.quality_options:
        raise ContractError("quality_options is empty: the CRF would change nothing")
    for option, text in of.spec.quality_options:
        if not option.startswith("-") or text.count("{}") != 1:
            raise ContractError(f"quality option {option!r} {text!r} is not a -option with one {{}} in its text")


def check_pixel_formats_are_consistent(of: EncoderSubject) -> None:
    """It takes a pixel format, and the default is one of them."""
    spec = of.spec
    if not spec.pix_fmts:
        raise ContractError("pix_fmts is empty")
    if spec.default_pix_fmt is not None and spec.default_pix_fmt not in spec.pix_fmts:
        raise ContractError(f"default_pix_fmt {spec.default_pix_fmt!r} is not among pix_fmts")
    if spec.upload_filter is not None and "{}" not in spec.upload_filter:
        raise ContractError(f"upload_filter {spec.upload_filter!r} has no place for the pixel format ({{}})")


def check_cost_is_positive(of: EncoderSubject) -> None:
    """The time to encode a pixel is above 0."""
    if not (math.isfinite(of.spec.encode_cost) and of.spec.encode_cost > 0):
        raise ContractError(f"encode_cost is {of.spec.encode_cost:g}")


def check_pilot_is_known(of: EncoderSubject) -> None:
    """Its pilot is of a family that there is, and so many of its CRFs are as one of the pilot's."""
    spec = of.spec
    if spec.pilot_family not in PILOT_FAMILIES:
        raise ContractError(f"pilot_family {spec.pilot_family!r} is none of {', '.join(PILOT_FAMILIES)}")
    if not (math.isfinite(spec.crfs_per_pilot_crf) and spec.crfs_per_pilot_crf > 0):
        raise ContractError(f"crfs_per_pilot_crf is {spec.crfs_per_pilot_crf:g}")


def check_side_data_is_known(of: EncoderSubject) -> None:
    """What it keeps of HDR is said of kinds of side data that there are, each once."""
    kinds = [kind for kind, _ in of.spec.keeps]
    strange = [kind for kind in kinds if kind not in DYNAMIC_HDR]
    if strange or len(set(kinds)) != len(kinds):
        raise ContractError(f"keeps names {', '.join(kinds)}: each is to be one of {', '.join(DYNAMIC_HDR)}, once")


def check_ffmpeg_encodes_with_it(of: EncoderSubject) -> None:
    """ffmpeg takes its command line, and the better CRF of two does not give the smaller encode."""
    ffmpeg, better, coarser = of.ffmpeg, *of.quarters
    with _hardware_may_lack(of):
        larger, smaller = (of.encoded_bytes(ffmpeg, crf) for crf in (better, coarser))
    if larger < smaller:
        crfs = f"CRF {number(better)} and {number(coarser)}"
        raise ContractError(f"{crfs} give {larger} and {smaller} bytes: the first should be the better one")


def check_ffmpeg_writes_its_codec(of: EncoderSubject) -> None:
    """What it encodes is of the codec that it says."""
    if of.spec.codec is None:
        raise NotChecked("it says no codec")
    ffmpeg, crf = of.ffmpeg, of.quarters[0]
    with _hardware_may_lack(of):
        found, _ = of.encoded(ffmpeg, crf, of.settings)
    if found != of.spec.codec:
        raise ContractError(f"codec is {of.spec.codec!r}, and it writes {found!r}")


def check_pieces_can_be_joined(of: EncoderSubject) -> None:
    """Pieces that are to be joined begin with the same parameters, whatever their CRF and content."""
    if of.spec.piece_arguments is None:
        raise NotChecked("its pieces are not joined")
    ffmpeg, crfs = of.ffmpeg, of.quarters
    with _hardware_may_lack(of):
        (_, first), (_, second) = (of.encoded(ffmpeg, crf, of.pieces) for crf in crfs)
    if first != second:
        raise ContractError(f"pieces at CRF {number(crfs[0])} and {number(crfs[1])} begin with parameters that differ")


@contextlib.contextmanager
def _hardware_may_lack(of: EncoderSubject) -> Iterator[None]:
    """An encode within that fails fails the check, unless hardware is lacking."""
    try:
        yield
    except FfmpegError as error:
        if of.spec.hardware:
            raise NotChecked(f"it needs hardware that this host may lack: {error}") from error
        raise ContractError(str(error)) from error


CHECKS = (
    check_ranges_give_a_grid,
    check_presets_are_consistent,
    check_quality_options_take_the_crf,
    check_pixel_formats_are_consistent,
    check_cost_is_positive,
    check_pilot_is_known,
    check_side_data_is_known,
    check_ffmpeg_writes_its_codec,
    check_pieces_can_be_joined,
    check_ffmpeg_encodes_with_it,
)
