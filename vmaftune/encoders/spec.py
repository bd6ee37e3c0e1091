"""What the search needs to know of an encoder, and the ffmpeg arguments that follow from it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import msgspec

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.errors import UserError
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.pixels import Pixels, pixels
from vmaftune.nearest import meant


class EncoderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One way to use an encoder: all that decides the bits besides the source and the CRF.

    Attributes:
        spec: the encoder.
        preset: as its preset option takes it; None where it has none.
        pix_fmt: pixel format that is encoded.
        video_filter: the user's filter chain (``--vfilter``), followed by the crop that even sizes need.
        scaled: width and height in pixels that the encode alone is scaled to, and not what it is compared with; None leaves
            the size.
        extra: further arguments (``--enc K=V``), as ffmpeg takes them.
    """

    spec: EncoderSpec
    preset: str | None
    pix_fmt: str
    video_filter: str | None = None
    scaled: tuple[int, int] | None = None
    extra: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[str, ...]:
        """Everything here that changes the encoded bits; part of the cache key."""
        quality_free = self.output_arguments(None)
        return (self.spec.name, self.filter_chain or "", *self.spec.device_arguments, *quality_free)

    @property
    def filter_chain(self) -> str | None:
        """What stands in ``-vf`` of the encode."""
        parts = [part for part in (self.video_filter, self.scale_filter, self.upload_filter) if part]
        return ",".join(parts) or None

    def tag(self, container: str) -> str | None:
        """Name of the codec in the headers of ``container``; None leaves it to ffmpeg.

        Apple's players take HEVC as ``hvc1`` alone, and ffmpeg writes ``hev1``. The user's own (``--enc tag:v=``) goes first.
        """
        for option, value in itertools.pairwise(self.extra):
            if option == "-vtag" or option.partition(":")[0] == "-tag":
                return value
        return "hvc1" if self.spec.codec == "hevc" and container in ("mp4", "mov") else None

    @property
    def scale_filter(self) -> str | None:
        """What brings pictures to the size of the encode."""
        return self.scaled and "scale={}:{}:flags=bicubic".format(*self.scaled)

    @property
    def upload_filter(self) -> str | None:
        """The end of the filter chain that brings pictures to the hardware."""
        return self.spec.upload_filter and self.spec.upload_filter.format(self.pix_fmt)

    def output_arguments(self, crf: float | None) -> list[str]:
        """Output options of the encode; without the quality when ``crf`` is None."""
        spec = self.spec
        arguments = ["-c:v", spec.name]
        if spec.preset_option is not None and self.preset is not None:
            arguments += [spec.preset_option, self.preset]
        if crf is not None:
            for option, text in spec.quality_options:
                arguments += [option, text.format(number(crf))]
        if spec.upload_filter is None:
            arguments += ["-pix_fmt", self.pix_fmt]
        return _merged([*arguments, *spec.arguments, *self.extra])


def _merged(arguments: Sequence[str]) -> list[str]:
    """Arguments with the values of a repeated ``-x265-params`` or ``-svtav1-params`` joined: ffmpeg keeps the last."""
    merged: list[str] = []
    for argument in arguments:
        option = merged[-1] if merged else ""
        if option.endswith("-params") and option in merged[:-1]:
            merged.pop()
            merged[merged.index(option) + 1] += f":{argument}"
        else:
            merged.append(argument)
    return merged


def number(value: float) -> str:
    """A CRF as it is written: ``23``, ``23.5``."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def find_encoder(
    name: str, encoders: Mapping[str, EncoderSpec], ffmpeg: Ffmpeg | None, said_by: str = "--encoder"
) -> EncoderSpec:
    """The encoder of that name, known to us and to ``ffmpeg``.

    Args:
        encoders: those that plugins yielded, by name.
        ffmpeg: None where no encode is made.
        said_by: what named it, for errors.

    Raises:
        UserError: one of them does not know it.
    """
    spec = encoders.get(name)
    if spec is None:
        raise UserError(
            f"{said_by} {name}: no such encoder; there is: {', '.join(sorted(encoders))}{meant(name, encoders)}"
        )
    if ffmpeg is not None and name not in ffmpeg.encoders:
        mend = "use another encoder, or name an ffmpeg that has it with --ffmpeg"
        raise UserError(f"{ffmpeg.path} (ffmpeg {ffmpeg.version}) was built without {name}; {mend}")
    return spec


def check_preset(spec: EncoderSpec, preset: str | None, said_by: str = "--preset") -> None:
    """Raise UserError where the encoder has no such preset.

    Args:
        said_by: what named it, for errors.
    """
    if preset is not None and spec.presets and preset not in spec.presets:
        there = f"it has {', '.join(spec.presets)}{meant(preset, spec.presets)}"
        raise UserError(f"{said_by} {preset}: {spec.name} has no such preset; {there}")


def settings_for(
    spec: EncoderSpec,
    *,
    preset: str | None,
    pix_fmt: str | None,
    video_filter: str | None,
    extra: Sequence[str],
    source_pix_fmt: str,
    source_size: tuple[int, int],
) -> EncoderSettings:
    """Settings of ``spec`` for one source, with what the user left open filled in.

    Raises:
        UserError: the preset or the pixel format is none that the encoder takes.
    """
    check_preset(spec, preset)
    if pix_fmt is not None and pix_fmt not in spec.pix_fmts:
        takes = f"it takes {', '.join(spec.pix_fmts)}{meant(pix_fmt, spec.pix_fmts)}"
        raise UserError(f"{spec.name} does not take --pix-format {pix_fmt}; {takes}")
    filters = [video_filter] if video_filter else []
    if spec.even_size and (source_size[0] % 2 or source_size[1] % 2):
        filters.append("crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0")
    return EncoderSettings(
        spec=spec,
        preset=preset or spec.default_preset,
        pix_fmt=pix_fmt or _pix_fmt(spec, source_pix_fmt),
        video_filter=",".join(filters) or None,
        extra=tuple(extra),
    )


def check_size(spec: EncoderSpec, picture: tuple[int, int]) -> None:
    """Raise UserError where pictures of that width and height in pixels are too small for the encoder."""
    least = spec.least_side
    if min(picture) // 2 * 2 < least if spec.even_size else min(picture) < least:
        raise UserError(
            "pictures of {}x{} are too small for {}, which takes {}x{} and more; --vfilter scale=W:H makes them larger".format(
                *picture, spec.name, least, least
            )
        )


def _pix_fmt(spec: EncoderSpec, source: str) -> str:
    """The format that loses least of the source's, and of those the smallest; 10 bits where that is the encoder's habit."""
    if spec.default_pix_fmt is None and source in spec.pix_fmts:
        return source
    have, default = pixels(source), pixels(spec.default_pix_fmt or spec.pix_fmts[0])
    bits = max(have.bits, default.bits) if spec.default_pix_fmt else have.bits

    def losses(made: Pixels) -> tuple[float, ...]:
        lost = (have.alpha > made.alpha, max(0, bits - made.bits), max(0.0, have.colour - made.colour))
        return (*lost, made.full_range != have.full_range, made.alpha, made.colour, made.bits)

    return min(map(pixels, spec.pix_fmts), key=losses).name
