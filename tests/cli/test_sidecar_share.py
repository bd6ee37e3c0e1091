"""``sidecar export`` and ``import``: anonymised, signed, added once, and nothing else in the file."""

from __future__ import annotations

import getpass
import json
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from vmaftune_plugins.encoders import vmaftune_encoders

from tests.cli.conftest import SIDECAR, USUAL, Program, capture_lines
from vmaftune.learned.allowed import census, check_version

X264_SPEC = next(spec for spec in vmaftune_encoders() if spec.name == "libx264")


@pytest.fixture
def other(tmp_path: Path) -> Program:
    home = tmp_path / "other"
    home.mkdir()
    return Program(home=home)


def _exported(program: Program) -> Path:
    ended = program("sidecar", "export", "bundle.json", "--yes")
    assert ended.code == 0, ended.err
    return program.home / "bundle.json"


def _captures(program: Program) -> list[int]:
    return [row["state"]["captures"] for row in program("sidecar", "status", "--json").json["states"]]


def test_export_tells_what_it_holds_and_asks(taught: Program) -> None:
    ended = taught("sidecar", "export", "bundle.json")
    assert ended.code == 2 and "nothing was written: there is no terminal to ask on; say --yes" in ended.complaint()
    assert "nothing is uploaded" in ended.out and "48 captures of 12 sources" in ended.out
    assert "history 48 packed numbers" in ended.out
    assert not (taught.home / "bundle.json").exists() and not (taught.home / "data").exists()


def test_a_bundle_is_added_exactly_once(taught: Program, other: Program) -> None:
    bundle = _exported(taught)
    key = taught.home / "data" / "vmaf-tune" / "share.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    asked = other("sidecar", "import", bundle)
    assert asked.code == 2 and "nothing was added" in asked.complaint() and "is signed by the key" in asked.out
    first = other("sidecar", "import", bundle, "--yes")
    assert first.code == 0 and first.out.splitlines()[-1].endswith(": 48 captures added")
    again = other("sidecar", "import", bundle, "--yes")
    assert again.code == 0 and "nothing added: all of it is known here" in again.out
    assert _captures(other) == [48]
    shown = [p("sidecar", "show", "libx264", "--json").json["shift_vmaf"] for p in (taught, other)]
    assert shown[0] == pytest.approx(shown[1], abs=1e-6)


def test_ones_own_bundle_brings_back_what_was_forgotten(taught: Program) -> None:
    bundle = _exported(taught)
    assert "nothing added: all of it is known here" in taught("sidecar", "import", bundle, "--yes").out
    assert taught("sidecar", "reset", "--all", "--yes").code == 0
    assert "signed by this host" in taught("sidecar", "import", bundle, "--yes").out
    assert _captures(taught) == [48]


def test_nothing_of_host_and_sources_is_in_it(program: Program, clip: Path) -> None:
    secret = program.home / "alices wedding.mkv"
    secret.write_bytes(clip.read_bytes())
    searched = program("crf-search", "-i", secret, *USUAL, "--min-vmaf", "90", *SIDECAR)
    assert searched.code == 0, searched.err
    text = _exported(program).read_text()
    uuid = (program.cache / "sidecar" / "host_uuid").read_text().strip()
    for name in (uuid, uuid.replace("-", ""), "wedding", "alice", ".mkv", str(program.home)):
        assert name.lower() not in text.lower()
    words = set(
        re.split(r"[^A-Za-z0-9]+", " ".join(found for found in re.findall(r'"([^"]*)"', text) if len(found) < 64))
    )
    assert {"libx264", "ultrafast", "luma"} <= words and not {socket.gethostname(), getpass.getuser()} & words
    from vmaftune.media.facts import read_facts
    from vmaftune.media.fingerprint import fingerprint
    from vmaftune.state.store import Store

    assert fingerprint(secret, Store(None)) not in text and read_facts(secret).codec not in text
    assert all(
        row[-1] % 86400 == 0 for learned in json.loads(text)["contents"] for row in learned["content"]["history"]
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: b["contents"][0].update(captures=49), "the signature does not fit"),
        (lambda b: b["contents"][0]["content"]["history"].pop(), "the signature does not fit"),
        (lambda b: b.update(plugin="other"), "the signature does not fit"),
        (lambda b: b.update(signature="x"), "the signature does not fit"),
        (lambda b: b.update(public_key=""), "the signature does not fit"),
        (lambda b: b.update(format="x"), "is no bundle of vmaf-tune sidecar export"),
        (lambda b: b.update(version=2), "is a bundle of version 2"),
        (lambda b: b.update(more=1), "is no bundle of vmaf-tune sidecar export"),
        (lambda b: b.clear(), "is no bundle of vmaf-tune sidecar export"),
    ],
)
def test_a_bundle_that_was_changed_is_refused(change: Any, said: str, signed_bundle: bytes, tmp_path: Path) -> None:
    from vmaftune.errors import UserError
    from vmaftune.learned.bundle import opened

    bundle = json.loads(signed_bundle)
    (tmp_path / "b.json").write_text(json.dumps(bundle, indent=1))
    assert opened(tmp_path / "b.json")[0].plugin == "ridge-sidecar"  # white space is no change
    change(bundle)
    (tmp_path / "b.json").write_text(json.dumps(bundle))
    with pytest.raises(UserError, match=said):
        opened(tmp_path / "b.json")


