"""Models, shipped and the user's own: a registry with a hash for each, and files that are used only when theirs matches."""

from vmaftune.models.entry import ModelEntry, RegisteredModel
from vmaftune.models.registry import UnknownModel, entries, find, forget, load, read, register
from vmaftune.models.stable import LATEST_STABLE, promote, promoted, rollback

__all__ = [
    "LATEST_STABLE",
    "ModelEntry",
    "RegisteredModel",
    "UnknownModel",
    "entries",
    "find",
    "forget",
    "load",
    "promote",
    "promoted",
    "read",
    "register",
    "rollback",
]
