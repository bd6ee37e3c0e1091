"""``train predictor``: a corpus becomes a model that is used, or one line says why not, before time is spent on it."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cli.conftest import Ended, Program
from tests.training.build import made_rows
from tests.training.conftest import NEEDED
from vmaftune.corpus.rows import CorpusRow, packed, read_rows

for module in NEEDED:
    pytest.importorskip(module, reason=f"training needs {module}: pip install 'vmaf-tune[train]'")

FEW = ("--steps", "20")
KILLED = """
import os, signal, sys
from vmaftune.cli import main
from vmaftune.state import atomic

write = atomic.write

def killed(path, content):
    if path.name == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, content)

atomic.write = killed
main(sys.argv[2:])
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return written(tmp_path / "rows.jsonl.gz", made_rows(noise=0.15))


def written(path: Path, rows: list[CorpusRow]) -> Path:
    path.write_bytes(packed(rows))
    return path


def train(program: Program, *arguments: str | Path) -> Ended:
    return program("train", "predictor", *arguments, *FEW)


def refused(program: Program, *arguments: str | Path) -> str:
    ended = train(program, *arguments)
    assert ended.code == 2 and ended.out == "" and not program.models.exists(), ended
    return ended.complaint()


# --- A model -----------------------------------------------------------------------------------------------------------


def test_a_model_is_made_registered_and_used(program: Program, corpus: Path, clip: Path, tmp_path: Path) -> None:
    ended = train(program, corpus, "--id", "mine", "--seed", "3")
    assert ended.code == 0 and ended.err == "training on 240 rows, a network for each source left out\n", ended
    first, second, compared, last = ended.out.splitlines()
    assert first.startswith("libsvtav1 8 ") and second.startswith("libx264 medium ") and "24 curves  error " in first
    assert compared.startswith("not compared with mlp_v1-") and last.startswith("registered mine-")
    files = {path.name for path in program.models.iterdir()} - {"registry.json", "registry.json.lock"}
    assert files == {"mine.onnx", "mine.rows.jsonl.gz", "mine.md", "mine.held-out.png"}
    assert len(read_rows(program.models / "mine.rows.jsonl.gz")) == 240

    listed = {row["id"]: row for row in program("models", "list", "--json").json}["mine"]
    assert listed["encoders"] == ["libsvtav1 8", "libx264 medium"] and listed["metrics"]["mae_vmaf"] > 0
    assert "2 curves of 37 knots are finite and fall" in program("models", "verify", "mine").out
    shown = program("models", "show", "mine").out
    assert "| libsvtav1 8 |" in shown and "Seed 3." in shown and listed["version"] in shown

    (tmp_path / "vmaf-tune.toml").write_text('[plugins.mlp]\nmodel = "mine"\n')
    curve = program("predict", "-i", clip, "-e", "libx264", "--preset", "medium", "--json", cwd=tmp_path).json
    assert curve["predictor"] == f"mlp@{listed['version']}"

    assert train(program, corpus, "--id", "mine", "--seed", "4").code == 0
    assert "Seed 4." in program("models", "show", "mine").out and program("models", "verify", "mine").code == 0
    assert (program.models / "mine.onnx").exists(), "a run that has just read of the old one still finds it"


def test_rows_can_be_left_out_and_what_is_left_out_besides_is_said(program: Program, tmp_path: Path) -> None:
    rows = made_rows()
    mixed = [msgspec.structs.replace(row, ffmpeg="n8.0") if row.crf > 40 else row for row in rows[1:]]
    bare = [msgspec.structs.replace(rows[0], features=(*rows[0].features[:-1], float("nan")))]
    more = [msgspec.structs.replace(row, encoder="libaom-av1", preset="6") for row in rows[40:80]]
    single = [msgspec.structs.replace(rows[0], height=360)]
    corpus = written(tmp_path / "rows.jsonl.gz", [*bare, *mixed, *more, *single])
    assert "mixes rows of ffmpeg 8 and 9" in refused(program, corpus, "--id", "mine")
    left_out = ("--exclude", "film 16", "--exclude", "film 17", "--allow-mixed")
    ended = train(program, corpus, "--id", "mine", *left_out, "-o", tmp_path / "else" / "where")
    assert ended.code == 0 and not program.models.exists(), ended
    assert "1 of 261 rows left out: a feature of theirs, such as the pilot, could not be measured" in ended.err
    assert "vmaf-tune: 1 curve with fewer than 3 CRFs left out" in ended.err
    assert "not learned, for want of 15 sources or of the encoder's plugin: libaom-av1 6" in ended.out
    kept = {row.source for row in read_rows(tmp_path / "else" / "where" / "mine.rows.jsonl.gz")}
    assert len(kept) == 16 and not kept & {"film 16", "film 17"}


def test_a_worse_model_is_refused_unless_it_is_forced(program: Program) -> None:
    """On the shipped corpus, all of whose curves it can be compared on."""
    worse = ("train", "predictor", "--id", "worse", "--steps", "2")
    ended = program(*worse)
    assert ended.code == 2 and "libx265 medium" in ended.out and not program.models.exists()
    complaint = ended.err.splitlines()[-1]
    assert complaint.startswith("vmaf-tune: held out on the curves of mlp_v1-") and "--force" in complaint
    assert program(*worse, "--force").code == 0
    assert program("models", "verify", "worse").code == 0


