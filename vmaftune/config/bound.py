"""Values of ``[search]`` that are said of an encoder: they go with the ``encoder`` beside them, and with no other one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from vmaftune.config.schema import SearchTable

BOUND = ("preset", "pix_format", "min_crf", "max_crf", "crf_increment", "enc")


def other_encoder(named: str | None, before: str | None) -> bool:
    """Whether ``named`` replaces the encoder that values were said of; where none was, they are of whichever is used."""
    return named is not None and before is not None and named != before


def search_for(search: SearchTable, encoder: str | None) -> SearchTable:
    """The table without what it says of its own encoder, where another one is used."""
    if not other_encoder(encoder, search.encoder):
        return search
    return msgspec.structs.replace(search, **{name: None for name in BOUND if hasattr(search, name)})


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Options over options; those above with another encoder keep nothing that was said of the one below."""
    if other_encoder(above.get("encoder"), below.get("encoder")):
        below = {name: value for name, value in below.items() if name not in BOUND}
    return {**below, **above}
