"""What broken plugins of every kind have in common, and how the checks that fail are found."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
from vmaftune_plugins.encoders import vmaftune_encoders

from vmaftune.contract import EncoderSpec, Metric
from vmaftune.host.manager import PluginManager, Spec
from vmaftune.testing import ContractError, NotChecked, checks_for

ENCODERS = {spec.name: spec for spec in vmaftune_encoders() if spec.name in ("libx264", "libsvtav1")}


class OutOfItsRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Its default is one that a configuration could not say."""

    strength: Annotated[int, msgspec.Meta(ge=1)] = 0


class NoDefault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """It needs a configuration."""

    strength: int


class TakesAnything(msgspec.Struct, frozen=True):
    """It does not refuse a key."""


def write_elsewhere() -> None:
    path = Path(tempfile.gettempdir(), "vmaf-tune-broken-plugin")
    path.touch()
    path.unlink(missing_ok=True)


def look_a_name_up() -> None:
    socket.getaddrinfo("localhost", 80)


def talk_to_this_host() -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect_ex("/nobody/listens/here")


def failures(spec: Spec | EncoderSpec | Metric) -> dict[str, str]:
    """What failed, and why, of all checks of a spec where ENCODERS are installed."""
    manager = PluginManager(entry_points=())
    manager.encoders.update(ENCODERS)
    failed = {}
    for check in checks_for(spec, manager=manager):
        try:
            check()
        except ContractError as error:
            failed[check.name] = str(error)
        except NotChecked:
            pass
    return failed
