"""XPSNR, as ffmpeg's own filter measures it: PSNR weighted by how visible noise is where it lies, in dB."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from vmaftune.errors import UserError, VmafTuneError
from vmaftune.escape import filter_value
from vmaftune.quality.metric import Asked, Comparison, FloatArray, Metric, Pictures, fitted, parsed_size

_LOSSLESS_DB = 100.0
_LINE = re.compile(r"^n: *\d+ +XPSNR y: *(\S+) +XPSNR u: *(\S+) +XPSNR v: *(\S+)", re.MULTILINE)


class Xpsnr(Metric):
    """XPSNR (Helmrich et al., "XPSNR: A Low-Complexity Extension of the Perceptually Weighted Peak Signal-to-Noise Ratio for
    High-Resolution Video Quality Assessment", 2020), the worst of the averages of luma and both chroma planes, as ab-av1 takes
    it.

    Pictures are compared at their own size, and at 8 bits: ffmpeg's filter reads deeper ones by the wrong line length where
    their width is no multiple of 64, and gives 11 dB where 42 is right. A frame's weights rest on frames before it, so no part
    is scored alone. A plane without any error counts as 100 dB.
    """

    name = "xpsnr"
    title = "XPSNR"
    unit = "dB"
    highest = _LOSSLESS_DB
    usual_range = (48.0, 30.0)
    grain = 0.35
    default_target = 40.0
    default_tolerance = 0.1
    filter = "xpsnr"
    reference_first = True
    parts = ("y", "u", "v")

    def decide(self, asked: Asked, pictures: Pictures) -> Comparison:
        if asked.model is not None or asked.generation is not None:
            option = "--vmaf-model" if asked.model is not None else "--vmaf-generation"
            raise UserError(f"{option} is of VMAF, and XPSNR is measured; leave it out")
        size = None
        if asked.size not in ("auto", "none"):
            size = fitted(pictures.width, pictures.height, parsed_size(asked.size))
        return Comparison(metric=self, model="", size=size, pix_fmt="yuv420p")

    def conversion(self, comparison: Comparison) -> tuple[str, ...]:
        """Rounded, not dithered: that would be noise of our own."""
        return ("scale=sws_dither=none", *super().conversion(comparison))

    def depth(self, comparison: Comparison) -> int | None:
        return 8

    def filter_text(self, comparison: Comparison, log: Path, *, threads: int, every: int) -> str:
        return f"xpsnr=stats_file={filter_value(str(log.absolute()))}"

    def read_log(self, log: Path) -> list[dict[str, float]]:
        try:
            lines = _LINE.findall(log.read_text("ascii"))
            found = [{part: float(value) for part, value in zip(self.parts, line, strict=True)} for line in lines]
        except (OSError, ValueError) as error:
            raise VmafTuneError(f"XPSNR's log in {log.parent} is missing or not whole: {error}") from error
        return [{part: min(value, _LOSSLESS_DB) for part, value in frame.items()} for frame in found]

    def check_pool(self, pool: str) -> str:
        if pool == "harmonic_mean":
            raise UserError("--pool harmonic_mean: XPSNR is a logarithm and has none; use mean, min or pN")
        return super().check_pool(pool)

    def pooled(self, scores: FloatArray, pool: str) -> float:
        """The mean is ffmpeg's, of the square roots of the weighted errors: for each plane, and then the worst of them."""
        if pool != "mean":
            return super().pooled(scores, pool)
        errors = np.where(scores >= _LOSSLESS_DB, 0.0, 10.0 ** (-scores / 20.0)).mean(axis=0)
        worst = float(errors.max())
        return min(_LOSSLESS_DB, -20.0 * float(np.log10(worst))) if worst > 0.0 else _LOSSLESS_DB
