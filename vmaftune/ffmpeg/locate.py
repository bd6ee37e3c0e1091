"""Which ffmpeg is used, and what it can do."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import msgspec

from vmaftune.errors import UserError, VmafTuneError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import Output, command, generated
from vmaftune.ffmpeg.program import program_path
from vmaftune.state.store import Store

ENVIRONMENT_VARIABLE = "VMAFTUNE_FFMPEG"
_KIND = "program"


class Abilities(msgspec.Struct, frozen=True, kw_only=True):
    """What an ffmpeg program was found able to do.

    Attributes:
        version: as ffmpeg prints it; part of every cache key.
        encoders: names of its video encoders.
        libvmaf: the libvmaf filter is there.
        loopback: it can decode its own encode within one process (``-dec``, ffmpeg 7.1 and later).
    """

    version: str
    encoders: frozenset[str]
    libvmaf: bool
    loopback: bool


class Ffmpeg(Abilities, frozen=True, kw_only=True):
    """One ffmpeg program, with its abilities.

    Attributes:
        path: the program, absolute.
        origin: where it was found: ``--ffmpeg``, the environment, ``imageio-ffmpeg`` or ``PATH``.
    """

    path: Path
    origin: str


def locate(chosen: str | Path | None, store: Store, named_by: str = "--ffmpeg") -> Ffmpeg:
    """Find ffmpeg and learn what it can do. What is run is what was found here; abilities alone are kept, by the program's
    absolute path, the file that this leads to, and its size and times.

    Args:
        chosen: the user's ``--ffmpeg`` or configuration value, as in program_path; goes before everything else.
        store: where abilities are kept.
        named_by: what chose it, for errors.

    Raises:
        UserError: the chosen program is not there or is no ffmpeg; or none is found anywhere.
    """
    path, origin = _find(chosen, named_by)
    try:
        status = path.stat()
        key = f"{path}|{path.resolve()}|{status.st_size}|{status.st_mtime_ns}|{status.st_ctime_ns}"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"no ffmpeg at {path} (from {origin}): {reason}") from error
    known = store.get(_KIND, key, Abilities)
    if known is None:
        known = _examine(path, origin)
        store.put(_KIND, key, known)
    return Ffmpeg(path=path, origin=origin, **msgspec.structs.asdict(known))


def _find(chosen: str | Path | None, named_by: str) -> tuple[Path, str]:
    if chosen is not None:
        return _resolved(chosen, named_by), named_by
    if value := os.environ.get(ENVIRONMENT_VARIABLE):
        return _resolved(value, ENVIRONMENT_VARIABLE), ENVIRONMENT_VARIABLE
    try:
        import imageio_ffmpeg

        return Path(imageio_ffmpeg.get_ffmpeg_exe()).absolute(), "imageio-ffmpeg"
    except (ImportError, RuntimeError):
        pass
    if on_path := shutil.which("ffmpeg"):
        return Path(on_path).absolute(), "PATH"
    raise UserError("no ffmpeg found: install imageio-ffmpeg, or name one with --ffmpeg PATH")


def _resolved(named: str | Path, origin: str) -> Path:
    """The file that was named, absolute: PATH may hold relative folders too.

    Raises:
        UserError: it is a bare name, and no program on PATH has it.
    """
    path = program_path(named)
    if path.is_absolute():
        return path
    if found := shutil.which(path):
        return Path(found).absolute()
    raise UserError(f"no ffmpeg called {path} on PATH (from {origin}); a file here is named as ./{path}")


def _examine(path: Path, origin: str) -> Abilities:
    try:
        banner = process.query(path, ["-version"])
    except VmafTuneError as error:
        raise UserError(f"{error} (from {origin})") from error
    version = re.search(r"ffmpeg version (\S+)", banner)
    if version is None:
        raise UserError(f"{path} (from {origin}) is not an ffmpeg: it printed no version")
    encoders = re.findall(r"^ V\S{5} (\w\S*)", process.query(path, ["-encoders"]), re.MULTILINE)
    filters = process.query(path, ["-filters"])
    return Abilities(
        version=version[1],
        encoders=frozenset(encoders),
        libvmaf=re.search(r"^ \S+ libvmaf ", filters, re.MULTILINE) is not None,
        loopback=_has_loopback_decoder(path),
    )


def _has_loopback_decoder(path: Path) -> bool:
    """Tried, not read: the option is in no help text."""
    source = generated("color=size=64x64:rate=5:duration=0.4")
    encode = Output([source["v"]], None, {"c:v": "mpeg4"})
    decoded = Output(["[decoded]"], None)
    try:
        process.run(path, command(encode, decoded, decoders=["0:0"], graph="[dec:0]null[decoded]"))
    except VmafTuneError:
        return False
    return True


def require_libvmaf(ffmpeg: Ffmpeg) -> None:
    """Raise UserError when this ffmpeg cannot score."""
    if not ffmpeg.libvmaf:
        raise UserError(
            f"{ffmpeg.path} (ffmpeg {ffmpeg.version}, from {ffmpeg.origin}) has no libvmaf filter; "
            "leave --ffmpeg away to use the embedded one"
        )
