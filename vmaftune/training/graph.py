"""An ONNX graph that is written down node by node."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vmaftune.errors import VmafTuneError
from vmaftune.models.session import OPSET

_IR_VERSION = 8

Shape = Sequence["int | str"]


class Graph:
    """Nodes and constants of a model to be. Constants are float32, those of integers int64."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        """Put a constant in; returns its name."""
        kind = np.int64 if value.dtype.kind in "iu" else np.float32
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype=kind), name))
        return name

    def __call__(self, operator: str, name: str, *inputs: str, **attributes: Any) -> str:
        """Put a node in whose output is ``name``; returns that."""
        self._nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def model(
        self,
        name: str,
        inputs: Mapping[str, Shape],
        outputs: Mapping[str, Shape],
        metadata: Mapping[str, str],
        operators: Collection[str],
    ) -> bytes:
        """The model file; the same graph gives the same bytes.

        Args:
            inputs, outputs: shapes by name, all float32; a dimension that is a text may be of any size.
            operators: those that may be in it.

        Raises:
            VmafTuneError: another operator is in it, or onnx finds the model wrong.
        """
        if others := {node.op_type for node in self._nodes} - set(operators):
            raise VmafTuneError(f"{name} has operators that are not plain: {', '.join(sorted(others))}")
        given, said = (
            [helper.make_tensor_value_info(port, TensorProto.FLOAT, list(shape)) for port, shape in named.items()]
            for named in (inputs, outputs)
        )
        model = helper.make_model(
            helper.make_graph(self._nodes, name, given, said, initializer=self._constants),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=_IR_VERSION,
            producer_name="vmaf-tune",
        )
        helper.set_model_props(model, dict(metadata))
        try:
            onnx.checker.check_model(model, full_check=True)
        except onnx.checker.ValidationError as error:
            raise VmafTuneError(f"{name} is no valid ONNX model: {error}") from error
        content: bytes = model.SerializeToString(deterministic=True)
        return content
