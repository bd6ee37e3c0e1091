"""vmaf-tune: encode video to a quality.

A plugin needs one import::

    from vmaftune import hookimpl

A program needs one too, see vmaftune.api::

    import vmaftune

    vmaftune.search("film.mkv", encoder="libx265", min_vmaf=93).crf
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from vmaftune.contract.markers import PLUGIN_API, PROJECT, hookimpl, hookspec

if TYPE_CHECKING:
    from vmaftune.api import encode as encode
    from vmaftune.api import predict as predict
    from vmaftune.api import score as score
    from vmaftune.api import search as search
    from vmaftune.api import worst_frames as worst_frames

__version__ = "0.1.0"

__all__ = ["PLUGIN_API", "PROJECT", "__version__", "hookimpl", "hookspec"]

_API = ("encode", "predict", "score", "search", "worst_frames")


def __getattr__(name: str) -> Any:
    """The functions of vmaftune.api, imported when they are used: a plugin's import stays light."""
    if name in _API:
        return getattr(importlib.import_module("vmaftune.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
