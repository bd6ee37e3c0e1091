"""A tiny model that is used: any ONNX file that takes raw canonical-6 and gives VMAF. Needs onnxruntime, no torch.

One float32 input of shape (n, 6), the frames of one clip in their order, n of any size; one float32 output of shape (n, 1) or
(n,). Files of ours name them ``features`` and ``vmaf``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.media.facts import shown
from vmaftune.models import registry
from vmaftune.models.entry import RegisteredModel
from vmaftune.models.predictor import METADATA_KEY
from vmaftune.models.session import OPSET, one_line, open_session
from vmaftune.state.regular import read_regular

CANONICAL_6 = ("adm2", "vif_scale0", "vif_scale1", "vif_scale2", "vif_scale3", "motion2")
"""The inputs of a tiny model, in the order of its columns (ADR-0244): libvmaf's features without their ``integer_``."""

_FLOAT32 = "tensor(float)"

CONTRACT = 1


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of itself, as JSON in its metadata under ``vmaftune``.

    Attributes:
        contract: version of this.
        kind: ``fr``, as in the registry.
        opset: of ONNX.
        features: names of the inputs' columns.
        architecture: name of it, and ``parameters`` how many numbers were learned.
        window: frames that a score depends on, those beside its own included.
    """

    contract: int = CONTRACT
    kind: str = "fr"
    opset: int = OPSET
    features: tuple[str, ...] = CANONICAL_6
    architecture: str
    parameters: int
    window: int


class TinyModel:
    """An opened model.

    Attributes:
        session: onnxruntime's, of one thread.
        input, output: names of its ports.
        output_shape: of the output for one frame.
        what: names it in errors.
        contract: what a file of ours says of itself; None for others.
    """

    def __init__(self, content: bytes, what: str) -> None:
        """Open ``content``.

        Raises:
            VmafTuneError: it is no ONNX file of opset 17, or does not keep the contract; the text says how.
        """
        self.session: Any = open_session(content, what)
        self.what = what
        inputs, outputs = self.session.get_inputs(), self.session.get_outputs()
        self.contract = _contract(self.session)
        self.input, self.output = (
            _port(inputs, f"{what}: input", len(CANONICAL_6)),
            _port(outputs, f"{what}: output", 1),
        )
        self.output_shape = (1,) * len(outputs[0].shape)

    def scores(self, features: FloatArray) -> FloatArray:
        """VMAF of the frames of one clip, shape (n,).

        Args:
            features: raw canonical-6 in the order of the frames, shape (n, 6).

        Raises:
            UserError: a feature is not finite.
            VmafTuneError: the model failed, or gave what is no number.
        """
        if not np.isfinite(features).all():
            frame, column = np.argwhere(~np.isfinite(features))[0]
            raise UserError(f"frame {frame}: {CANONICAL_6[column]} is not a finite number; {self.what} cannot score it")
        try:
            said = self.session.run([self.output], {self.input: features.astype(np.float32)})[0]
        except Exception as error:  # onnxruntime's errors have no base class of their own
            raise VmafTuneError(f"{self.what} failed: {one_line(error)}") from error
        scores = np.asarray(said, dtype=float).reshape(-1)
        if scores.shape != (len(features),) or not np.isfinite(scores).all():
            raise VmafTuneError(f"{self.what} gave no number for some of {len(features)} frames")
        return scores


class FrameScorer:
    """Scores frames one by one, without setting anything up for each: onnxruntime reads and writes the same two buffers.

    For models that look at each frame alone; where they do not, a frame is taken for a clip of one.
    """

    def __init__(self, model: TinyModel) -> None:
        import onnxruntime

        self._given, self._said = np.zeros((1, len(CANONICAL_6)), np.float32), np.zeros(model.output_shape, np.float32)
        # On the processor, onnxruntime's values are views of these arrays.
        given, said = map(onnxruntime.OrtValue.ortvalue_from_numpy, (self._given, self._said))
        self._binding = model.session.io_binding()
        self._binding.bind_ortvalue_input(model.input, given)
        self._binding.bind_ortvalue_output(model.output, said)
        self._run, self._held = model.session.run_with_iobinding, (given, said)

    def __call__(self, features: FloatArray) -> float:
        """VMAF of a frame from its raw canonical-6, finite, shape (6,)."""
        self._given[0] = features
        self._run(self._binding)
        return float(self._said.flat[0])


def open_tiny_model(model: str) -> tuple[TinyModel, bytes]:
    """The model of that file or registered name, and its content.

    Args:
        model: path of an ONNX file, where it ends so, else a name in the registry.

    Raises:
        UserError: there is none, it is of another kind, or it does not keep the contract.
        VmafTuneError: a shipped file is not the one that was registered.
    """
    if Path(model).suffix.lower() == ".onnx":
        try:
            content = read_regular(Path(model), 2**30)
        except OSError as error:
            raise UserError(f"cannot open {shown(model)}: {error.strerror}") from error
        return _opened(content, shown(model)), content
    entry = registry.find(model)
    if entry.kind != "fr":
        raise UserError(f"model {entry.id} is of kind {entry.kind}, not fr; {_there(registry.entries())}")
    content = registry.load(model)[1]
    return _opened(content, f"model {entry.id}"), content


def _opened(content: bytes, what: str) -> TinyModel:
    try:
        return TinyModel(content, what)
    except VmafTuneError as error:
        raise UserError(str(error)) from error


def _contract(session: Any) -> Contract | None:
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY, "")
    try:
        return msgspec.json.decode(text, type=Contract)
    except msgspec.DecodeError:
        return None


def _there(entries: tuple[RegisteredModel, ...]) -> str:
    names = [entry.id for entry in entries if entry.kind == "fr"]
    return f"those of kind fr are {', '.join(names)}" if names else "there is none of kind fr"


def _port(ports: list[Any], what: str, columns: int) -> str:
    """The name of the only port, which must be float32 of any number of rows of ``columns``."""
    if len(ports) != 1:
        raise VmafTuneError(f"{what}s are {', '.join(port.name for port in ports) or 'none'}; a tiny model has one")
    (port,) = ports
    shape = list(port.shape)
    rows, rest = (shape[0], shape[1:]) if shape else (None, None)
    fits = rest == [columns] or (columns == 1 and rest == [])
    if port.type != _FLOAT32 or not fits or isinstance(rows, int):
        raise VmafTuneError(
            f"{what} {port.name} is {port.type} of shape {shape}; a tiny model has float32 of any number of rows of {columns}"
        )
    name: str = port.name
    return name
