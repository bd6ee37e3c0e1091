"""The corpus that a model was made from, as the learner uses it: to rehearse, and as the gate's reference."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from vmaftune_plugins.trainers.encoded import Encoding, LeftOut, Rows

from vmaftune import models
from vmaftune.contract import Scale
from vmaftune.contract.features import SCHEMA_VERSION
from vmaftune.corpus.rows import CorpusRow, parse_rows
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.models import RegisteredModel

_ENDING = ".jsonl.gz"
_REFERENCE_OF = 4


@dataclass(frozen=True, kw_only=True)
class OwnCorpus:
    """Rows of a model's own corpus.

    The model was fitted to all of them. Were whole sources kept from rehearsal, its fit to those would fade to what it
    is on any source it never saw, whatever else it learns; so the reference is rows of all sources.

    Attributes:
        content: of the file.
        rehearsal: most rows, shape (n, d + 5).
        reference: the others, a fixed quarter, which the trainer never trains on.
        scales: of what scales its scores are; the model knows no other.
    """

    content: bytes
    rehearsal: Rows
    reference: Rows
    scales: frozenset[Scale]


def own_corpus(model: RegisteredModel, encoding: Encoding) -> OwnCorpus:
    """The corpus of a model.

    Raises:
        UserError: it is not installed, or it is none.
    """
    needed = f"the trainer rehearses the corpus of model {model.id}, and its gate needs it"
    if not model.data.endswith(_ENDING):
        raise UserError(f"{model.data} of model {model.id} is no corpus: {needed}")
    try:
        content = models.read(model, model.data, model.data_sha256)
    except VmafTuneError as error:
        raise UserError(f"{error}: {needed}") from error
    parts: tuple[list[Rows], list[Rows]] = ([], [])
    rows = parse_rows(content, model.data)
    for encoded in _encoded(rows, encoding):
        parts[_is_reference(encoded)].append(encoded)
    rehearsal, reference = (np.array(part, dtype=np.float32).reshape(-1, encoding.width) for part in parts)
    if not (len(rehearsal) and len(reference)):
        raise UserError(f"{model.data} of model {model.id} has too few rows of the model's encoders: {needed}")
    scales = frozenset(row.score_scale for row in rows)
    return OwnCorpus(content=content, rehearsal=rehearsal, reference=reference, scales=scales)


def _encoded(rows: Iterable[CorpusRow], encoding: Encoding) -> Iterator[Rows]:
    for row in rows:
        if row.feature_schema != SCHEMA_VERSION:
            continue
        with contextlib.suppress(LeftOut):  # encoders that had too few sources for the model to be trained on them
            yield encoding.row(row.encoder, row.preset, row.crf, row.features, row.vmaf_mean)


def _is_reference(row: Rows) -> bool:
    return hashlib.blake2b(row.tobytes(), digest_size=1).digest()[0] % _REFERENCE_OF == 0
