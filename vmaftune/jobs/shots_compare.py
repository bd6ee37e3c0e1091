"""What one CRF for the whole comes to at the score that shots together have: the gain of a CRF for each."""

from __future__ import annotations

import math

import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.crf_search.engine import told_probe
from vmaftune.crf_search.prober import Prober
from vmaftune.host.run import PluginRun
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.shots_report import OneCrf, WholeEncode

_MOST_ENCODES = 6
_NEAR_CRF = 1.0  # between two CRFs so near, size and score are as good as linear in each other


def one_crf(
    prober: Prober,
    crfs: FloatArray,
    crf: float,
    mean: FloatArray,
    score: float,
    encoded_bytes: int,
    seconds: float,
    run: PluginRun,
    observer: JobObserver,
) -> OneCrf | None:
    """Encode the whole at CRFs around the one that gives ``score``.

    Args:
        prober: of the whole.
        crfs: the grid, shape (n,), from the best quality to the coarsest.
        crf: where to begin.
        mean: score that the whole is believed to have at each CRF, shape (n,); only its slope is used.
        score, encoded_bytes: of the shots together, measured.
        seconds: length of the whole.

    Returns:
        None where no two encodes lie around that score.
    """
    made: dict[int, WholeEncode] = {}
    step = float(crfs[1] - crfs[0]) if len(crfs) > 1 else 1.0
    near = max(1, round(_NEAR_CRF / step))
    place = int(np.argmin(np.abs(crfs - crf)))
    for number in range(1, _MOST_ENCODES + 1):
        made[place] = _encode(prober, float(crfs[place]), number, seconds, run, observer)
        above = max((n for n, encode in made.items() if encode.score >= score), default=None)
        below = min((n for n, encode in made.items() if encode.score < score), default=None)
        if above is not None and below is not None and below - above <= near:
            return _between(made[above], made[below], score, encoded_bytes)
        following = _next(made, place, mean, score, above, below, near)
        if following in made or not 0 <= following < len(crfs):
            break
        place = following
    return None


def _next(
    made: dict[int, WholeEncode],
    last: int,
    mean: FloatArray,
    score: float,
    above: int | None,
    below: int | None,
    near: int,
) -> int:
    """The place to encode at: where the believed slope says, and half of ``near`` beyond, so that two soon lie around."""
    if above is not None and below is not None:
        upper, lower = made[above], made[below]
        share = (upper.score - score) / max(1e-9, upper.score - lower.score)
        found = round(above + share * (below - above))
        return min(max(found, above + 1), below - 1)
    slope = min(-1e-3, float(np.gradient(mean)[last]))
    away = (score - made[last].score) / slope
    beyond = math.copysign(max(1, near // 2), away)
    return int(np.clip(round(last + away + beyond), 0, len(mean) - 1))


def _encode(
    prober: Prober, crf: float, number: int, seconds: float, run: PluginRun, observer: JobObserver
) -> WholeEncode:
    record = prober.cached().get(crf)
    if record is None:
        request = prober.request(number, crf)
        record = told_probe(request, lambda: prober.probe(crf, observer.progress), run, observer)
    else:
        observer.probed(record)
    return WholeEncode(
        metric=record.scale.metric, crf=crf, score=record.score, bytes=round(record.bitrate_kbps * 1000 / 8 * seconds)
    )


def _between(above: WholeEncode, below: WholeEncode, score: float, encoded_bytes: int) -> OneCrf:
    share = (above.score - score) / max(1e-9, above.score - below.score)
    size = math.exp((1 - share) * math.log(above.bytes) + share * math.log(below.bytes))
    return OneCrf(
        above=above, below=below, bytes=round(size), saved_percent=round(100.0 * (1.0 - encoded_bytes / size), 3)
    )
