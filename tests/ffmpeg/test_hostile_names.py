"""File names are data: any name that the file system takes is read and written as that plain file."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import FRAMES, WHOLE, Clips, Moving, Scorer, decided
from vmaftune.encoding.probe import score_files
from vmaftune.escape import filter_value
from vmaftune.features.measure import measure
from vmaftune.features.pilot import X264
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import read
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import read_facts
from vmaftune.media.samples import SampleRule, cut
from vmaftune.quality.metric import Comparison
from vmaftune.quality.vmaf import VMAF

_NAMES = [
    "-i",
    "-y -f null",
    "a:b",
    "it's",
    "'quoted'",
    '"double"',
    "100%d",
    "%03d",
    "two  spaces ",
    " leading",
    "line\nbreak",
    "tab\there",
    "[0:v]",
    "a,b",
    "a;b",
    "back\\slash",
    "\\'",
    "key=value",
    "a|b",
    "concat:a|b",
    "http:example",
    "pipe:0",
    "$HOME `id` $(id)",
    "#?*&!~",
    "éß 漢字 🎬",
]
_ids = [ascii(name) for name in _NAMES]


@pytest.mark.parametrize("name", _NAMES, ids=_ids)
def test_sources_and_temporary_folders(
    name: str, moving: Moving, clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Facts, features, samples and both ways to probe, from a file and in a folder of that name, named relatively."""
    folder = tmp_path / name
    folder.mkdir()
    shutil.copy(moving.plain, folder / f"{name}.mkv")
    monkeypatch.chdir(folder)
    source = Path(f"{name}.mkv")
    expected = Scorer(ffmpeg, tmp_path)(moving.plain)
    for one_process in (True, False):
        encoded = Scorer(ffmpeg, folder)(source, one_process=one_process)
        assert len(encoded.frame_scores) == FRAMES
        assert encoded.frame_scores.tolist() == expected.frame_scores.tolist()
    assert [path.name for path in folder.iterdir()] == [f"{name}.mkv"]


@pytest.mark.parametrize("name", _NAMES, ids=_ids)
def test_samples(name: str, clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    arguments = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "10"]
    clip = clips.lavfi("to-cut.mkv", "testsrc2=size=64x64:rate=10:duration=8", arguments)
    source = shutil.copy(clip, folder / f"{name}.mkv")
    facts = read_facts(source)
    samples = cut(source, facts, SampleRule(samples=2, duration_seconds=1), folder)
    assert [sample.path.parent for sample in samples] == [folder, folder]
    assert measure(ffmpeg, facts, samples, folder, source, plan=X264).frames == (10, 10)


@pytest.mark.parametrize("name", _NAMES, ids=_ids)
def test_a_file_named_within_a_filter_graph(name: str, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    written = tmp_path / name
    graph = f"signalstats,metadata=mode=print:file={filter_value(str(written))}"
    source = ["-f", "lavfi", "-i", "color=size=64x64:rate=5:duration=0.4"]
    process.run(ffmpeg.path, [*source, "-vf", graph, "-f", "null", "-"])
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert written.read_text().startswith("frame:0")


# The least that libvmaf takes for a model: one feature, one support vector.
_SUPPORT_VECTORS = "svm_type nu_svr\nkernel_type rbf\ngamma 0.05\nnr_class 2\ntotal_sv 1\nrho -0.5\nSV\n0.25 1:0.5 \n"
_MODEL = json.dumps(
    {
        "param_dict": {"C": 4.0, "norm_type": "clip_0to1", "score_clip": [0.0, 100.0], "nu": 0.9, "gamma": 0.05},
        "model_dict": {
            "model": _SUPPORT_VECTORS,
            "model_type": "LIBSVMNUSVR",
            "slopes": [0.01, 1.0],
            "intercepts": [0.0, 0.0],
            "feature_names": ["VMAF_integer_feature_motion2_score"],
            "norm_type": "linear_rescale",
            "score_clip": [0.0, 100.0],
            "feature_dict": {"VMAF_integer_feature": ["motion2"]},
        },
    }
)


@pytest.mark.parametrize("name", _NAMES, ids=_ids)
def test_a_vmaf_model(
    name: str, moving: Moving, ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / f"{name}.json"
    model.write_text(_MODEL)
    monkeypatch.chdir(tmp_path)
    comparison = decided(160, 90, 8, model=f"{name}.json", size="none")
    pair = (read(moving.plain), 0)
    metrics, *_ = score_files(ffmpeg, pair, pair, comparison, threads=1, folder=tmp_path)
    assert len(metrics) == FRAMES
    assert len({frame["vmaf"] for frame in metrics}) > 1, "the model was used"
    assert list(tmp_path.iterdir()) == [model], "a copy of it does not stay"


def test_the_least_model_is_not_the_built_in_one(moving: Moving, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    model.write_text(_MODEL)
    pair = (read(moving.plain), 0)
    means = []
    for name in (str(model), "vmaf_v0.6.1"):
        comparison = Comparison(metric=VMAF, model=name, size=None, pix_fmt="yuv420p")
        metrics, *_ = score_files(ffmpeg, pair, pair, comparison, threads=1, folder=tmp_path)
        means.append(sum(frame["vmaf"] for frame in metrics) / len(metrics))
    assert abs(means[0] - means[1]) > 1


def test_a_name_of_bytes_that_are_no_text(moving: Moving, clips: Clips, score: Scorer, tmp_path: Path) -> None:
    source = tmp_path / os.fsdecode(b"latin-\xe9.mkv")
    shutil.copy(moving.plain, source)
    facts = read_facts(source)
    assert len(cut(source, facts, WHOLE, tmp_path)[0].packet_bytes) == FRAMES
    assert len(score(source).frame_scores) == FRAMES
