"""``psnr``: a metric. The peak signal-to-noise ratio, as ffmpeg's filter of that name measures it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from vmaftune import hookimpl
from vmaftune.contract import Asked, Comparison, Metric, Pictures, filter_value, fitted, parsed_size
from vmaftune.errors import UserError, VmafTuneError

vmaftune_api = 1

_LOSSLESS_DB = 100.0
"""What counts as the PSNR of a frame without any error, which is infinite."""

_NUMBER = re.compile(r"(psnr_\w+):(\S+)")


class Psnr(Metric):
    """PSNR in dB of all samples of a frame, luma and chroma together: 10 log10(peak^2 / mean squared error).

    A frame's score is of that frame alone, so an exploring probe may score a part of them. Pictures are compared at their own
    size, and at 10 bits where source or encode has more than 8.
    """

    name = "psnr"
    title = "PSNR"
    unit = "dB"
    highest = _LOSSLESS_DB
    usual_range = (48.0, 30.0)
    grain = 0.35
    default_target = 40.0
    default_tolerance = 0.1
    filter = "psnr"
    parts = ("psnr_avg",)

    def decide(self, asked: Asked, pictures: Pictures) -> Comparison:
        """Raises UserError for a model, which PSNR has none of, and for a size that is none."""
        if asked.model is not None or asked.generation is not None:
            raise UserError("PSNR has no models: leave --vmaf-model and --vmaf-generation out")
        size = None
        if asked.size not in ("auto", "none"):
            size = fitted(pictures.width, pictures.height, parsed_size(asked.size))
        return Comparison(
            metric=self, model="", size=size, pix_fmt="yuv420p10le" if pictures.bit_depth > 8 else "yuv420p"
        )

    def filter_text(self, comparison: Comparison, log: Path, *, threads: int, every: int) -> str:
        return f"psnr=stats_file={filter_value(str(log.absolute()))}"

    def read_log(self, log: Path) -> list[dict[str, float]]:
        """A line of the log is a frame: ``n:1 mse_avg:0.53 ... psnr_avg:50.89 psnr_y:49.90 psnr_u:54.15 psnr_v:53.41``."""
        try:
            lines = [_NUMBER.findall(line) for line in log.read_text("ascii").splitlines()]
            return [{name: min(float(value), _LOSSLESS_DB) for name, value in line} for line in lines if line]
        except (OSError, ValueError) as error:
            raise VmafTuneError(f"PSNR's log in {log.parent} is missing or not whole: {error}") from error

    def neighbours(self, comparison: Comparison) -> tuple[int, int]:
        return 0, 0


@hookimpl
def vmaftune_metrics() -> Iterator[Metric]:
    yield Psnr()