@pytest.fixture(scope="module")
def signed_bundle(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    from vmaftune.learned.bundle import Learned, signed
    from vmaftune.learned.key import SigningKey

    content = {"captures": 1, "history": [["medium", 1.5, True, None, 1.7e9 // 86400 * 86400]]}
    learned = Learned(predictor_version="v-1", encoder="libx264", captures=1, sources=1, content=content)
    return signed("ridge-sidecar", [learned], SigningKey(tmp_path_factory.mktemp("key") / "share.key"))


def test_a_changed_bundle_is_one_line(taught: Program) -> None:
    bundle = _exported(taught)
    bundle.write_text(bundle.read_text().replace('"captures":48', '"captures":47'))
    ended = taught("sidecar", "import", bundle, "--yes")
    assert ended.code == 2 and ended.complaint().startswith(f"{bundle}: the signature does not fit")


@pytest.mark.parametrize(
    "content",
    [
        {"source": 1},
        {"captures": -1},
        {"captures": 1.5},
        {"history": [["/home/alice/film.mkv"]]},
        {"history": [["ZmlsbXMvYWxpY2Uvd2VkZGluZy5ta3Y="]]},
        {"history": [["0f3c" * 16]]},
        {"history": [["L2hvbWUvYWxpY2UvZmlsbXMvMjAyNi93ZWRkaW5nLm1rdg=="]]},
        {"history": [[1.7e9 + 5]]},
        {"history": [[1e300]]},
        {"history": [[{"name": 1}]]},
        {"host_uuid": "8c5b5c5e-6f0e-4d0f-8f0e-2f6b2b1f6a11"},
        {"imported": ["0f3c" * 16]},
        {"presets": {"alice": {}}},
        {"presets": {"medium": {"path": 1}}},
        {"feature_names": ["luma_mean", "alice"]},
    ],
    ids=str,
)
def test_what_may_not_leave_the_host_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"may not|may be there|must hold|no preset"):
        census(content, "v-1", X264_SPEC)


@pytest.mark.parametrize("version", ["../x", "", ".x", "a/b", "a b", "x" * 200])
def test_a_version_names_a_folder_and_no_more(version: str) -> None:
    with pytest.raises(ValueError, match="is no version"):
        check_version(version)


def test_nothing_learned_is_nothing_to_export(program: Program) -> None:
    ended = program("sidecar", "export", "bundle.json", "--yes")
    assert ended.code == 2 and "nothing was learned yet" in ended.complaint()


def test_without_cryptography_it_says_how_to_install_it(program: Program) -> None:
    script = "import sys; sys.modules['cryptography'] = None\nfrom vmaftune.cli import main; main(sys.argv[1:])"
    for name in ("export", "import"):
        command = [sys.executable, "-c", script, "sidecar", name, "x.json"]
        done = subprocess.run(command, env=program.env(), cwd=program.home, capture_output=True, text=True)
        assert done.returncode == 2 and "pip install 'cryptography>=" in done.stderr


def test_hosts_that_import_each_others_bundles_in_turn_hold_each_capture_once(taught: Program, other: Program) -> None:
    (other.home / "captures.jsonl").write_text(
        capture_lines(14, offset=-6.0)
    )  # the 12 sources of the first host, and two more
    assert other("sidecar", "record", "captures.jsonl").code == 0
    for _ in range(2):
        for giver, taker in ((taught, other), (other, taught)):
            (taker.home / "theirs.json").write_bytes(_exported(giver).read_bytes())
            assert taker("sidecar", "import", "theirs.json", "--yes").code == 0
    assert _captures(taught) == _captures(other) == [56]
    shown = [p("sidecar", "show", "libx264", "--json").json["shift_vmaf"] for p in (taught, other)]
    assert shown[0] == shown[1]
