"""``vmaf-tune score``: VMAF of one video against another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import click
import msgspec
import numpy as np

from vmaftune.cli.options import NUMBER, host_options, json_option, score_options
from vmaftune.cli.output import print_json
from vmaftune.cli.session import Session
from vmaftune.errors import FfmpegError, UserError
from vmaftune.ffmpeg import vmaf
from vmaftune.ffmpeg.escape import file_url
from vmaftune.ffmpeg.probe import score_files
from vmaftune.media.facts import check_is_file, read_facts, shown
from vmaftune.state.workspace import workspace

_FEATURES = ("adm2", "motion2", "vif_scale0", "vif_scale1", "vif_scale2", "vif_scale3")


class ScoreReport(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints. ``features`` are means over frames; ``per_frame`` is there with ``--per-frame``."""

    vmaf: float
    pool: str
    min: float
    harmonic_mean: float
    frames: int
    features: dict[str, float]
    vmaf_model: str
    vmaf_size: tuple[int, int] | None
    ffmpeg: str
    per_frame: list[float] | None


class _Input(msgspec.Struct, frozen=True, kw_only=True):
    arguments: tuple[str, ...]
    stream_index: int
    width: int
    height: int
    bit_depth: int


@click.command("score")
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("distorted", type=click.Path(path_type=Path))
@score_options
@click.option("--width", type=click.IntRange(1), help="Raw YUV: width in pixels.")
@click.option("--height", type=click.IntRange(1), help="Raw YUV: height in pixels.")
@click.option("--pix-fmt", help="Raw YUV: pixel format.  [default: yuv420p]")
@click.option("--fps", type=NUMBER, help="Raw YUV: frame rate; does not change the score.  [default: 25]")
@click.option("--per-frame", is_flag=True, help="Print the score of every frame too.")
@host_options
@json_option
def command(reference: Path, distorted: Path, **options: Any) -> None:
    """VMAF of DISTORTED against REFERENCE, frame by frame in order; both must have as many frames.

    Pictures of another size than the reference's are scaled to the comparison's size. Raw YUV needs --width and --height.
    """
    session = Session(options)
    pool = vmaf.check_pool(session.option("pool", "mean"))
    ffmpeg = session.ffmpeg()
    first, second = _input(reference, options), _input(distorted, options)
    settings = vmaf.ScoreSettings(model=session.option("vmaf_model", None), scale=session.option("vmaf_scale", "auto"))
    depth = max(first.bit_depth, second.bit_depth)
    comparison = vmaf.decide(settings, first.width, first.height, depth)
    if comparison.size is None and (first.width, first.height) != (second.width, second.height):
        comparison = msgspec.structs.replace(comparison, size=(first.width, first.height))
    with workspace() as folder:
        try:
            metrics, in_reference, in_distorted = score_files(
                ffmpeg,
                (first.arguments, first.stream_index),
                (second.arguments, second.stream_index),
                comparison,
                threads=session.threads(),
                folder=folder,
            )
        except FfmpegError as error:
            raise UserError(f"cannot score {shown(distorted)} against {shown(reference)}: {error.reason}") from error
    if in_reference != in_distorted:
        raise UserError(
            f"{shown(reference)} has {in_reference} frames and {shown(distorted)} has {in_distorted}: they cannot be paired"
        )
    vmaf.check_pairing(len(metrics), in_reference, shown(distorted))
    scores = np.array([frame["vmaf"] for frame in metrics])
    report = ScoreReport(
        vmaf=round(vmaf.pooled(scores, pool), 6),
        pool=pool,
        min=float(scores.min()),
        harmonic_mean=round(vmaf.pooled(scores, "harmonic_mean"), 6),
        frames=len(scores),
        features={name: _mean(metrics, name) for name in _FEATURES},
        vmaf_model=comparison.model,
        vmaf_size=comparison.size,
        ffmpeg=ffmpeg.version,
        per_frame=scores.tolist() if options["per_frame"] else None,
    )
    if options["as_json"]:
        print_json(report)
    else:
        click.echo("\n".join(_lines(report)))


def _input(path: Path, options: Mapping[str, Any]) -> _Input:
    check_is_file(path)
    if path.suffix.lower() != ".yuv":
        facts = read_facts(path)
        return _Input(
            arguments=("-i", file_url(path)),
            stream_index=facts.stream_index,
            width=facts.width,
            height=facts.height,
            bit_depth=facts.bit_depth,
        )
    width, height, name = options["width"], options["height"], options["pix_fmt"] or "yuv420p"
    if width is None or height is None:
        raise UserError(f"{shown(path)} is raw video: say how large its pictures are with --width and --height")
    if options["fps"] is not None and not options["fps"] > 0:
        raise UserError(f"--fps {options['fps']:g} must be above 0")
    try:
        layout = av.VideoFormat(name, width, height)
    except ValueError as error:
        raise UserError(f"--pix-fmt {name}: no such pixel format") from error
    frame_bytes = sum(c.width * c.height * (2 if c.bits > 8 else 1) for c in layout.components)
    if path.stat().st_size % frame_bytes:
        raise UserError(
            f"{shown(path)} is not a whole number of {width}x{height} {name} frames: it has {path.stat().st_size} bytes, a "
            f"frame has {frame_bytes}"
        )
    geometry = ("-f", "rawvideo", "-pixel_format", name, "-video_size", f"{width}x{height}")
    rate = ("-framerate", str(options["fps"] or 25))
    return _Input(
        arguments=(*geometry, *rate, "-i", file_url(path)),
        stream_index=0,
        width=width,
        height=height,
        bit_depth=max(c.bits for c in layout.components),
    )


def _mean(metrics: list[dict[str, float]], name: str) -> float:
    """Mean of a feature over frames; libvmaf's integer features carry a prefix."""
    return float(np.mean([frame.get(f"integer_{name}", frame.get(name, np.nan)) for frame in metrics]))


def _lines(report: ScoreReport) -> list[str]:
    size = " at {}x{}".format(*report.vmaf_size) if report.vmaf_size else ""
    per_frame = [f"{n:6d}  {score:9.4f}" for n, score in enumerate(report.per_frame or ())]
    frames = f"{report.frames} frame{'' if report.frames == 1 else 's'}"
    return [
        *per_frame,
        f"VMAF {report.vmaf:.4f} ({report.pool} of {frames}, lowest {report.min:.2f}; {report.vmaf_model}{size})",
    ]
