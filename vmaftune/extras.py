"""What a person types to get the packages of an extra, whether vmaf-tune came from an index, a wheel or a checkout."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from importlib import metadata
from pathlib import Path

_DISTRIBUTION = "vmaf-tune"


def install_command(extra: str) -> str:
    """The command that installs the packages of an extra beside this vmaf-tune.

    The packages are named themselves, from the metadata of what is installed: ``vmaf-tune[plot]`` is found only where an index
    has vmaf-tune.
    """
    packages = _packages(extra) or [f"{_DISTRIBUTION}[{extra}]"]
    return " ".join([_pip(), "install", *map(shlex.quote, packages)])


def _packages(extra: str) -> list[str]:
    """Requirements of an extra without their markers (PEP 508); none where vmaf-tune runs without being installed."""
    try:
        required = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []
    parts = (line.partition(";") for line in required)
    return [name.strip() for name, _, marker in parts if re.search(rf"\bextra\s*==\s*['\"]{extra}['\"]", marker)]


def _pip() -> str:
    """``pip`` where that name is this environment's own, else the same by its interpreter."""
    found = shutil.which("pip")
    if found is not None and Path(found).parent == Path(sys.executable).parent:
        return "pip"
    return f"{shlex.quote(sys.executable)} -m pip"
