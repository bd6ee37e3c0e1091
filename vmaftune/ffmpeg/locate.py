"""Which ffmpeg is used, and what it can do."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import msgspec

from vmaftune.errors import UserError, VmafTuneError
from vmaftune.ffmpeg import process
from vmaftune.state.store import Store

ENVIRONMENT_VARIABLE = "VMAFTUNE_FFMPEG"


class Ffmpeg(msgspec.Struct, frozen=True, kw_only=True):
    """One ffmpeg program and what it was found able to do.

    Attributes:
        path: the program.
        origin: where it was found: ``--ffmpeg``, the environment, ``imageio-ffmpeg`` or ``PATH``.
        version: as ffmpeg prints it; part of every cache key.
        encoders: names of its video encoders.
        libvmaf: the libvmaf filter is there.
        loopback: it can decode its own encode within one process (``-dec``, ffmpeg 7.1 and later).
    """

    path: Path
    origin: str
    version: str
    encoders: frozenset[str]
    libvmaf: bool
    loopback: bool


def locate(chosen: Path | None, store: Store, named_by: str = "--ffmpeg") -> Ffmpeg:
    """Find ffmpeg and learn what it can do; the answer is kept by path, size and modification time.

    Args:
        chosen: the user's ``--ffmpeg`` or configuration value; goes before everything else.
        store: where the answer is kept.
        named_by: what chose it, for errors.

    Raises:
        UserError: the chosen program is not there or is no ffmpeg; or none is found anywhere.
    """
    path, origin = _find(chosen, named_by)
    try:
        status = path.stat()
    except OSError as error:
        raise UserError(f"no ffmpeg at {path} (from {origin}): {error.strerror}") from error
    key = f"{path.absolute()}|{status.st_size}|{status.st_mtime_ns}"
    known = store.get("ffmpeg", key, Ffmpeg)
    if known is not None:
        return msgspec.structs.replace(known, origin=origin)
    found = _examine(path, origin)
    store.put("ffmpeg", key, found)
    return found


def _find(chosen: Path | None, named_by: str) -> tuple[Path, str]:
    if chosen is not None:
        named = shutil.which(str(chosen)) if chosen.parent == Path() else None
        return Path(named) if named else chosen, named_by
    if value := os.environ.get(ENVIRONMENT_VARIABLE):
        return Path(value), ENVIRONMENT_VARIABLE
    try:
        import imageio_ffmpeg

        return Path(imageio_ffmpeg.get_ffmpeg_exe()), "imageio-ffmpeg"
    except (ImportError, RuntimeError):
        pass
    if on_path := shutil.which("ffmpeg"):
        return Path(on_path), "PATH"
    raise UserError("no ffmpeg found: install imageio-ffmpeg, or name one with --ffmpeg PATH")


def _examine(path: Path, origin: str) -> Ffmpeg:
    try:
        banner = process.query(path, ["-version"])
    except VmafTuneError as error:
        raise UserError(f"{error} (from {origin})") from error
    version = re.search(r"ffmpeg version (\S+)", banner)
    if version is None:
        raise UserError(f"{path} (from {origin}) is not an ffmpeg: it printed no version")
    encoders = re.findall(r"^ V\S{5} (\w\S*)", process.query(path, ["-encoders"]), re.MULTILINE)
    filters = process.query(path, ["-filters"])
    return Ffmpeg(
        path=path,
        origin=origin,
        version=version[1],
        encoders=frozenset(encoders),
        libvmaf=re.search(r"^ \S+ libvmaf ", filters, re.MULTILINE) is not None,
        loopback=_has_loopback_decoder(path),
    )


def _has_loopback_decoder(path: Path) -> bool:
    """Tried, not read: the option is in no help text."""
    source = [
        "-f",
        "lavfi",
        "-i",
        "color=size=64x64:rate=5:duration=0.4",
        "-map",
        "0:v",
        "-c:v",
        "mpeg4",
        "-f",
        "null",
        "-",
    ]
    try:
        process.run(
            path, [*source, "-dec", "0:0", "-filter_complex", "[dec:0]null[o]", "-map", "[o]", "-f", "null", "-"]
        )
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
