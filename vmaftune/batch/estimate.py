"""How long what is left of a batch will take: work that was done, and the time it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from vmaftune.media.facts import read_facts
from vmaftune.media.samples import SampleRule, plan
from vmaftune.quality.metric import Asked, Metric, Pictures
from vmaftune.quality.scale import USUAL
from vmaftune.quality.targets import metric_named
from vmaftune.quality.vmaf import VMAF

_PROBES = 3
_LEAST_SECONDS = 2.0


def work_of(path: Any, options: Mapping[str, Any], metrics: Mapping[str, Metric], *, encode: bool) -> float:
    """Pixels that a job encodes and scores, as far as they can be known; its time is about in proportion.

    Three probes of its samples, and the whole once where it is encoded; 0 where the file cannot be read.

    Args:
        metrics: those that there are, by name.
    """
    try:
        facts = read_facts(path, options.get("video_stream"))
        rule = SampleRule(
            samples=options.get("samples"),
            every_seconds=options.get("sample_every") or 720.0,
            duration_seconds=options.get("sample_duration", 20.0),
            min_samples=options.get("min_samples") or 1,
        )
        starts = plan(facts.duration_seconds, rule)
        pictures = Pictures(width=facts.width, height=facts.height)
        asked = {"size": "vmaf_scale", "model": "vmaf_model", "generation": "vmaf_generation"}
        given = {name: options[option] for name, option in asked.items() if options.get(option) is not None}
        compared = metrics.get(metric_named(options) or USUAL.metric, VMAF).decide(Asked(**given), pictures)
        width, height = compared.size or (facts.width, facts.height)
    except Exception:  # whatever it is, the job meets it too, and its row says it: no file ends a batch
        return 0.0
    frames = max(1.0, facts.duration_seconds * facts.fps)
    sampled = frames if starts is None else min(frames, len(starts) * rule.duration_seconds * facts.fps)
    pixels = facts.width * facts.height
    return _PROBES * sampled * (pixels + width * height) + (frames * pixels if encode else 0.0)


class Estimate:
    """Time left, from all that was done since the first job began, running jobs by their share.

    Args:
        clock: seconds, rising.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began = clock, clock()
        self._done = 0.0

    def ended(self, work: float) -> None:
        """A job of so much work has ended."""
        self._done += work

    def seconds_left(self, queued: float, running: Iterable[tuple[float, float]]) -> float | None:
        """None while too little was done to say.

        Args:
            queued: work of the jobs that wait.
            running: work and share done, of each job that runs.
        """
        running = list(running)
        done = self._done + sum(work * share for work, share in running)
        seconds = self._clock() - self._began
        if done <= 0 or seconds < _LEAST_SECONDS:
            return None
        left = queued + sum(work * (1.0 - share) for work, share in running)
        return left * seconds / done
