"""Every tool, on a small pair, through the real client: what it gives, in the shape that its schema says."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any, get_args

import av
import jsonschema
import numpy as np
import pytest
from mcp import ClientSession

from tests.cli.conftest import Program, ffmpeg
from tests.mcp.conftest import Server, said
from vmaftune.mcp_server.tool import VmafModel
from vmaftune.quality.vmaf import MODELS

NAMES = ["vmaf_score", "compare_models", "describe_worst_frames", "predict_crf", "crf_search", "list_models"]


def test_tools_are_listed_with_schemas(server: Server, clips: Path) -> None:
    async def conversation(session: ClientSession) -> Any:
        return (await session.list_tools()).tools

    tools = server.talk(conversation, clips)
    assert [tool.name for tool in tools] == NAMES
    for tool in tools:
        for schema in (tool.input_schema, tool.output_schema):
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
        assert len(tool.description) > 40 and tool.annotations.read_only_hint
        assert tool.input_schema["additionalProperties"] is False


def test_a_score_is_that_of_the_command_line(server: Server, program: Program, clip: Path, encode: Path) -> None:
    arguments = {
        "reference": clip.name,
        "distorted": str(encode),
        "vmaf_scale": "none",
        "per_frame": True,
        "pool": "p5",
    }
    result = server.call("vmaf_score", arguments, clip.parent)
    line = ["score", clip, encode, "--vmaf-scale", "none", "--per-frame", "--pool", "p5", "--json"]
    assert result.structured_content == program(*line).json == json.loads(result.content[0].text)


def test_a_score_may_be_of_another_metric_or_model(server: Server, clip: Path, encode: Path) -> None:
    arguments = {"reference": clip.name, "distorted": str(encode), "metric": "xpsnr"}
    report = server.call("vmaf_score", arguments, clip.parent).structured_content
    assert (report["metric"], report["unit"], report["vmaf"]) == ("xpsnr", "dB", None) and report["score"] > 10
    assert "vmaf_v1.0.16_5d0h" in MODELS and set(MODELS) == set(get_args(VmafModel))
    asked = {"source": clip.name, "encoder": "libx264", "preset": "ultrafast", "min_xpsnr": 36, "tolerance": 1}
    found = server.call("crf_search", asked, clip.parent).structured_content
    assert found["target_met"] and found["metric"] == "xpsnr" and found["vmaf"] is None and found["score"] >= 36
    asked = {"source": clip.name, "encoder": "libx264", "metric": "xpsnr", "min_vmaf": 90}
    assert "--min-vmaf is of VMAF" in said(server.call("crf_search", asked, clip.parent))


def test_raw_video_is_scored_by_its_geometry(server: Server, clip: Path, encode: Path, tmp_path: Path) -> None:
    for name, source in (("a.yuv", clip), ("b.yuv", encode)):
        ffmpeg("-i", source, "-f", "rawvideo", "-pix_fmt", "yuv420p", tmp_path / name)
    arguments = {"reference": "a.yuv", "distorted": "b.yuv", "vmaf_scale": "none"}
    whole = server.call(
        "vmaf_score", {"reference": clip.name, "distorted": encode.name, "vmaf_scale": "none"}, clip.parent
    )
    raw = server.call("vmaf_score", {**arguments, "width": 192, "height": 108, "fps": 24.0}, tmp_path)
    assert raw.structured_content["vmaf"] == pytest.approx(whole.structured_content["vmaf"], abs=1e-6)
    assert "how large its pictures are" in said(server.call("vmaf_score", arguments, tmp_path))


def test_a_search_is_verified(server: Server, program: Program, clip: Path) -> None:
    arguments = {"source": clip.name, "encoder": "libx264", "preset": "ultrafast", "min_vmaf": 90, "vmaf_scale": "none"}
    found = server.call("crf_search", {**arguments, "plugins": ["ridge-sidecar"]}, clip.parent).structured_content
    assert found["target_met"] and found["vmaf"] >= 90 and found["message"] is None
    assert found["crf"] in [probe["crf"] for probe in found["probes"]]
    assert "pictures at their own size is made from that of vmaf_v0.6.1" in found["notes"][-1]
    assert program.search(clip)["crf"] == found["crf"]


def test_a_target_that_cannot_be_met_is_an_answer(server: Server, clip: Path) -> None:
    arguments = {"source": clip.name, "encoder": "libx264", "min_vmaf": 99.9, "min_crf": 40.0, "vmaf_scale": "none"}
    found = server.call("crf_search", arguments, clip.parent).structured_content
    assert found["target_met"] is False and "cannot be met" in found["message"]


def test_a_prediction_says_that_it_is_none_but_that(server: Server, program: Program, clip: Path) -> None:
    arguments = {"source": clip.name, "encoder": "libx264", "min_vmaf": 80}
    predicted = server.call("predict_crf", arguments, clip.parent).structured_content
    curve = program("predict", "-i", clip, "-e", "libx264", "--json").json
    assert predicted["crf"] == max(crf for crf, vmaf in zip(curve["crfs"], curve["vmaf"], strict=True) if vmaf >= 80)
    assert predicted["verified"] is False and predicted["target_expected"] is True
    assert predicted["low"] < predicted["vmaf"] < predicted["high"] and len(predicted["curve"]) == 13
    unheard = server.call("predict_crf", {**arguments, "min_vmaf": 100}, clip.parent).structured_content
    assert unheard["target_expected"] is False and unheard["crf"] == curve["crfs"][0]


def test_models_are_listed(server: Server, program: Program, clips: Path) -> None:
    listed = server.call("list_models", {}, clips).structured_content
    assert [model["id"] for model in listed["models"]] == [m["id"] for m in program("models", "list", "--json").json]
    assert "vmaf_v0.6.1" in listed["vmaf_models"]


def test_models_are_held_against_the_real_one(server: Server, program: Program, clip: Path, encode: Path) -> None:
    pair = {"reference": clip.name, "distorted": encode.name, "vmaf_scale": "none"}
    compared = server.call("compare_models", pair, clip.parent).structured_content
    listed = program("models", "list", "--json").json
    tiny = [model["id"] for model in listed if model["kind"] == "fr"]
    assert [score["model"] for score in compared["scores"]] == ["vmaf_v0.6.1", "vmaf_v0.6.1neg", *tiny]
    first, second, *small = compared["scores"]
    assert (first["off"], first["rmse"], first["plcc"]) == (0, 0, 1) and compared["frames"] == 12
    line = ["score", clip, encode, "--vmaf-scale", "none", "--json", "--vmaf-model"]
    assert first["vmaf"] == pytest.approx(program(*line, "vmaf_v0.6.1").json["vmaf"], abs=1e-5)
    assert second["vmaf"] == pytest.approx(program(*line, "vmaf_v0.6.1neg").json["vmaf"], abs=1e-5)
    assert second["off"] < 0 and second["rmse"] >= -second["off"]
    assert all(score["kind"] == "tiny" and score["rmse"] > 0 for score in small)


def test_the_worst_frames_are_shown_beside_their_reference(server: Server, clip: Path, encode: Path) -> None:
    pair = {"reference": clip.name, "distorted": encode.name, "vmaf_scale": "none"}
    scores = server.call("vmaf_score", {**pair, "per_frame": True}, clip.parent).structured_content["per_frame"]
    result = server.call("describe_worst_frames", {**pair, "count": 2, "apart": 3, "picture_width": 96}, clip.parent)
    worst = result.structured_content["worst"]
    assert worst[0]["index"] == int(np.argmin(scores)) and abs(worst[0]["index"] - worst[1]["index"]) >= 3
    for frame in worst:
        assert frame["vmaf"] == pytest.approx(scores[frame["index"]])
        assert frame["time_seconds"] == pytest.approx(frame["index"] / 24, abs=1e-3)
        assert set(frame["features"]) >= {"adm2", "motion2"}
    captions, images = result.content[1::2], result.content[2::2]
    assert [image.mime_type for image in images] == ["image/png"] * 2
    assert [f"frame {frame['index']}," in c.text for frame, c in zip(worst, captions, strict=True)] == [True, True]
    for image in images:
        with av.open(io.BytesIO(base64.b64decode(image.data))) as container:
            picture = next(container.decode(video=0))
        assert (picture.width, picture.height) == (192, 54)
    bare = server.call("describe_worst_frames", {**pair, "pictures": False}, clip.parent)
    assert [content.type for content in bare.content] == ["text"] and len(bare.structured_content["worst"]) == 3


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("vmaf_score", {"reference": "clip.mkv"}, "missing required field `distorted`"),
        ("vmaf_score", {"reference": "clip.mkv", "distorted": "clip.mkv", "vmaf_model": "/etc/x.json"}, "vmaf_model"),
        ("vmaf_score", {"reference": "clip.mkv", "distorted": "longer.mkv", "vmaf_scale": "none"}, "cannot be paired"),
        ("crf_search", {"source": "clip.mkv", "vfilter": "movie=/etc/x"}, "unknown field `vfilter`"),
        ("crf_search", {"source": "clip.mkv", "encoder": "--enc"}, "encoder"),
        ("crf_search", {"source": "clip.mkv", "encoder": "nosuch"}, "nosuch"),
        ("crf_search", {"source": "clip.mkv", "min_vmaf": 101}, "--min-vmaf 101 must be above 0 and at most 100"),
        ("crf_search", {"source": "clip.mkv", "plugins": ["nosuch"]}, "nosuch"),
        (
            "compare_models",
            {"reference": "clip.mkv", "distorted": "clip.mkv", "models": ["nosuch"]},
            "no full-reference",
        ),
        ("describe_worst_frames", {"reference": "clip.mkv", "distorted": "clip.mkv", "count": 1000}, "count"),
        ("nosuch", {}, "there is no tool 'nosuch'; there is: vmaf_score"),
    ],
)
def test_a_mistake_is_one_line(server: Server, clips: Path, tool: str, arguments: dict[str, Any], words: str) -> None:
    async def conversation(session: ClientSession) -> Any:
        return await session.call_tool(tool, arguments)

    assert words in said(server.talk(conversation, clips))
