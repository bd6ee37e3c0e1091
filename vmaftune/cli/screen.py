"""What a person sees of a search: a live line on a terminal, plain lines in a pipe. Results go to standard output."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from vmaftune.cli.corpus_screen import span
from vmaftune.cli.live import LiveLine
from vmaftune.cli.remaining import Remaining
from vmaftune.contract.records import ProbeRecord
from vmaftune.crf_search.curve import PredictedCurve
from vmaftune.crf_search.engine import Observer
from vmaftune.crf_search.source import PreparedSource
from vmaftune.crf_search.strategy import Goal
from vmaftune.encoders.spec import number
from vmaftune.media.facts import shown
from vmaftune.quality.measure import Measure

_Identity = tuple[str, float, float, float]


class Screen(LiveLine, Observer):
    """Shows a search on standard error.

    Args:
        quiet: show nothing (``--json`` into a file, say).
    """

    def __init__(self, *, quiet: bool) -> None:
        super().__init__()
        self._target, self._quiet = 0.0, quiet  # scores that miss the target are marked
        self._measure = Measure()
        self._task: TaskID | None = None
        self._chance: float | None = None
        self._frames = 0
        self._expected: str | None = None
        self._remaining = Remaining()
        self._told: set[_Identity] = set()
        self._measuring: Path | None = None
        self._noted: set[str] = set()

    def __enter__(self) -> Screen:
        if not self._quiet:
            self.show_live(
                TextColumn("  {task.description}"),
                BarColumn(16),
                TextColumn("{task.percentage:>3.0f}%"),
                TimeElapsedColumn(),
                TextColumn("{task.fields[left]}"),
            )
        return self

    def note(self, text: str) -> None:
        """One line of information."""
        if not self._quiet:
            self.console.print(Text(text, style="dim"))

    def warning(self, text: str) -> None:
        """One line that a person should see."""
        if not self._quiet:
            self.console.print(Text(text, style="yellow"))

    def measuring(self, path: Path, share: float) -> None:
        if path != self._measuring:
            self._measuring = path
            if self.display is None:
                self.note(f"{shown(path.name)}: measuring the source")
            else:
                self._begin_task("measuring the source")
        self._show_share(share)

    def prepared(self, source: PreparedSource, goal: Goal) -> None:
        self._target = goal.target
        self.measured(source)
        self.note(_heading(source, goal))

    def measured(self, source: PreparedSource) -> None:
        """Told of a source that is predicted and not searched, too."""
        self._end_task()
        self._measure = source.comparison.metric.measure(source.comparison.model)

    def begun(self, frames: int) -> None:
        self._frames = frames

    def predicted(self, curve: PredictedCurve, crf: float, score: float) -> None:
        if curve.bare.note and curve.bare.note not in self._noted:
            self._noted.add(curve.bare.note)
            self.note(f"  {curve.bare.note}")
        for name, adjustment in curve.adjustments.items():
            if adjustment.captures:
                low, high = float(adjustment.shift.min()), float(adjustment.shift.max())
                captures = f"{adjustment.captures} score{'s' if adjustment.captures > 1 else ''}"
                self.note(
                    f"  {name} shifts the curve by {low:+.2f} to {self._measure.difference(high)}, from {captures}"
                )
        for note in curve.correction_notes:
            self.warning(f"  {note}")
        predictor = curve.predictor.split("@")[0]
        corrected = [name for name, adjustment in curve.adjustments.items() if adjustment.captures]
        if predictor == "none":
            self._expected = f"first guess: CRF {number(crf)}"
        else:
            who, verb = " and ".join([predictor, *corrected]), "expect" if corrected else "expects"
            self._expected = f"{who} {verb} {self._measure.text(score, '.1f')} at CRF {number(crf)}"

    def known(self, records: Sequence[ProbeRecord], crf: float, score: float) -> None:
        """What earlier searches found: the score that answers this one as far as is known, and those on either side of it."""
        self._expected = f"with those, {self._measure.text(score, '.1f')} is expected at CRF {number(crf)}"
        verified = sorted(
            (r for r in records if r.purpose == "verify"), key=lambda record: self._measure.sign * record.score
        )
        new = sum(_identity(record) not in self._told for record in verified)
        for record in around(verified, self._target, self._measure) if verified else records:
            new -= _identity(record) not in self._told
            self.probed(record)
        if verified and new:
            self.note(f"  and {new} more from the cache")
        self._told.update(map(_identity, records))

    def probing(self, number_: int, crf: float, probability: float | None, explore: bool) -> None:
        if self._expected is not None:  # what is expected once a probe comes next, and not where the answer is known
            self.note(f"  {self._expected}")
            self._expected = None
        self._chance = probability
        self._remaining.probing(time.monotonic(), probability, explore=explore)
        self._begin_task(f"CRF {number(crf):<6} {'exploring' if explore else _chance(probability)}")

    def progress(self, share: float) -> None:
        left = self._remaining.seconds(time.monotonic(), share)
        self._show_share(share, "" if left is None else f"about {span(left)} left")

    def probed(self, record: ProbeRecord) -> None:
        self._end_task()
        if _identity(record) in self._told:
            return
        self._told.add(_identity(record))
        if not record.cached:
            self._remaining.probed(time.monotonic())
        if self._quiet:
            return
        explored = record.purpose == "explore"
        line = Text("  CRF ")
        line.append(f"{number(record.crf):<6}", style="bold")
        unit = f" {self._measure.unit}" if self._measure.unit else ""
        line.append(f" {self._measure.title} ")
        if explored:  # an estimate, so neither good nor bad
            line.append(f"~{record.score:.1f} ±{record.deviation:.1f}{unit}", style="bold")
            line.append(f" {record.encoded_percent:5.1f} %{record.bitrate_kbps:8.0f} kb/s")
        else:
            good = self._measure.reaches(record.score, self._target)
            line.append(f"{record.score:6.2f}{unit}", style="bold green" if good else "bold red")
            line.append(f"  {record.encoded_percent:6.1f} %  {record.bitrate_kbps:8.0f} kb/s")
        part = f"{record.frames} of {self._frames} frames" if explored else ""
        if record.cached:
            line.append(f"   from the cache{'; ' if part else ''}{part}", style="dim")
        else:
            seconds = record.encode_seconds + record.score_seconds
            line.append(f"  {seconds:6.1f} s  {part or _chance(self._chance)}", style="dim")
        self.console.print(line)

    def _begin_task(self, what: str) -> None:
        if self.display is not None:
            self._end_task()
            self._task = self.display.add_task(what, total=1.0, left="")

    def _show_share(self, share: float, left: str = "") -> None:
        if self.display is not None and self._task is not None:
            self.display.update(self._task, completed=share, left=left)

    def _end_task(self) -> None:
        if self.display is not None and self._task is not None:
            self.display.remove_task(self._task)
            self._task = None


def around(verified: Sequence[ProbeRecord], target: float, measure: Measure) -> list[ProbeRecord]:
    """The worst score that reaches the target, or else the best of all, and the ones next to it.

    Args:
        verified: from the worst to the best.
    """
    reaching = next(
        (n for n, record in enumerate(verified) if measure.reaches(record.score, target)), len(verified) - 1
    )
    return list(verified[max(0, reaching - 1) : reaching + 2])


def _identity(record: ProbeRecord) -> _Identity:
    return record.purpose, record.crf, record.score, record.bitrate_kbps


def _heading(source: PreparedSource, goal: Goal) -> str:
    facts, settings, compared = source.facts, source.settings, source.comparison
    measure = compared.metric.measure(compared.model)
    what = f"{facts.width}x{facts.height} {facts.fps:.5g} fps {facts.codec} {facts.pix_fmt}"
    spans = f"{len(source.samples)} samples, " if len(source.samples) > 1 else ""
    frames = sum(source.frames)
    return (
        f"{shown(source.path.name)}: {what}, {spans}{frames} frame{'' if frames == 1 else 's'} to score\n"
        f"  {settings.spec.name} preset {settings.preset or 'none'} {settings.pix_fmt}, "
        f"{measure.zone_text(goal.target, goal.tolerance)}"
    )


def _chance(probability: float | None) -> str:
    return "" if probability is None else f"hit chance {100 * probability:.0f} %"
