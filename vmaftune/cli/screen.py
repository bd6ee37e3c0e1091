"""What a person sees of a search: a live line on a terminal, plain lines in a pipe. Results go to standard output."""

from __future__ import annotations

from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from vmaftune.cli.live import LiveLine
from vmaftune.crf_search.engine import Observer
from vmaftune.crf_search.source import PreparedSource
from vmaftune.crf_search.strategy import Goal
from vmaftune.encoders.spec import number
from vmaftune.host.run import PredictedCurve
from vmaftune.media.facts import shown
from vmaftune.types import ProbeRecord


class Screen(LiveLine, Observer):
    """Shows a search on standard error.

    Args:
        quiet: show nothing (``--json`` into a file, say).
    """

    def __init__(self, *, quiet: bool) -> None:
        super().__init__()
        self._target, self._quiet = 0.0, quiet  # scores below the target are marked
        self._task: TaskID | None = None
        self._chance: float | None = None
        self._frames = 0

    def __enter__(self) -> Screen:
        if not self._quiet:
            self.show_live(
                TextColumn("  {task.description}"),
                BarColumn(30),
                TextColumn("{task.percentage:>3.0f}%"),
                TimeElapsedColumn(),
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

    def prepared(self, source: PreparedSource, goal: Goal) -> None:
        self._target = goal.target
        self.note(_heading(source, goal))

    def begun(self, frames: int) -> None:
        self._frames = frames

    def predicted(self, curve: PredictedCurve, crf: float, vmaf: float) -> None:
        if curve.bare.note:
            self.note(f"  {curve.bare.note}")
        for name, adjustment in curve.adjustments.items():
            if adjustment.captures:
                low, high = float(adjustment.shift.min()), float(adjustment.shift.max())
                captures = f"{adjustment.captures} score{'s' if adjustment.captures > 1 else ''}"
                self.note(f"  {name} shifts the curve by {low:+.2f} to {high:+.2f} VMAF, from {captures}")
        for note in curve.correction_notes:
            self.warning(f"  {note}")
        predictor = curve.predictor.split("@")[0]
        corrected = [name for name, adjustment in curve.adjustments.items() if adjustment.captures]
        if predictor == "none":
            self.note(f"  first guess: CRF {number(crf)}")
        else:
            who, verb = " and ".join([predictor, *corrected]), "expect" if corrected else "expects"
            self.note(f"  {who} {verb} VMAF {vmaf:.1f} at CRF {number(crf)}")

    def probing(self, number_: int, crf: float, probability: float | None, explore: bool) -> None:
        self._chance = probability
        if self.display is not None:
            what = "exploring" if explore else _chance(probability)
            self._task = self.display.add_task(f"CRF {number(crf):<6} {what}", total=1.0)

    def progress(self, share: float) -> None:
        if self.display is not None and self._task is not None:
            self.display.update(self._task, completed=share)

    def probed(self, record: ProbeRecord) -> None:
        if self.display is not None and self._task is not None:
            self.display.remove_task(self._task)
            self._task = None
        if self._quiet:
            return
        explored = record.purpose == "explore"
        line = Text("  CRF ")
        line.append(f"{number(record.crf):<6}", style="bold")
        line.append(" VMAF ")
        if explored:  # an estimate, so neither good nor bad
            line.append(f"~{record.vmaf:.1f} ±{record.deviation:.1f}", style="bold")
            line.append(f" {record.encoded_percent:5.1f} %{record.bitrate_kbps:8.0f} kb/s")
        else:
            good = record.vmaf >= self._target
            line.append(f"{record.vmaf:6.2f}", style="bold green" if good else "bold red")
            line.append(f"  {record.encoded_percent:6.1f} %  {record.bitrate_kbps:8.0f} kb/s")
        part = f"explored, {record.frames} of {self._frames} frames" if explored else ""
        if record.cached:
            line.append(f"   from the cache{'; ' if part else ''}{part}", style="dim")
        else:
            seconds = record.encode_seconds + record.score_seconds
            line.append(f"  {seconds:6.1f} s  {part or _chance(self._chance)}", style="dim")
        self.console.print(line)


def _heading(source: PreparedSource, goal: Goal) -> str:
    facts, settings = source.facts, source.settings
    what = f"{facts.width}x{facts.height} {facts.fps:.5g} fps {facts.codec} {facts.pix_fmt}"
    spans = f"{len(source.samples)} samples, " if len(source.samples) > 1 else ""
    frames = sum(source.frames)
    return (
        f"{shown(source.path.name)}: {what}, {spans}{frames} frame{'' if frames == 1 else 's'} to score\n"
        f"  {settings.spec.name} preset {settings.preset or 'none'} {settings.pix_fmt}, "
        f"VMAF {goal.target:g} to {goal.target + goal.tolerance:g}"
    )


def _chance(probability: float | None) -> str:
    return "" if probability is None else f"(chance of a hit {100 * probability:.0f} %)"
