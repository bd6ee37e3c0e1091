"""A registry of the user's own, as the tests of models have it."""

from __future__ import annotations

from tests.models.conftest import own

__all__ = ["own"]
