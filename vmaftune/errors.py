"""Errors that end a command. Each is one line that says what is wrong and what to do, and carries its exit code."""

from __future__ import annotations

import errno


class VmafTuneError(Exception):
    """A failure of ours or of the machine (exit code 1). The text is one line, fit to be shown to a person."""

    exit_code = 1


class UserError(VmafTuneError):
    """The user asked for something that cannot be done as asked (exit code 2)."""

    exit_code = 2


class TargetError(VmafTuneError):
    """The target cannot be met on this source within the given limits (exit code 3)."""

    exit_code = 3


class NoRoomError(VmafTuneError):
    """The disk that ffmpeg writes to is full.

    Attributes:
        placed: the text says which folder that is, and what to do.
    """

    def __init__(self, text: str, *, placed: bool = False) -> None:
        super().__init__(text)
        self.placed = placed


class FfmpegError(VmafTuneError):
    """ffmpeg ended with an error.

    Attributes:
        reason: the first error line that ffmpeg printed, without its address prefixes.
        stderr_tail: the last lines of stderr, for ``--verbose``.
    """

    def __init__(self, reason: str, stderr_tail: str = "") -> None:
        super().__init__(f"ffmpeg: {reason}")
        self.reason = reason
        self.stderr_tail = stderr_tail


class PairingError(VmafTuneError):
    """Reference and encode do not have the same number of frames, so no score of theirs can be believed."""


class PluginError(VmafTuneError):
    """A plugin failed where the run cannot do without it, or anywhere under ``--strict-plugins``."""


class Unsupported(Exception):
    """Raised by a predictor for an encoder, preset or source it knows nothing about; the host asks the next one."""


_OF_THE_NAME = frozenset(
    (
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.EEXIST),
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENXIO, errno.ENODEV),
    )
)
"""What the system says where a name is wrong or may not be used, and not where a disk is full or broken."""


def file_error(what: str, error: OSError) -> VmafTuneError:
    """The error of a file or folder that a person named.

    Args:
        what: could not be done, such as ``cannot write out.csv``.

    Returns:
        UserError where another name or other permissions help, else VmafTuneError.
    """
    kind = UserError if error.errno in _OF_THE_NAME else VmafTuneError
    return kind(f"{what}: {error.strerror or error}")


def foreseen(error: OSError) -> VmafTuneError:
    """The error of a file that nothing else was said about. One that we may not use is the user's; all else may be ours."""
    text = f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
    return UserError(text) if isinstance(error, PermissionError) else VmafTuneError(text)
