"""Models, shipped and the user's own: a registry with a hash for each, and files that are used only when theirs matches."""

from vmaftune.models.entry import ModelEntry, RegisteredModel
from vmaftune.models.registry import UnknownModel, entries, find, load, read, register

__all__ = ["ModelEntry", "RegisteredModel", "UnknownModel", "entries", "find", "load", "read", "register"]
