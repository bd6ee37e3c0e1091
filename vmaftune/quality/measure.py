"""How scores of a metric are written down, drawn, and held against a target."""

from __future__ import annotations

import msgspec
import numpy as np

from vmaftune.quality.targets import target_option


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be known of a metric to tell its scores to somebody; goes with every report that has some.

    Attributes:
        name, title, unit, higher_is_better, grain, default_target: as of vmaftune.quality.metric.Metric.
        lowest, highest: scores of the model that is used.
        itself: why a source scored against itself may get less than the best score; empty where it does not.
    """

    name: str = "vmaf"
    title: str = "VMAF"
    unit: str = ""
    lowest: float = 0.0
    highest: float = 100.0
    higher_is_better: bool = True
    grain: float = 1.0
    default_target: float = 95.0
    itself: str = ""

    def amount(self, score: float, form: str = ".2f") -> str:
        """``93.17``, ``41.20 dB``."""
        return f"{score:{form}} {self.unit}".rstrip()

    def text(self, score: float, form: str = ".2f") -> str:
        """``VMAF 93.17``, ``XPSNR 41.20 dB``."""
        return f"{self.title} {self.amount(score, form)}"

    def difference(self, by: float, form: str = "+.2f") -> str:
        """``+0.31 VMAF``, ``-0.10 dB``."""
        return f"{by:{form}} {self.unit or self.title}"

    def zone(self, target: float, tolerance: float) -> tuple[float, float]:
        """The lowest and the highest score that are good enough and no better than asked for."""
        end = self.off(target, tolerance)
        return min(target, end), max(target, end)

    def zone_text(self, target: float, tolerance: float) -> str:
        """``VMAF 93 to 93.25``, ``XPSNR 41 to 41.1 dB``, from the target on."""
        return f"{self.title} {target:g} to {self.amount(self.off(target, tolerance), 'g')}"

    def off(self, score: float, by: float) -> float:
        """The score that is better by so much, worse where that is below 0."""
        return score + self.sign * by

    def reaches(self, score: float, target: float) -> bool:
        """Whether a score is at least as good as a target."""
        return self.sign * score >= self.sign * target

    @property
    def sign(self) -> float:
        """What scores are multiplied by so that more is better."""
        return 1.0 if self.higher_is_better else -1.0

    @property
    def best(self) -> float:
        """The best score there is."""
        return self.highest if self.higher_is_better else self.lowest

    @property
    def label(self) -> str:
        """Of an axis or a column: ``VMAF``, ``XPSNR, dB``."""
        return f"{self.title}, {self.unit}" if self.unit else self.title

    @property
    def option(self) -> str:
        """That names a target on the command line: ``--min-vmaf``, ``--min-score``."""
        return target_option(self.name)

    @property
    def easier(self) -> str:
        """How to ask for less: ``lower --min-vmaf``."""
        return f"{'lower' if self.higher_is_better else 'raise'} {self.option}"

    @property
    def easier_or_finer(self) -> str:
        """The same, or how to let an encode be better: ``lower --min-vmaf or --min-crf``."""
        return f"{self.easier} or {'' if self.higher_is_better else 'lower '}--min-crf"

    @property
    def harder(self) -> str:
        """What to ask for to get more: ``a higher --min-vmaf``."""
        return f"a {'higher' if self.higher_is_better else 'lower'} {self.option}"

    def worst_of(self, scores: np.ndarray) -> float:
        """Of scores of any shape."""
        return float(scores.min() if self.higher_is_better else scores.max())

    def clipped(self, scores: np.ndarray) -> np.ndarray:
        """Scores of any shape within what there are."""
        clipped: np.ndarray = np.clip(scores, self.lowest, self.highest)
        return clipped


USUAL_MEASURE = Measure()
"""Of what is scored where nothing was chosen: VMAF, 0 to 100."""
