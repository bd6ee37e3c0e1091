"""``vmaf-tune doctor``: what was found on this host, and what is missing, in words a user can act on."""

from __future__ import annotations

import platform
import tempfile
from importlib import metadata
from typing import Any

import click

from vmaftune import __version__
from vmaftune.cli.options import host_options
from vmaftune.errors import VmafTuneError
from vmaftune.ffmpeg.locate import Ffmpeg, locate
from vmaftune.jobs.session import Session
from vmaftune.jobs.trial import run_trial
from vmaftune.state.workspace import workspace


@click.command("doctor")
@host_options
def command(**options: Any) -> int:
    """What was found on this host, and what is missing. Ends with 1 when a search cannot run.

    \b
    vmaf-tune doctor --ffmpeg /usr/local/bin/ffmpeg
    """
    session = Session(options)
    click.echo(f"vmaf-tune {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    well = [_ffmpeg(session), _cache(session), _temporary(), _plugins(session)]
    if all(well):
        well.append(_trial(session))
    click.echo("a search can run" if all(well) else "a search cannot run until the lines with 'MISSING' are fixed")
    return 0 if all(well) else 1


def _say(name: str, good: bool, text: str) -> bool:
    click.echo(f"{'ok     ' if good else 'MISSING'} {name}: {text}")
    return good


def _ffmpeg(session: Session) -> bool:
    try:
        found = locate(session.option("ffmpeg", None), session.store)
    except VmafTuneError as error:
        return _say("ffmpeg", False, str(error))
    well = _say("ffmpeg", True, f"{found.version} at {found.path} (from {found.origin})")
    text = "there" if found.libvmaf else "this ffmpeg was built without it; leave --ffmpeg away to use the embedded one"
    well &= _say("libvmaf", found.libvmaf, text)
    one = (
        "yes, encode and score run in one process"
        if found.loopback
        else "no (needs ffmpeg 7.1); two processes are used"
    )
    _say("loopback decoder", True, one)
    _encoders(session, found)
    return well


def _trial(session: Session) -> bool:
    """A probe of a made clip: versions that do not go together show in nothing else."""
    try:
        record = run_trial(session.ffmpeg(), session.manager.encoders.values())
    except Exception as error:  # whatever it is, this is the command that says so
        text = str(error) if isinstance(error, VmafTuneError) else f"{type(error).__name__}: {error}"
        return _say("trial", False, f"a made clip cannot be probed ({text}); versions: {_versions()}")
    return _say(
        "trial", True, f"a made clip of {record.frames} frames was read, encoded and scored: VMAF {record.vmaf:.1f}"
    )


def _versions() -> str:
    return ", ".join(f"{name} {metadata.version(name)}" for name in ("av", "imageio-ffmpeg", "numpy", "onnxruntime"))


def _encoders(session: Session, found: Ffmpeg) -> None:
    software = [s for s in session.manager.encoders.values() if not s.hardware]
    here = [s.name for s in software if s.name in found.encoders]
    lacking = [s.name for s in software if s.name not in found.encoders]
    _say("encoders", bool(here), ", ".join(here) + (f"; this ffmpeg lacks {', '.join(lacking)}" if lacking else ""))
    hardware = [s.name for s in session.manager.encoders.values() if s.hardware and s.name in found.encoders]
    _say(
        "hardware encoders", True, f"built in, whether they run depends on the machine: {', '.join(hardware) or 'none'}"
    )


def _cache(session: Session) -> bool:
    if session.store.problem:
        _say("cache", True, session.store.problem)
    else:
        _say("cache", True, f"{session.cache_folder} can be written")
    files = ", ".join(str(path) for path in session.config.files) or "none"
    return _say("configuration", True, files)


def _temporary() -> bool:
    try:
        with workspace():
            return _say("temporary folder", True, tempfile.gettempdir())
    except VmafTuneError as error:
        return _say("temporary folder", False, str(error))


def _plugins(session: Session) -> bool:
    for registration in session.manager.registrations:
        if registration.problem is not None:
            click.echo(f"note    plugin {registration.name}: {registration.problem}")
    names = [r.name for r in session.manager.of_kind("predictor")]
    return _say("predictors", True, ", ".join(names) or "none; a search starts from an uninformed prior")
