"""Files that are read whole, with bytes that rotted: each is read as it was, or refused in one line of the right error."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from vmaftune_plugins.trainers.replay_buffer import ReplayBuffer
from vmaftune_plugins.trainers.snapshot import Progress, packed, unpacked

from tests.mutations import mutated
from vmaftune import models
from vmaftune.batch.messages import Result
from vmaftune.batch.queue import Queue, Wanted
from vmaftune.config.load import load_config
from vmaftune.contract.learner import Sample
from vmaftune.corpus.rows import RowWriter
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.learned.key import SigningKey
from vmaftune.media.facts import check_is_file
from vmaftune.models.entry import decode, encode
from vmaftune.models.session import open_session
from vmaftune.models.stable import promote, promoted
from vmaftune.state.regular import open_regular, read_regular
from vmaftune.tiny.corpus.manifest import Manifest, read_manifest
from vmaftune.tiny.tablefile import read_table
from vmaftune.trainer.segments import read_segment, record

_SAMPLE = Sample(
    id="a", encoder="libx264", preset="medium", crf=23.0, features=(1.0, 2.0), true_score=93.5, unix_seconds=1.79e9
)


def _refused(read: Callable[[], object], *errors: type[Exception]) -> None:
    try:
        read()
    except errors as error:
        assert "\n" not in str(error).strip() or not isinstance(error, VmafTuneError), error


def test_a_configuration(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    text = b'[search]\nencoder = "libx264"\nmin-vmaf = 93\n[plugins.ridge-sidecar]\nlambda = 1.0\nenabled = true\n'
    for content in mutated(text, 150):
        file.write_bytes(content)
        _refused(lambda: load_config(file), UserError)


@pytest.mark.parametrize(
    "content", [b"a = " + b"[" * 50_000, b"a = " + b"{a = " * 50_000, b"[plugins.x." + b"a." * 2_000 + b"a]\nx = 1"]
)
def test_a_configuration_that_is_nested_too_deep(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"own\.toml"):
        load_config(file)


def test_a_registry_and_what_is_stable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMAFTUNE_MODELS", str(tmp_path))
    shipped = models.entries()[0]
    names = models.entries()[0].__struct_fields__[:-1]
    entry = msgspec.convert({name: getattr(shipped, name) for name in names} | {"id": "mine"}, models.ModelEntry)
    promote(tmp_path, "mine")
    for file, whole in (
        ("registry.json", encode([entry])),
        ("latest-stable.json", (tmp_path / "latest-stable.json").read_bytes()),
    ):
        for content in mutated(whole, 150):
            (tmp_path / file).write_bytes(content)
            _refused(models.entries if file == "registry.json" else lambda: promoted(tmp_path), UserError)
        (tmp_path / file).write_bytes(whole)
    with pytest.raises(ValueError):
        decode(encode([entry]).replace(b"mine", b"m\xffne"))


def test_a_model() -> None:
    whole = models.load("mlp_v1")[1]
    for content in [
        *mutated(whole, 10),
        b"",
        b"garbage",
        whole[:1000],
        *(whole[:at] for at in (1, 64, len(whole) - 1)),
    ]:
        _refused(lambda content=content: open_session(content, "m.onnx"), VmafTuneError)  # type: ignore[misc]


def test_a_segment_of_the_spool(tmp_path: Path) -> None:
    file, lines = tmp_path / "segment", [record(msgspec.structs.replace(_SAMPLE, id=f"s{n}")) for n in range(20)]
    ids = {f"s{n}" for n in range(20)}
    for content in mutated(b"".join(lines), 200):
        file.write_bytes(content)
        found = [sample for sample in read_segment(file)[0] if sample is not None]
        assert len(found) >= 0 and {sample.id for sample in found} <= ids


def test_a_snapshot_and_a_buffer(tmp_path: Path) -> None:
    buffer = ReplayBuffer(10, 3)
    for number in range(8):
        buffer.push(np.full(3, number))
    file = tmp_path / "buffer.npz"
    buffer.snapshot(file)
    for content in mutated(file.read_bytes(), 100):
        file.write_bytes(content)
        _refused(lambda: ReplayBuffer.restore(file), ValueError)
    progress = Progress(base="mlp_v1-1a2b3c4d", optimiser="sgd")
    whole = packed(progress, np.random.default_rng(1), {"buffer": buffer.state()})
    for content in mutated(whole, 100):
        _refused(lambda content=content: unpacked(content), ValueError)  # type: ignore[misc]


def test_a_table_of_frames_and_a_manifest(tmp_path: Path) -> None:
    content = io.BytesIO()
    np.savez_compressed(content, format=np.int32(1), columns=np.array(["a"]), scores=np.arange(50))
    file = tmp_path / "table.npz"
    for rotten in mutated(content.getvalue(), 100):
        file.write_bytes(rotten)
        _refused(lambda: read_table(file), UserError)
    whole = msgspec.json.encode(Manifest(sources={"clip": "film", "other": "film"}))
    for rotten in mutated(whole, 150):
        (tmp_path / "manifest.json").write_bytes(rotten)
        _refused(lambda: read_manifest(tmp_path), UserError)


def test_a_queue(tmp_path: Path) -> None:
    (tmp_path / "a.mkv").write_bytes(b"x")
    wanted = [Wanted(file=tmp_path / "a.mkv", output=None, options={"min_vmaf": 93.0, "encoder": "libx264"})]
    with contextlib.closing(Queue(tmp_path / "queue.sqlite")) as queue:
        queue.add(wanted)
        row = queue.claim(None)
        assert row is not None and queue.end(row.id, Result(code=0, reason=None, report={"crf": 28.0}))
    whole = (tmp_path / "queue.sqlite").read_bytes()

    def use(file: Path) -> None:
        with contextlib.closing(Queue(file)) as queue:
            list(queue.rows())
            queue.counts()
            queue.add(wanted)
            queue.recover()

    for number, content in enumerate(mutated(whole, 60)):
        file = tmp_path / f"{number}.sqlite"
        file.write_bytes(content)
        _refused(lambda file=file: use(file), VmafTuneError)  # type: ignore[misc]
    for column, cell in (
        ("options", b"\xff"),
        ("options", "[]"),
        ("report", "{"),
        ("state", 3),
        ("file", "text"),
        ("losses", "x"),
    ):
        with contextlib.closing(Queue(tmp_path / "queue.sqlite")) as queue:
            queue._database.execute(f"UPDATE jobs SET {column} = ?", (cell,))
        _refused(lambda: use(tmp_path / "queue.sqlite"), VmafTuneError)
        (tmp_path / "queue.sqlite").write_bytes(whole)


@pytest.mark.skipif(os.name != "posix", reason="devices and pipes are POSIX's")
def test_what_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (Path("/dev/zero"), Path("/dev/full"), pipe):
        for read in (open_regular, read_regular):
            with pytest.raises(OSError, match="no regular file"):
                read(path)
        with pytest.raises(UserError, match="no regular file"):
            RowWriter(path)
        with pytest.raises(UserError, match="no regular file"):
            load_config(path)
        with pytest.raises(UserError, match="no regular file"):
            check_is_file(path)
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(2**24 + 1)
    with pytest.raises(OSError, match="larger than 17 MB"):
        read_regular(large)


_OPENED = """
import sys, resource
from pathlib import Path
import vmaftune.learned.bundle as bundle
from vmaftune.learned.key import SigningKey
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
from vmaftune.corpus.rows import RowWriter
from vmaftune.errors import UserError
try:
    bundle.opened(Path(sys.argv[1]))
except UserError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kB on Linux")
def test_a_large_bundle_costs_little_before_its_signature_was_checked(tmp_path: Path) -> None:
    """15 MB of small values, which take 30 times that when they are decoded."""
    pytest.importorskip("cryptography")
    key = SigningKey(tmp_path / "share.key").public(make=True)
    assert key is not None
    end = b'"format":"vmaf-tune learned state","plugin":"x","public_key":"%b","signature":"%b","version":1}'
    values = b",".join([b"[]"] * 5_000_000)
    file = tmp_path / "bundle.json"
    file.write_bytes(b'{"contents":[' + values + b"]," + end % (base64.b64encode(key), base64.b64encode(bytes(64))))
    ended = subprocess.run([sys.executable, "-c", _OPENED, str(file)], capture_output=True, text=True, check=True)
    said, megabytes = ended.stdout.splitlines()
    assert "the signature does not fit" in said and int(megabytes) < 120, ended.stdout
    with file.open("ab") as appended:
        appended.write(b" " * 2_000_000)
    ended = subprocess.run([sys.executable, "-c", _OPENED, str(file)], capture_output=True, text=True, check=True)
    said, megabytes = ended.stdout.splitlines()
    assert "larger than" in said and int(megabytes) < 10, ended.stdout
