"""ONNX files are opened here and nowhere else: one thread, the processor, and one clear line where a file is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from vmaftune.errors import VmafTuneError

OPSET = 17
"""Of ONNX's own operators; every model of ours is of this one."""

_ERRORS_ONLY = 3
_OPSET_IMPORT = 8  # field of ModelProto (onnx.proto)
_DOMAIN, _VERSION = 1, 2  # fields of OperatorSetIdProto
_ONNX_DOMAINS = (b"", b"ai.onnx")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class OnnxruntimeMissing(VmafTuneError):
    """onnxruntime is not installed, or cannot be used on this host."""


def open_session(content: bytes, what: str) -> Any:
    """An onnxruntime session of an ONNX file; the same input gives the same output, bit for bit, on one host.

    Args:
        content: of the file.
        what: names it in errors.

    Raises:
        OnnxruntimeMissing: onnxruntime cannot be imported.
        VmafTuneError: the file is not ONNX, not whole, or not of opset 17.
    """
    # Nothing leaves the host: onnxruntime otherwise begins to collect telemetry, in a file of its own, when it is imported.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        raise OnnxruntimeMissing(
            f"onnxruntime cannot be used ({error}); pip install --force-reinstall onnxruntime"
        ) from error
    opset = _opset(content, what)
    if opset is None:
        raise VmafTuneError(f"{what} is no ONNX file: it declares no opset")
    if opset != OPSET:
        raise VmafTuneError(f"{what} is of ONNX opset {opset}, not {OPSET}")
    onnxruntime.set_default_logger_severity(_ERRORS_ONLY)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.use_deterministic_compute = True
    options.log_severity_level = _ERRORS_ONLY
    providers = ["CPUExecutionProvider"]
    try:
        # Its fallback would only try the same again, and say so on standard output, where a program reads the result.
        return onnxruntime.InferenceSession(content, options, providers=providers, enable_fallback=0)
    except Exception as error:  # its errors have no base class of their own
        raise VmafTuneError(f"{what} cannot be opened: {one_line(error)}") from error


def one_line(error: Exception) -> str:
    """What onnxruntime says, without its codes."""
    return " ".join(str(error).rpartition(" : ")[2].split()) or type(error).__name__


def _opset(content: bytes, what: str) -> int | None:
    """The opset that a ModelProto declares for ONNX's own operators. onnxruntime does not tell it."""
    opset = None
    try:
        for number, value in _fields(content):
            if number == _OPSET_IMPORT and isinstance(value, bytes):
                declared = dict(_fields(value))
                version = declared.get(_VERSION)
                if declared.get(_DOMAIN, b"") in _ONNX_DOMAINS and isinstance(version, int):
                    opset = version
    except ValueError as error:
        raise VmafTuneError(f"{what} is not a whole ONNX file ({error})") from error
    return opset


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Numbers and values of the fields of a protobuf message (protobuf.dev/programming-guides/encoding).

    Raises:
        ValueError: it is none, or it ends early.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"no protobuf at byte {at}")
        if at + size > len(message):
            raise ValueError(f"it ends after {len(message)} bytes, at least {at + size} belong to it")
        yield number, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise ValueError(f"it ends after {len(message)} bytes, within a number")
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
    raise ValueError(f"no protobuf at byte {at}")
