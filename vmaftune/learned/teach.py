"""Teaching corrections from captures that were made before, each source predicted before its scores are learned."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vmaftune.errors import PluginError, VmafTuneError
from vmaftune.host.run import PluginRun
from vmaftune.learned.captures import SourceScores
from vmaftune.quality.scale import Scale


@dataclass(frozen=True, kw_only=True)
class Taught:
    """One capture as it was learned.

    Attributes:
        encoder, preset: of the encode.
        scale: of what scale its scores are.
        predictor_version: that predicted it.
        predicted, corrected: score before and after all corrections, as of what was learned until then.
        observed: score.
    """

    encoder: str
    preset: str | None
    scale: Scale
    predictor_version: str
    predicted: float
    corrected: float
    observed: float


def teach(
    run: PluginRun, sources: Sequence[SourceScores], on_source: Callable[[SourceScores], None] = lambda source: None
) -> list[Taught]:
    """Predict each source, then let the corrections that are on learn its scores.

    Args:
        run: with strict plugins, so that none falls silent midway.
        on_source: told of each source that was learned.

    Raises:
        VmafTuneError: a plugin failed; what came before is learned.
    """
    taught: list[Taught] = []
    total = sum(len(source.scores) for source in sources)
    try:
        for source in sources:
            for one in _taught(run, source):
                taught.append(one)
            on_source(source)
    except PluginError as error:
        raise VmafTuneError(f"{error}; {len(taught)} of {total} captures were learned before") from error
    return taught


def _taught(run: PluginRun, source: SourceScores) -> Iterator[Taught]:
    context = source.context()
    curve = run.predict(context)
    place = {crf: index for index, crf in enumerate(context.crfs.tolist())}
    predicted, corrected = (np.clip(each.mean, *curve.limits) for each in (curve.bare, curve.corrected))
    for score in source.scores:
        index = place[score.crf]
        when = time.time() if score.unix_seconds is None else score.unix_seconds
        run.learn(curve, index, score.observed, when)
        yield Taught(
            encoder=source.encoder.name,
            preset=source.preset,
            scale=source.scale,
            predictor_version=curve.predictor_version,
            predicted=float(predicted[index]),
            corrected=float(corrected[index]),
            observed=score.observed,
        )