# --- Refused before any time is spent ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--id", "../mine"], "--id: id '../mine' must be letters, digits"),
        (["--id", ""], "--id: id '' must be letters, digits"),
        (["--id", "mlp_v1"], "mlp_v1 is the name of a model that vmaf-tune ships"),
        (["--id", "population_v2"], "population_v2 is the name of a model that vmaf-tune ships"),
        ([], "missing option '--id'"),
        (["--id", "mine", "--seed", "-1"], "invalid value for '--seed'"),
        (["--id", "mine", "--seed", "99999999999999999999"], "invalid value for '--seed'"),
    ],
)
def test_a_name_or_number_that_is_wrong(program: Program, corpus: Path, arguments: list[str], why: str) -> None:
    assert why in refused(program, corpus, *arguments)


def test_a_folder_that_cannot_be_written(program: Program, corpus: Path) -> None:
    text = refused(program, corpus, "--id", "mine", "-o", corpus / "models")
    assert text == f"cannot write a model to {corpus / 'models'}: Not a directory"


def test_a_registry_that_is_broken(program: Program, corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "registry.json").write_text("{")
    assert "is no registry of models" in refused(program, corpus, "--id", "mine", "-o", tmp_path)


@pytest.mark.parametrize("module", NEEDED)
def test_what_training_needs_and_is_not_installed(program: Program, corpus: Path, module: str) -> None:
    script = f"import sys; sys.modules['{module}'] = None\nfrom vmaftune.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", script, "train", "predictor", str(corpus), "--id", "mine"]
    done = subprocess.run(command, env=program.env(), capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == "" and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"vmaf-tune: training needs {module} (")
    assert "pip install " in done.stderr and "'torch>=" in done.stderr


# --- A corpus that is bad ----------------------------------------------------------------------------------------------


def lines(change: Callable[[dict[str, Any]], object]) -> bytes:
    """Two sources' rows, the last changed."""
    rows = [msgspec.to_builtins(row) for row in made_rows(sources=2)]
    change(rows[-1])
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            lines(lambda row: row.pop("vmaf_mean")),
            "line 30, column vmaf_mean is no corpus row: Object missing required field `vmaf_mean`",
        ),
        (lines(lambda row: None).replace(b'"vmaf_mean":', b'"vmaf_mean":NaN,"x":'), "line 1, column vmaf_mean: nan"),
        (lines(lambda row: row.update(vmaf_mean=101.0)), "line 30, column vmaf_mean: 101.0 must be 0 to 100"),
        (lines(lambda row: row.update(ffmpeg="n8.0")), "mixes rows of ffmpeg 8 and 9"),
        (lines(lambda row: row.update(feature_schema=1)), "features of schema 1"),
        (lines(lambda row: row.update(crf=15.0, encoder="libx264", clip="film 00", source="film 01")), "film 00"),
        (lines(lambda row: None), "holds 2 sources: training needs at least 5"),
        (b"no row\n", "line 1 is no corpus row"),
        (b"", "holds no row"),
    ],
)
def test_a_row_that_is_wrong_is_named(program: Program, tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    text = refused(program, path, "--id", "mine")
    assert why in text and str(path) in text


def test_a_corpus_that_is_none(program: Program, corpus: Path, tmp_path: Path) -> None:
    assert "No such file" in refused(program, tmp_path / "missing.jsonl", "--id", "mine")
    assert "holds one source" in refused(program, written(tmp_path / "one.jsonl.gz", made_rows(sources=1)), "--id", "m")
    few = written(tmp_path / "few.jsonl.gz", made_rows(sources=14))
    ended = train(program, few, "--id", "mine")
    assert ended.code == 2 and "of 14 sources for one encoder and preset: training needs 15" in ended.complaint()
    assert "2 times" in refused(program, corpus, corpus, "--id", "mine")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(gzip.decompress(corpus.read_bytes()))[:-40])
    assert "is it complete?" in refused(program, tmp_path / "cut.jsonl.gz", "--id", "mine")


# --- Ended from outside ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_leaves_nothing(program: Program, corpus: Path, number: int, code: int) -> None:
    child = program.start("train", "predictor", corpus, "--id", "mine", "--steps", "100000")
    assert child.stderr is not None and b"training on" in child.stderr.readline()
    os.kill(child.pid, number)
    _, rest = child.communicate(timeout=180)
    assert child.returncode == code and rest.strip() == (b"vmaf-tune: interrupted" if code == 130 else b"")
    assert not program.models.exists() and program.left_behind() == []


@pytest.mark.parametrize("file", ["registry.json", "mine.held-out.png"])
def test_a_kill_at_any_write_leaves_a_whole_registry(program: Program, corpus: Path, file: str) -> None:
    command = [sys.executable, "-c", KILLED, file, "train", "predictor", str(corpus), "--id", "mine", *FEW]
    assert subprocess.run(command, env=program.env(), capture_output=True).returncode == -signal.SIGKILL
    there = [row["id"] for row in program("models", "list", "--json").json]
    assert ("mine" in there) is (file == "mine.held-out.png") and program("models", "verify").code == 0
