"""Opening a network: what it computes, and one clear line for everything that can be wrong with the file."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.models import build
from vmaftune.errors import VmafTuneError
from vmaftune.models.predictor import open_model
from vmaftune.models.session import OnnxruntimeMissing, open_session


def refused(content: bytes, **fields: Any) -> str:
    with pytest.raises(VmafTuneError) as caught:
        open_model(content, "model own")
    text = str(caught.value)
    assert text.startswith("model own") and "\n" not in text and caught.value.exit_code == 1
    return text


def test_every_curve_comes_out_as_it_was_put_in() -> None:
    network = open_model(build.network(), "model own")
    features = build.ORDINARY + np.arange(len(build.ORDINARY))
    for i, weights in enumerate(np.eye(len(build.CURVES))):
        mean, covariance = network.run(features, weights)
        assert mean.shape == (build.KNOTS,) and covariance.shape == (build.KNOTS, build.KNOTS)
        assert mean.dtype == covariance.dtype == np.float64
        assert mean == pytest.approx(build.means()[i] + features @ build.slopes(), abs=1e-4)
        assert covariance == pytest.approx(build.covariances()[i], rel=1e-5)


def test_the_contract_is_read() -> None:
    contract = open_model(build.network(), "model own").contract
    assert contract.knots == build.KNOTS and contract.curves[0].encoder == "libx264"
    assert [(c.encoder, c.preset, c.low, c.high) for c in contract.curves] == list(build.CURVES)


def test_the_same_input_gives_the_same_bits_in_another_session() -> None:
    weights = np.full(len(build.CURVES), 1.0 / len(build.CURVES))
    first, second = (open_model(build.network(), "model own").run(build.ORDINARY, weights) for _ in range(2))
    assert (first[0] == second[0]).all() and (first[1] == second[1]).all()


def test_one_thread_and_the_processor() -> None:
    options = open_session(build.network(), "model own").get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert open_session(build.network(), "model own").get_providers() == ["CPUExecutionProvider"]


@pytest.mark.parametrize("garbage", [b"", b"\x00", b"{}", b"PK\x03\x04" * 9, b"\xff" * 99, b"\x7fELF" + bytes(99)])
def test_what_is_no_onnx_is_refused(garbage: bytes) -> None:
    refused(garbage)


def test_a_file_that_was_cut_anywhere_is_refused() -> None:
    content = build.network()
    for length in [*range(0, len(content), 37), len(content) - 1]:
        refused(content[:length])
    assert "is not a whole ONNX file (it ends after" in refused(content[:-1])


@pytest.mark.parametrize("opset", [16, 18])
def test_another_opset_is_refused(opset: int) -> None:
    assert refused(build.network(opset=opset)) == f"model own is of ONNX opset {opset}, not 17"


def test_only_the_opset_of_onnx_itself_counts() -> None:
    def custom_first(model: onnx.ModelProto) -> None:
        del model.opset_import[:]
        model.opset_import.extend([helper.make_opsetid("com.microsoft", 1), helper.make_opsetid("ai.onnx", 17)])

    open_model(build.network(custom_first), "model own")
    assert "it declares no opset" in refused(build.network(lambda model: model.opset_import.pop()))


def test_an_operator_that_onnxruntime_does_not_have_is_refused() -> None:
    def unknown(model: onnx.ModelProto) -> None:
        model.graph.node[0].op_type = "Divine"

    assert "cannot be opened" in refused(build.network(unknown)) and "Divine" in refused(build.network(unknown))


def test_a_name_that_is_no_text_is_refused_without_a_word_on_the_output(capfd: pytest.CaptureFixture[str]) -> None:
    refused(build.network().replace(b"MatMul", b"Mat\xff\xffl"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["features", "curve", "mean", "covariance"])
def test_a_port_of_another_name_is_refused(name: str) -> None:
    text = refused(build.network(build.renamed(name, "other")))
    side = "inputs" if name in ("features", "curve") else "outputs"
    assert f"has the {side}" in text and "other" in text and name in text.split("wants")[1]


def test_a_port_too_many_is_refused() -> None:
    def third(model: onnx.ModelProto) -> None:
        model.graph.input.append(helper.make_tensor_value_info("third", TensorProto.FLOAT, [1]))
        model.graph.node.append(helper.make_node("Identity", ["third"], ["unused"]))
        model.graph.output.append(helper.make_tensor_value_info("unused", TensorProto.FLOAT, [1]))

    assert "has the inputs curve, features, third" in refused(build.network(third))


@pytest.mark.parametrize(
    ("name", "shape"), [("features", [1, "d"]), ("features", ["batch", len(build.ORDINARY)]), ("curve", [1, "m"])]
)
def test_a_port_of_another_shape_is_refused(name: str, shape: list[int | str]) -> None:
    assert f"input {name} is tensor(float)" in refused(build.network(build.declared("input", name, shape)))


def test_features_that_the_contract_does_not_count_are_refused() -> None:
    text = refused(build.network(metadata=build.contract(features=["fps"])))
    assert (
        f"input features is tensor(float) [1, {len(build.ORDINARY)}], its contract wants tensor(float) [1, 1]" in text
    )


def test_knots_that_the_contract_does_not_count_are_refused() -> None:
    text = refused(build.network(metadata=build.contract(knots=6)))
    assert "output mean is tensor(float) [1, 5], its contract wants tensor(float) [1, 6]" in text


def test_a_port_of_another_type_is_refused() -> None:
    def doubled(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
        model.graph.node[0].input[0] = "single"
        model.graph.node.insert(0, helper.make_node("Cast", ["features"], ["single"], to=TensorProto.FLOAT))

    assert "input features is tensor(double)" in refused(build.network(doubled))


def test_a_file_without_metadata_is_refused() -> None:
    text = refused(build.network(lambda model: model.metadata_props.pop()))
    assert text == "model own has no metadata 'vmaftune': it is no predictor made by vmaf-tune"


CURVE = {"encoder": "libx264", "preset": "medium", "low": 10, "high": 46, "sources": 9}


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ("", "truncated"),
        ("not JSON", "malformed"),
        ('{"more": ' + "[" * 100_000, ""),
        ("[]", "Expected `object`"),
        ("{}", "missing required field `contract`"),
        (build.contract(contract=2), "it keeps contract 2, this vmaf-tune knows 1"),
        (build.contract(opset=16), "opset 16 is not 17"),
        (build.contract(knots=1), "a curve of 1 knots"),
        (build.contract(knots="5"), "Expected `int`, got `str` - at `$.knots`"),
        (build.contract(features=[]), "feature names must be there"),
        (build.contract(features=["fps", "fps"]), "feature names must be there, each once"),
        (build.contract(curves=[]), "curves must be there"),
        (build.contract(curves=[CURVE, CURVE]), "each encoder and preset once"),
        (build.contract(curves=[{**CURVE, "low": 46}]), "the knots of libx264 go from CRF 46 to 46"),
        (build.contract(curves=[{**CURVE, "preset": 8}]), "Expected `str | null`, got `int` - at `$.curves[0].preset`"),
    ],
)
def test_metadata_that_is_wrong_is_refused(metadata: object, why: str) -> None:
    text = refused(build.network(metadata=metadata))
    assert "its metadata 'vmaftune' is wrong: " in text and why in text


def test_metadata_that_is_no_text_is_refused() -> None:
    content = build.network()
    assert "its metadata 'vmaftune' is wrong: " in refused(content.replace(b'"veryfast"', b'"very\xff\xfest"'))


def test_a_network_that_fails_is_one_line() -> None:
    network = open_model(build.network(), "model own")
    with pytest.raises(VmafTuneError, match=r"^model own failed: .*features") as caught:
        network.run(build.ORDINARY[1:], np.eye(len(build.CURVES))[0])
    assert "\n" not in str(caught.value)


def test_without_onnxruntime_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(OnnxruntimeMissing, match="pip install --force-reinstall onnxruntime"):
        open_model(build.network(), "model own")


def test_nothing_is_printed_and_onnx_is_not_needed() -> None:
    """onnxruntime would print of what it finds on a host, and of a broken file, to standard error."""
    script = (
        "import sys\nfrom vmaftune.models.predictor import open_model\n"
        "for content in (sys.stdin.buffer.read(), b'garbage'):\n"
        "    try: open_model(content, 'model own')\n"
        "    except Exception as error: print(error)\n"
        "print([name for name in ('onnx', 'torch', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], input=build.network(), capture_output=True)
    assert done.stderr == b"" and done.stdout.splitlines()[-1] == b"[]" and len(done.stdout.splitlines()) == 2
