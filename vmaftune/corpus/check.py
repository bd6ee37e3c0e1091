"""Whether rows can be learned from together, or rows added to those there are: one line that says why not."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from vmaftune.contract.features import SCHEMA_VERSION
from vmaftune.corpus.rows import CorpusRow
from vmaftune.errors import UserError
from vmaftune.quality.scale import Scale
from vmaftune.quality.vmaf import MODEL_4K, MODEL_HD

LEAST_SOURCES = 5
"""Sources that training needs, to hold some out."""
LEAST_CRFS = 3
"""CRFs that a curve needs to be one."""

_RELEASE = re.compile(r"n?(\d+)\.")


def check_corpus(rows: Sequence[CorpusRow], what: str, *, allow_mixed: bool = False) -> None:
    """Raise unless all ``rows`` were measured in one way and come from enough sources.

    Args:
        what: what the rows are, at the beginning of the line, such as the file's name.
        allow_mixed: rows of several major versions of ffmpeg, whose encoders differ, may stand together.

    Raises:
        UserError: they cannot be learned from.
    """
    if not rows:
        raise UserError(f"{what} holds no row")
    _check_schema(rows, what)
    _check_once(rows, what)
    _check_models(rows, what)
    versions = sorted({_major(row.ffmpeg) for row in rows})
    if len(versions) > 1 and not allow_mixed:
        raise UserError(
            f"{what} mixes rows of ffmpeg {' and '.join(versions)}, whose encoders differ: measure it with one"
        )
    _check_sources(rows, what)


def check_more(rows: Sequence[CorpusRow], sources: Mapping[str, str], ffmpeg: str, what: str) -> None:
    """Raise unless rows of ``sources``, measured now, can stand beside ``rows``.

    Args:
        sources: for each clip, the source it is of.
        ffmpeg: version that is to measure them.

    Raises:
        UserError: they cannot.
    """
    _check_schema(rows, what)
    for row in rows:
        if _major(row.ffmpeg) != _major(ffmpeg):
            raise UserError(f"{what} was measured with ffmpeg {row.ffmpeg}, this is {ffmpeg}: name another file")
        source = sources.get(row.clip, row.source)
        if source != row.source:
            raise UserError(f"{what} has {row.clip} as a clip of {row.source}, and now it is one of {source}")


def drop_short_curves(rows: Iterable[CorpusRow]) -> tuple[list[CorpusRow], int]:
    """Leave out curves with fewer than LEAST_CRFS different CRFs.

    Returns:
        The other rows, in their order, and how many curves were left out.
    """
    curves: dict[tuple[str, int, str, str | None], set[float]] = defaultdict(set)
    listed = list(rows)
    for row in listed:
        curves[row.key[:4]].add(row.crf)
    short = {curve for curve, crfs in curves.items() if len(crfs) < LEAST_CRFS}
    return [row for row in listed if row.key[:4] not in short], len(short)


def _check_schema(rows: Sequence[CorpusRow], what: str) -> None:
    for row in rows:
        if row.feature_schema != SCHEMA_VERSION:
            raise UserError(
                f"{what} holds features of schema {row.feature_schema}, this is {SCHEMA_VERSION}: measure it anew"
            )


def _check_once(rows: Sequence[CorpusRow], what: str) -> None:
    key, times = Counter(row.key for row in rows).most_common(1)[0]
    if times > 1:
        clip, height, encoder, preset, crf = key
        raise UserError(f"{what} holds {clip} at height {height}, {encoder} {preset} CRF {crf:g}, {times} times")


def _check_models(rows: Sequence[CorpusRow], what: str) -> None:
    scales = {row.score_scale for row in rows}
    if len(scales) > 1 and scales != {Scale(model=MODEL_HD), Scale(model=MODEL_4K)}:
        mixed = ", ".join(sorted(scale.identity for scale in scales))
        raise UserError(f"{what} mixes VMAF models that do not compare: {mixed}")
    of: dict[tuple[str, int], str] = {}
    for row in rows:
        model = of.setdefault((row.clip, row.height), row.vmaf_model)
        if model != row.vmaf_model:
            raise UserError(
                f"{what} has {row.clip} at height {row.height} scored by two models, {model} and {row.vmaf_model}"
            )


def _check_sources(rows: Sequence[CorpusRow], what: str) -> None:
    of: dict[str, str] = {}
    for row in rows:
        source = of.setdefault(row.clip, row.source)
        if source != row.source:
            raise UserError(
                f"{what} has {row.clip} as a clip of {source} and of {row.source}, so it cannot be held out"
            )
    count = len(set(of.values()))
    if count < LEAST_SOURCES:
        sources = "one source" if count == 1 else f"{count} sources"
        raise UserError(f"{what} holds {sources}: training needs at least {LEAST_SOURCES} to hold some out")


def _major(version: str) -> str:
    """``9`` of ``n9.0.2-17-g2a571b6``; a build without a release's number is a version of its own."""
    release = _RELEASE.match(version)
    return release[1] if release else version
