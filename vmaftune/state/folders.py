"""Where things are kept on this host (XDG base directories and their counterparts, through platformdirs)."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

APPLICATION = "vmaf-tune"


def cache_folder() -> Path:
    """``<cache>/vmaf-tune``; ``XDG_CACHE_HOME`` moves it on every platform, as ADR-0394's layout promises."""
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / APPLICATION
    return Path(platformdirs.user_cache_dir(APPLICATION, appauthor=False))


def config_file() -> Path:
    """The user's own configuration file."""
    return Path(platformdirs.user_config_dir(APPLICATION, appauthor=False)) / "vmaf-tune.toml"


def share_key_file() -> Path:
    """The private key that signs what this host shares of what it has learned."""
    return Path(platformdirs.user_data_dir(APPLICATION, appauthor=False)) / "share.key"


def models_folder() -> Path:
    """Where models of the user's own are registered; ``VMAFTUNE_MODELS`` moves it."""
    if folder := os.environ.get("VMAFTUNE_MODELS"):
        return Path(folder)
    return Path(platformdirs.user_data_dir(APPLICATION, appauthor=False)) / "models"
