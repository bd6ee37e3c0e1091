"""Measuring all pairs of a corpus that the cache does not know, several at a time and beside other processes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from vmaftune.errors import UserError, VmafTuneError
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.ffmpeg.process import ProgressCallback
from vmaftune.media.facts import shown
from vmaftune.state.workspace import workspace
from vmaftune.tiny.corpus.cache import Cache, Measurement
from vmaftune.tiny.corpus.measure import libvmaf_version, measure_pair
from vmaftune.tiny.corpus.pairs import Pair
from vmaftune.tiny.corpus.parallel import run_parallel
from vmaftune.tiny.corpus.watch import Watcher


def measured(ffmpeg: Ffmpeg, pairs: Sequence[Pair], cache: Cache, jobs: int, watcher: Watcher) -> list[Measurement]:
    """What libvmaf says of all pairs, in their order. No video is read of those that the cache knows.

    A pair that fails leaves the others to be measured and kept.

    Raises:
        UserError: some could not be measured.
        OSError: the cache cannot be written.
    """
    found = {pair.name: known for pair in pairs if (known := cache.get(pair)) is not None}
    missing = [pair for pair in pairs if pair.name not in found]
    watcher.begun(len(missing), len(found), float(sum(map(_work, missing))))
    if missing:
        failures = _measure(ffmpeg, missing, cache, jobs, watcher, found)
        if failures:
            some = f"{len(failures)} of {len(pairs)} pairs" if len(failures) > 1 else "a pair"
            raise UserError(f"{some} cannot be measured: {'such as ' if len(failures) > 1 else ''}{failures[0]}")
    return [found[pair.name] for pair in pairs]


def _measure(
    ffmpeg: Ffmpeg, missing: Sequence[Pair], cache: Cache, jobs: int, watcher: Watcher, found: dict[str, Measurement]
) -> list[str]:
    """Fill ``found``; returns why some pairs are not in it."""
    failures: list[str] = []

    def ended(pair: Pair, outcome: Measurement | VmafTuneError) -> None:
        if isinstance(outcome, VmafTuneError):
            failures.append(str(outcome))
            watcher.failed(pair.name, str(outcome), _work(pair))
        else:
            found[pair.name] = outcome
            watcher.done(f"{shown(pair.name)}: VMAF {sum(outcome.vmaf) / outcome.frames:.2f}", _work(pair))

    with workspace() as folder:
        libvmaf = libvmaf_version(ffmpeg, folder)

        def one(pair: Pair, go_on: ProgressCallback) -> Measurement:
            with cache.locked(pair):
                if (known := cache.get(pair)) is not None:  # another process has measured it since
                    return known
                own = Path(tempfile.mkdtemp(dir=folder))
                try:
                    size, metrics = measure_pair(ffmpeg, pair, own, go_on)
                finally:
                    shutil.rmtree(own, ignore_errors=True)
                return cache.put(pair, libvmaf=libvmaf, size=size, metrics=metrics)

        run_parallel(missing, one, jobs, ended)
    return failures


def _work(pair: Pair) -> int:
    """About in proportion to the time it takes: the pictures are the reference's."""
    return pair.reference.stamp.file_bytes
