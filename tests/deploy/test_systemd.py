"""The user unit: systemd takes it, its command exists, and it may do little."""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.chart import ROOT
from tests.deploy.commands import parsed
from vmaftune.state.folders import cache_folder

UNIT = ROOT / "deploy" / "systemd" / "vmaf-tune-trainer.service"


def _service() -> dict[str, str]:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(UNIT, "utf-8")
    return dict(unit["Service"])


def test_the_command_exists_and_serves_where_clients_look(monkeypatch: pytest.MonkeyPatch) -> None:
    from vmaftune.trainer.socketfile import default_socket

    monkeypatch.delenv("VMAFTUNE_TRAINER_SOCKET", raising=False)
    service = _service()
    options = parsed(shlex.split(service["ExecStart"]))
    assert options["socket"] is options["folder"] is None and options["metrics_port"] == 9464
    assert cache_folder().name == service["CacheDirectory"]
    assert default_socket(cache_folder()).is_relative_to(cache_folder())


def test_it_may_do_little() -> None:
    service = _service()
    on = [
        "NoNewPrivileges",
        "PrivateTmp",
        "PrivateUsers",
        "LockPersonality",
        "RestrictNamespaces",
        "RestrictSUIDSGID",
    ]
    assert all(service[name] == "yes" for name in on)
    assert service["ProtectSystem"] == "strict" and service["UMask"] == "0077"
    assert service["CacheDirectoryMode"] == "0700"
    assert service["MemoryMax"] and service["RestrictAddressFamilies"].split() == ["AF_UNIX", "AF_INET"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_systemd_takes_it(tmp_path: Path) -> None:
    # Everything but the program, which is not installed where the unit looks for it.
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text("utf-8").replace("%h/.local/bin/vmaf-tune", "/bin/true"), "utf-8")
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", unit], capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
