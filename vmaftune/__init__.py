"""vmaf-tune: encode video to a quality.

A plugin needs one import::

    from vmaftune import hookimpl
"""

from __future__ import annotations

import pluggy

__version__ = "0.1.0"

PLUGIN_API = 1
"""Version of the plugin API. A plugin may declare the one it was written for as ``vmaftune_api = 1``."""

PROJECT = "vmaftune"
"""Name of the pluggy project and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
