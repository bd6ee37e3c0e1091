"""The names that tie a plugin to the host: the project, its entry-point group, and the markers of its hooks."""

from __future__ import annotations

import pluggy

PLUGIN_API = 1
"""Version of the plugin API. A plugin may declare the one it was written for as ``vmaftune_api = 1``."""

PROJECT = "vmaftune"
"""Name of the pluggy project and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
