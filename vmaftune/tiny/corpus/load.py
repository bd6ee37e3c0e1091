"""A corpus as a table of frames: what training and evaluation read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.models.full_reference import CANONICAL_6
from vmaftune.tiny.corpus.cache import Cache, Measurement, default_folder
from vmaftune.tiny.corpus.guess import Told
from vmaftune.tiny.corpus.measure import MODEL
from vmaftune.tiny.corpus.mos import read_mos
from vmaftune.tiny.corpus.pairs import Pair, list_pairs
from vmaftune.tiny.corpus.warm import measured
from vmaftune.tiny.corpus.watch import Watcher
from vmaftune.tiny.table import FrameTable

_NOTHING_TOLD = Told()
_NOBODY = Watcher()


def load_table(
    corpus: Path,
    ffmpeg: Ffmpeg,
    *,
    cache: Path | None = None,
    jobs: int = 1,
    told: Told = _NOTHING_TOLD,
    mos: Path | None = None,
    watcher: Watcher = _NOBODY,
) -> FrameTable:
    """Features and targets of every frame of a corpus in the Netflix layout, clip after clip in the order of their names.

    What the cache knows is not measured again, and no video of it is opened.

    Args:
        corpus: folder with ``ref/`` and ``dis/``, and a ``manifest.json`` where names do not say enough.
        cache: folder of measurements; None takes ``$VMAF_TINY_AI_CACHE``, else ``~/.cache/vmaf-tiny-ai``.
        jobs: ffmpeg processes at a time.
        told: geometry of raw files.
        mos: CSV file with subjective scores of the clips, which then are the targets; None takes vmaf_v0.6.1 of each frame.
        watcher: told how the measurement goes.

    Raises:
        UserError: the corpus or the scores are wrong, or a pair cannot be measured.
        OSError: the cache cannot be written.
    """
    pairs = list_pairs(corpus, told, watcher.warned)
    scores = read_mos(mos, [pair.name for pair in pairs]) if mos is not None else None
    folder = cache if cache is not None else default_folder()
    known = measured(ffmpeg, pairs, Cache(folder, ffmpeg.version, MODEL, watcher.warned), jobs, watcher)
    return _table(pairs, known, scores)


def _table(pairs: Sequence[Pair], known: Sequence[Measurement], mos: dict[str, float] | None) -> FrameTable:
    counts = [each.frames for each in known]
    source_names = tuple(sorted({pair.source for pair in pairs}))
    places = {name: place for place, name in enumerate(source_names)}
    targets = [
        np.full(each.frames, mos[pair.name]) if mos else each.vmaf for pair, each in zip(pairs, known, strict=True)
    ]
    return FrameTable(
        features=np.concatenate([np.array([each.features[name] for name in CANONICAL_6]).T for each in known]),
        scores=np.concatenate(targets).astype(np.float64),
        clips=np.repeat(np.arange(len(pairs)), counts),
        clip_names=tuple(pair.name for pair in pairs),
        sources=np.repeat(np.array([places[pair.source] for pair in pairs]), counts),
        source_names=source_names,
        frames=np.concatenate([np.arange(count) for count in counts]),
    )
