"""The folders that the server may read, and which file a name means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import av
import av.error

from vmaftune.errors import UserError
from vmaftune.media.facts import shown
from vmaftune.media.opened import open_media

_RAW = ".yuv"

# Containers and streams that hold their pictures themselves. Playlists (HLS, DASH, concat, IMF, SDP) name other files, which
# may lie anywhere.
_SELF_CONTAINED = ",".join(
    (
        *(
            "matroska",
            "webm",
            "mov",
            "mp4",
            "m4a",
            "3gp",
            "3g2",
            "mj2",
            "avi",
            "mpegts",
            "mpeg",
            "mxf",
            "nut",
            "ogg",
            "asf",
        ),
        *("flv", "ivf", "gif", "rm", "wtv", "gxf", "dv", "yuv4mpegpipe"),
        *("h261", "h263", "h264", "hevc", "vvc", "evc", "av1", "obu", "m4v", "mpegvideo", "vc1", "mjpeg", "dirac"),
    )
)


_HEAD_BYTES = 8192
_PLAYLIST = re.compile(
    rb"\A[\s\x00\xef\xbb\xbf\xfe\xff]*(?:ffconcat|#\s*ffconcat|#extm3u|file\s|<\?xml|<smil|<asx|<mpd|v=0\s|\[playlist|\[reference|rtsptext)"
    rb"|urn:mpeg:dash:|<CompositionPlaylist|^c=IN IP[46] ",
    re.IGNORECASE | re.MULTILINE,
)
"""HLS, concat, DASH, IMF, SDP, and what players use: text that names other files, or hosts."""


class Roots:
    """Finds files below folders.

    Args:
        folders: that may be read with all below them.

    Raises:
        UserError: one of them is no folder.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        for folder in folders:
            if not folder.is_dir():
                raise UserError(f"--root {shown(folder)} is not a folder")
        self.folders = tuple(folder.resolve() for folder in folders)

    def holds(self, path: Path) -> bool:
        """Whether a file, there or not, lies below a root."""
        try:
            real = path.resolve()
        except (OSError, RuntimeError):  # a loop of links
            return True
        return any(real.is_relative_to(root) for root in self.folders)

    def video(self, name: str, *, raw: bool = False) -> Path:
        """The video that ``name`` means: an absolute path, or one relative to a root; links are followed first.

        Args:
            raw: the job takes a ``.yuv`` for raw pictures, whatever is in it.

        Raises:
            UserError: it lies outside the roots, whether it exists or not; there is no such file; or it is a playlist.
        """
        path = self._file(name)
        _check_no_playlist(path)
        if not (raw and path.suffix.lower() == _RAW):
            _check_self_contained(path)
        return path

    def _file(self, name: str) -> Path:
        within, files = [], []
        for folder in self.folders:
            try:
                real = (folder / name).resolve()  # an absolute name stands for itself
                if self.holds(real):
                    within.append(real)
                    files += [real] if real.is_file() else []
            except (OSError, RuntimeError, ValueError):  # a loop of links, or a name that no file can have
                continue
        if not within:
            there = ", ".join(shown(folder) for folder in self.folders)
            raise UserError(f"{shown(name)} is outside the folders that this server may read: {there}")
        if not files:
            raise UserError(f"there is no file {shown(name)}")
        return files[0]


def _check_no_playlist(path: Path) -> None:
    """Refuse what begins as a playlist does, before any library guesses at it: two of them may not guess alike."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise UserError(f"cannot open {shown(path)}: {error.strerror}") from error
    if _PLAYLIST.search(head):
        raise UserError(f"{shown(path)} is a playlist or names other files (playlists are not read)")


def _check_self_contained(path: Path) -> None:
    try:
        open_media(path, options={"format_whitelist": _SELF_CONTAINED}).close()
    except (av.error.FFmpegError, ValueError) as error:
        raise UserError(
            f"{shown(path)} cannot be read as a video that holds its pictures itself (playlists are not read): "
            f"{getattr(error, 'strerror', None) or error}"
        ) from error
