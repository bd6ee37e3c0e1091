"""VMAF, as libvmaf measures it: which models there are, at which size and depth each compares, and libvmaf's log."""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from vmaftune.errors import UserError, VmafTuneError
from vmaftune.escape import filter_value, nested_value
from vmaftune.nearest import meant
from vmaftune.quality.metric import Asked, Comparison, Metric, Pictures, fitted, parsed_size

MODEL_HD = "vmaf_v0.6.1"
MODEL_4K = "vmaf_4k_v0.6.1"
GENERATIONS = ("v0", "v1")
HFR_FROM_FPS = 47.0
"""From how many frames a second v1 takes its models for high frame rates (made for 50 and 60)."""

_HD, _UHD = (1920, 1080), (3840, 2160)
_LARGE_WIDTH, _LARGE_HEIGHT = 2560, 1440  # beyond these pictures are compared as 4K, by ab-av1's rule
_SHARE_LEFT = 0.9  # of the bound: from there on pictures keep their size, by the same rule
_LARGEST_MODEL_BYTES = 2**26
# CAMBI, v1's measure of banding, takes pictures with one side from this on, and up to so many times as wide as high: its window
# grows with the width, and is applied at a 16th of the height (measured: 11 times give a score, 12 end in a crash).
_ONE_OF_THE_SIDES, _WIDEST = 216, 11
# What it can be told of the size of an encode (measured), with one side from _ONE_OF_THE_SIDES on too.
_LEAST_ENCODED, _MOST_ENCODED = (180, 150), 7680
# In a log: v0's as they are, but for the prefix of those in whole numbers, and the limit to enhancement of NEG; v1's end in the
# options of its model. The log of v0 holds some of v1's too, which it does not use.
_FEATURE = re.compile(
    r"(?:integer_)?(?:(?P<v0>adm2|motion2|vif_scale[0-3])(?:_egl_1)?|(?P<v1>adm3|motion3|cambi|speed_chroma_uv)_(?!egl_1$).+)"
)


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model that libvmaf has built in.

    Attributes:
        generation: ``v0`` or ``v1`` (Netflix/vmaf, resource/doc/models_v0.md and models_v1.md).
        bound: width and height in pixels that smaller pictures are scaled up to.
        highest: its highest score.
        depth: bits per component that it is made for; None takes those of the pictures.
        hfr: whether it is for high frame rates.
        least_side: least width and height in pixels that it takes; below, libvmaf crashes or writes no log (measured).
    """

    generation: str = "v0"
    bound: tuple[int, int] = _HD
    highest: float = 100.0
    depth: int | None = None
    hfr: bool = False
    least_side: int = 18

    @property
    def neighbours(self) -> tuple[int, int]:
        """Frames before and after that motion is computed from: beside each other, or two apart and averaged for high frame
        rates (measured: a frame read with so many has exactly the score that it has in the whole)."""
        return (4, 1) if self.hfr else (1, 1)


def _v1(bound: tuple[int, int], least_side: int, *, highest: float = 100.0, hfr: bool = False) -> Model:
    return Model(generation="v1", bound=bound, highest=highest, depth=10, hfr=hfr, least_side=least_side)


MODELS: dict[str, Model] = {
    MODEL_HD: Model(),
    "vmaf_v0.6.1neg": Model(),
    MODEL_4K: Model(bound=_UHD),
    "vmaf_4k_v0.6.1neg": Model(bound=_UHD),
    "vmaf_float_v0.6.1": Model(),
    "vmaf_float_v0.6.1neg": Model(),
    "vmaf_float_4k_v0.6.1": Model(bound=_UHD),
    "vmaf_v1.0.16_3d0h": _v1(_HD, 160),
    "vmaf_v1.0.16_hfr_3d0h": _v1(_HD, 160, hfr=True),
    "vmaf_v1.0.16_5d0h": _v1(_HD, 266),
    "vmaf_v1.0.16_hfr_5d0h": _v1(_HD, 266, hfr=True),
    "vmaf_v1.0.16_1d5h_2160": _v1(_UHD, 160),
    "vmaf_v1.0.16_hfr_1d5h_2160": _v1(_UHD, 160, hfr=True),
    "vmaf_v1.0.16_3d0h_2160": _v1(_UHD, 318, highest=110.0),
    "vmaf_v1.0.16_hfr_3d0h_2160": _v1(_UHD, 318, highest=110.0, hfr=True),
}
"""Models by name. What is not here, such as a model file, is compared at the size and depth of the pictures, unless told
otherwise, and never by a part of them."""


class _Frame(msgspec.Struct):
    metrics: dict[str, float]


class _Log(msgspec.Struct):
    frames: list[_Frame]


def read_log(log: Path) -> list[dict[str, float]]:
    """Metrics of each frame from libvmaf's log; the score is ``vmaf``.

    Raises:
        VmafTuneError: the log is not there (libvmaf writes it last, and none where it failed) or not whole (a full disk).
    """
    try:
        return [frame.metrics for frame in msgspec.json.decode(log.read_bytes(), type=_Log).frames]
    except FileNotFoundError as error:
        raise VmafTuneError(
            f"libvmaf wrote no log to {log.parent}: it could not measure these pictures, or could not write there"
        ) from error
    except (OSError, msgspec.DecodeError) as error:
        raise VmafTuneError(f"libvmaf's log in {log.parent} is not whole: {error}; is the disk full?") from error


class Vmaf(Metric):
    """VMAF (Li et al., "Toward A Practical Perceptual Video Quality Metric", 2016), of any model."""

    name = "vmaf"
    title = "VMAF"
    filter = "libvmaf"
    parts = ("vmaf",)

    def decide(self, asked: Asked, pictures: Pictures) -> Comparison:
        """Model, size and format, by ab-av1's rule so that scores compare.

        Unlike there, the bounds turn with the picture: a clip held upright is compared at the size of the same clip held level,
        and gets the same score. ``--vmaf-scale WxH`` is taken as it is written.
        """
        model = asked.model or self._chosen(asked, pictures)
        known, notes = MODELS.get(model), []
        if known is None and Path(model).suffix != ".json":
            raise UserError(
                f"--vmaf-model {model}: there is no such model; there is: {', '.join(MODELS)}, or a .json file"
                f"{meant(model, MODELS)}"
            )
        if known is None and not Path(model).is_file():
            raise UserError(f"--vmaf-model {model}: no such file")
        if asked.model and known and asked.generation not in (None, known.generation):
            raise UserError(
                f"--vmaf-model {model} is of generation {known.generation}; leave out --vmaf-generation {asked.generation}"
            )
        width, height = pictures.width, pictures.height
        size: tuple[int, int] | None = None
        if asked.size == "auto" and known is not None:
            bound = known.bound[::-1] if height > width else known.bound
            if width < bound[0] * _SHARE_LEFT and height < bound[1] * _SHARE_LEFT:
                size = fitted(width, height, bound)
        elif asked.size not in ("auto", "none"):
            size = fitted(width, height, parsed_size(asked.size))
        elif asked.size == "auto":
            notes.append(
                f"nothing says at which size {Path(model).name} compares: pictures keep theirs;"
                " --vmaf-scale 1920x1080 compares them as vmaf_v0.6.1 does"
            )
        known = known or Model()
        _check_size(model, known, size or (width, height), pictures)
        v1 = known.generation == "v1"
        if v1 and pictures.hdr:
            notes.append(f"{model} was made for SDR; this source is HDR, and its scores are outside of what it knows")
        options, said = _of_the_encode(pictures, size or (width, height)) if v1 else ((), [])
        return Comparison(
            metric=self,
            model=model,
            size=size,
            pix_fmt="yuv420p10le" if (known.depth or pictures.bit_depth) > 8 else "yuv420p",
            options=options,
            notes=(*notes, *said),
        )

    def filter_text(self, comparison: Comparison, log: Path, *, threads: int, every: int) -> str:
        file = Path(comparison.model)
        is_file = file.suffix == ".json"
        model = [("path", str(file.absolute())) if is_file else ("version", comparison.model), *comparison.options]
        options = {
            "model": ":".join(f"{key}={nested_value(value)}" for key, value in model),
            "n_threads": str(threads),
            "log_fmt": "json",
            "log_path": str(log.absolute()),
        }
        if every > 1:
            options["n_subsample"] = str(every)
        return "libvmaf=" + ":".join(f"{name}={filter_value(value)}" for name, value in options.items())

    def read_log(self, log: Path) -> list[dict[str, float]]:
        return read_log(log)

    def features(self, frame: Mapping[str, float]) -> dict[str, float]:
        found = ((_FEATURE.fullmatch(name), value) for name, value in frame.items())
        return {match["v0"] or match["v1"]: value for match, value in found if match}

    def neighbours(self, comparison: Comparison) -> tuple[int, int] | None:
        known = MODELS.get(comparison.model)
        return None if known is None else known.neighbours

    def depth(self, comparison: Comparison) -> int | None:
        known = MODELS.get(comparison.model)
        return None if known is None else known.depth

    def limits(self, model: str) -> tuple[float, float]:
        return self.lowest, MODELS[model].highest if model in MODELS else self.highest

    def itself(self, model: str) -> str:
        if model in MODELS and MODELS[model].generation == "v1":
            return "VMAF v1 counts banding that is in the source already, and gives less to pictures that hardly move"
        return "VMAF gives less than 100 to pictures that hardly move, such as flat, black or still ones"

    def model_name(self, comparison: Comparison) -> str:
        if comparison.model in MODELS:
            return comparison.model
        return f"file-{model_hash(Path(comparison.model))[:16]}"

    @contextlib.contextmanager
    def at_hand(self, comparison: Comparison, folder: Path) -> Iterator[Comparison]:
        """The comparison with a model that libvmaf can be told of: it takes a ``|`` in a path for the end of the model.

        Raises:
            UserError: ``folder``, where a copy of the model would go, has such a name too.
        """
        if "|" not in comparison.model or not Path(comparison.model).is_file():
            yield comparison
            return
        copy = folder.absolute() / "model.json"
        if "|" in str(copy):
            raise UserError(f"--vmaf-model {comparison.model}: libvmaf reads no path with a '|'; rename it")
        shutil.copyfile(comparison.model, copy)
        try:
            yield msgspec.structs.replace(comparison, model=str(copy))
        finally:
            copy.unlink(missing_ok=True)

    @staticmethod
    def _chosen(asked: Asked, pictures: Pictures) -> str:
        sides = pictures.width, pictures.height
        large = max(sides) > _LARGE_WIDTH and min(sides) > _LARGE_HEIGHT
        if (asked.generation or GENERATIONS[0]) == "v0":
            return MODEL_4K if large else MODEL_HD
        if asked.generation != "v1":
            raise UserError(f"--vmaf-generation {asked.generation} must be {' or '.join(GENERATIONS)}")
        rate = "hfr_" if pictures.fps >= HFR_FROM_FPS else ""
        return f"vmaf_v1.0.16_{rate}{'1d5h_2160' if large else '3d0h'}"


VMAF = Vmaf()


def model_hash(file: Path) -> str:
    """SHA-256 of a model file. Raises UserError where it cannot be read."""
    try:
        with file.open("rb") as opened:
            return hashlib.sha256(opened.read(_LARGEST_MODEL_BYTES)).hexdigest()
    except OSError as error:
        raise UserError(f"--vmaf-model {file}: {error.strerror}") from error


def _of_the_encode(pictures: Pictures, compared: tuple[int, int]) -> tuple[tuple[tuple[str, str], ...], list[str]]:
    """What CAMBI is told of the encode where that is smaller than what is compared, or of another depth (models_v1.md,
    "Specifying encode-side parameters"); and what a person should know of it."""
    options: list[tuple[str, str]] = []
    notes = []
    width, height = pictures.encoded or (pictures.width, pictures.height)
    if width < compared[0] or height < compared[1]:
        least = max(_LEAST_ENCODED[0] / width, _LEAST_ENCODED[1] / height, _ONE_OF_THE_SIDES / max(width, height))
        told = [min(_MOST_ENCODED, math.ceil(side * max(1.0, least))) for side in (width, height)]
        options += [("cambi.enc_width", str(told[0])), ("cambi.enc_height", str(told[1]))]
        if least > 1.0:
            notes.append(
                f"banding is measured as in an encode of {told[0]}x{told[1]}: libvmaf takes none of {width}x{height}"
            )
    if pictures.encoded_depth is not None and pictures.encoded_depth != 10:
        options.append(("cambi.enc_bitdepth", str(pictures.encoded_depth)))
    return tuple(options), notes


def _check_size(model: str, known: Model, compared: tuple[int, int], pictures: Pictures) -> None:
    """Raise UserError where libvmaf would crash at the size that pictures are compared at, or leave no log."""
    width, height = compared
    least, v1 = known.least_side, known.generation == "v1"
    one = _ONE_OF_THE_SIDES if v1 else 0
    too_wide = v1 and width > _WIDEST * height
    if min(compared) >= least and max(compared) >= one and not too_wide:
        return
    takes = f"{max(least, one)}x{least} and more" if one > least else f"{least}x{least} and more"
    if too_wide and height >= least:
        takes = f"no picture more than {_WIDEST} times as wide as high"
    raise UserError(
        f"pictures of {pictures.width}x{pictures.height} would be compared at {width}x{height}, and libvmaf takes {takes}"
        f" with {Path(model).name}; --vmaf-scale WxH compares them at {'another' if too_wide else 'a larger'} size"
    )
