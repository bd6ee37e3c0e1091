"""The contract of encoders: what a spec says agrees with itself, and with what ffmpeg takes."""

from __future__ import annotations

import math
from collections.abc import Callable

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.crf_search.grid import crf_grid
from vmaftune.encoders.spec import EncoderSettings, number, settings_for
from vmaftune.errors import FfmpegError, UserError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import LIST_PACKETS, Output, command, generated
from vmaftune.ffmpeg.listing import packet_bytes
from vmaftune.ffmpeg.locate import Ffmpeg
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

    def encoded_bytes(self, ffmpeg: Ffmpeg, crf: float) -> int:
        """Size of a short generated clip."""
        settings = self.settings
        clip = generated("testsrc2=size={}x{}:rate=25".format(*_SIZE))
        options = {"frames:v": _FRAMES} | ({"vf": settings.filter_chain} if settings.filter_chain else {})
        with workspace() as folder:
            packets = folder / "packets.txt"
            output = Output([clip["v"]], packets, options | LIST_PACKETS, settings.output_arguments(crf))
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


def check_ffmpeg_encodes_with_it(of: EncoderSubject) -> None:
    """ffmpeg takes its command line, and the better CRF of two does not give the smaller encode."""
    ffmpeg, better, coarser = of.ffmpeg, *of.quarters
    try:
        larger, smaller = (of.encoded_bytes(ffmpeg, crf) for crf in (better, coarser))
    except FfmpegError as error:
        if of.spec.hardware:
            raise NotChecked(f"it needs hardware that this host may lack: {error}") from error
        raise ContractError(str(error)) from error
    if larger < smaller:
        crfs = f"CRF {number(better)} and {number(coarser)}"
        raise ContractError(f"{crfs} give {larger} and {smaller} bytes: the first should be the better one")


CHECKS = (
    check_ranges_give_a_grid,
    check_presets_are_consistent,
    check_quality_options_take_the_crf,
    check_pixel_formats_are_consistent,
    check_cost_is_positive,
    check_ffmpeg_encodes_with_it,
)
