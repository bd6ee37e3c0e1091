"""A file of captures: JSON Lines, each line one score, checked as a whole before anything is learned from it."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

from vmaftune.config.validate import validated
from vmaftune.contract.curves import CurveContext
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.features import NAMES, SCHEMA_VERSION, Features
from vmaftune.corpus.rows import parse_row
from vmaftune.crf_search.grid import crf_grid
from vmaftune.encoders.spec import check_preset, find_encoder, number
from vmaftune.errors import UserError
from vmaftune.learned.scales import named_scale
from vmaftune.quality.metric import Metric
from vmaftune.quality.scale import USUAL, Scale
from vmaftune.state.regular import open_regular

_LAST_UNIX_SECONDS = 4102444800.0  # the year 2100
_LARGEST_FEATURE = 1e12
_ROW_OF_CORPUS = "vmaf_mean"


class CaptureLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line.

    Attributes:
        features: of the source, in the order of vmaftune.contract.features.NAMES, or by name; null where one could not be
            measured.
        encoder, preset, crf: the encode; without a preset it is the encoder's own.
        observed: score that was measured.
        unix_seconds: when; None is now.
        scale: identity of the scale that ``observed`` is of (vmaftune.quality.scale), such as ``vmaf_v0.6.1~p5``; None is the
            usual one.
    """

    features: list[Any] | dict[str, Any]  # _features says which number is none
    encoder: str
    preset: str | None = None
    crf: float
    observed: float
    unix_seconds: Annotated[float, msgspec.Meta(ge=0.0, le=_LAST_UNIX_SECONDS)] | None = None
    scale: str | None = None


@dataclass(frozen=True, kw_only=True)
class Score:
    """One score of a source: its CRF, the score that was observed, and when in Unix time (None: now)."""

    crf: float
    observed: float
    unix_seconds: float | None


@dataclass(frozen=True, kw_only=True)
class SourceScores:
    """Consecutive lines of one source, encoder, preset and scale. ``features`` are in their order, None for an unknown one."""

    features: tuple[float | None, ...]
    encoder: EncoderSpec
    preset: str | None
    scale: Scale
    scores: list[Score]

    def context(self) -> CurveContext:
        """The curve that its scores are of: the grid of a search, and the CRFs of the scores."""
        grid = crf_grid(self.encoder, None, None, None)
        crfs = np.unique(np.concatenate([grid, [score.crf for score in self.scores]]))
        values = tuple(math.nan if value is None else value for value in self.features)
        return CurveContext(
            features=Features(schema=SCHEMA_VERSION, values=values),
            encoder=self.encoder,
            preset=self.preset,
            crfs=crfs[::-1].copy() if self.encoder.higher_is_better else crfs,
            scale=self.scale,
        )


def read_sources(
    lines: Iterable[bytes], name: str, encoders: Mapping[str, EncoderSpec], metrics: Mapping[str, Metric]
) -> list[SourceScores]:
    """The captures of a file, or rows of a corpus, by source.

    Args:
        name: of the file, for errors.
        encoders, metrics: that there are, by name.

    Raises:
        UserError: a line is neither, or there is none; the text names line and field.
    """
    sources: list[SourceScores] = []
    for line_number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        found = _one(line, f"{name}, line {line_number}", encoders, metrics)
        last = sources[-1] if sources else None
        if last is not None and _same(last, found):
            last.scores.extend(found.scores)
        else:
            sources.append(found)
    if not sources:
        raise UserError(f"{name} holds no captures")
    return sources


def file_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, ``.gz`` or not.

    Raises:
        UserError: it cannot be read.
    """
    try:
        with open_regular(path) as file, gzip.open(file) if path.suffix == ".gz" else file as lines:
            yield from lines
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"cannot read {path}: it is no whole gzip file ({error})") from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error


def _same(one: SourceScores, other: SourceScores) -> bool:
    mine, theirs = ((s.features, s.encoder, s.preset, s.scale) for s in (one, other))
    return mine == theirs


def _one(line: bytes, place: str, encoders: Mapping[str, EncoderSpec], metrics: Mapping[str, Metric]) -> SourceScores:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{place} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise UserError(f"{place} is no JSON object")
    capture = _of_corpus(line, place) if _ROW_OF_CORPUS in value else _checked(value, place)
    spec = _encoder(capture, place, encoders)
    scale = USUAL if capture.scale is None else named_scale(capture.scale, metrics, f"{place}: scale")
    least, most = metrics[scale.metric].limits(scale.model)
    if not least <= capture.observed <= most:
        raise UserError(
            f"{place}: observed = {capture.observed:g}: must be a number from {least:g} to {most:g}, as {scale} gives it"
        )
    return SourceScores(
        features=_features(capture.features, place),
        encoder=spec,
        preset=capture.preset if capture.preset is not None else spec.default_preset,
        scale=scale,
        scores=[Score(crf=capture.crf, observed=capture.observed, unix_seconds=capture.unix_seconds)],
    )


def _checked(value: dict[str, Any], place: str) -> CaptureLine:
    try:
        return validated(value, CaptureLine, place)
    except OverflowError as error:  # a whole number that no float can hold
        raise UserError(f"{place}: a number is too large") from error


def _of_corpus(line: bytes, place: str) -> CaptureLine:
    row = parse_row(line, place)
    if row.feature_schema != SCHEMA_VERSION:
        raise UserError(
            f"{place}, column feature_schema: features of schema {row.feature_schema}, this is {SCHEMA_VERSION}; "
            "measure the corpus anew"
        )
    return CaptureLine(
        features=[None if math.isnan(value) else value for value in row.features],
        encoder=row.encoder,
        preset=row.preset,
        crf=row.crf,
        observed=row.vmaf_mean,
        scale=row.score_scale.identity,
    )


def _encoder(capture: CaptureLine, place: str, encoders: Mapping[str, EncoderSpec]) -> EncoderSpec:
    try:
        spec = find_encoder(capture.encoder, encoders, None, "encoder")
        check_preset(spec, capture.preset, "preset")
    except UserError as error:
        raise UserError(f"{place}: {error}") from error
    least, most = spec.quality_range
    if not least <= capture.crf <= most:
        taken = f"{number(least)} to {number(most)}"
        raise UserError(f"{place}: crf = {capture.crf:g}: must be a number from {taken}, as {spec.name} takes it")
    return spec


def _features(given: list[Any] | dict[str, Any], place: str) -> tuple[float | None, ...]:
    if isinstance(given, dict):
        if unknown := sorted(set(given) - set(NAMES)):
            raise UserError(f"{place}: unknown feature {unknown[0]}; there is: {', '.join(NAMES)}")
        if missing := [name for name in NAMES if name not in given]:
            raise UserError(f"{place}: features.{missing[0]} is missing; null says that it could not be measured")
        given = [given[name] for name in NAMES]
    if len(given) != len(NAMES):
        raise UserError(f"{place}: features: {len(given)} numbers, must be {len(NAMES)}: {', '.join(NAMES)}")
    for name, value in zip(NAMES, given, strict=True):
        sane = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST_FEATURE
        if value is not None and not sane:
            raise UserError(
                f"{place}: features.{name} = {value!r:.40}: must be a finite number, or null where it is unknown"
            )
    return tuple(None if value is None else float(value) for value in given)
