"""``vmaf-tune trainer``: the service that trains while this host encodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmaftune.cli.options import cache_options, json_option
from vmaftune.extras import install_command

if TYPE_CHECKING:
    from vmaftune.contract.learner import Learner
    from vmaftune.jobs.session import Session

_FILE = click.Path(path_type=Path)
_FOLDER = "trainer"

_socket_option = click.option(
    "--socket", type=_FILE, help="Unix domain socket.  [default: VMAFTUNE_TRAINER_SOCKET, or in the cache folder]"
)
_folder_option = click.option(
    "--folder", type=_FILE, help="Folder of spool, snapshots and checkpoints.  [default: in the cache folder]"
)
_plugin_option = click.option("--plugin", metavar="NAME", help="Trainer.  [default: the only one that is installed]")


@click.group("trainer")
def command() -> None:
    """Train while this host encodes, from the scores of searches that run with --plugin sgd-ema-trainer."""


@command.command("serve")
@_socket_option
@_folder_option
@_plugin_option
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="Prometheus metrics on this port of 127.0.0.1.")
@click.option("--metrics-file", type=_FILE, help="Prometheus metrics in this file.")
@click.option("--max-connections", type=click.IntRange(1, 1024), default=64, show_default=True, help="Open at once.")
@click.option(
    "--idle-seconds",
    type=click.IntRange(1, 86_400),
    default=300,
    show_default=True,
    help="A connection is closed after so long without a whole line.",
)
@click.option(
    "--max-rate",
    type=click.IntRange(1, 1_000_000),
    default=50_000,
    show_default=True,
    help="Lines a second that are read of one connection.",
)
@click.option(
    "--max-line",
    type=click.IntRange(1024, 1 << 20),
    default=65_536,
    show_default=True,
    help="Bytes of a line; a connection with a longer one is closed.",
)
@click.option("--no-durability", is_flag=True, help="Answer before a sample is on the disk; a power cut may lose it.")
@cache_options
def serve(
    socket: Path | None,
    folder: Path | None,
    plugin: str | None,
    metrics_port: int | None,
    metrics_file: Path | None,
    max_connections: int,
    idle_seconds: int,
    max_rate: int,
    max_line: int,
    no_durability: bool,
    **options: Any,
) -> None:
    """Take scores in and train on them until SIGTERM, SIGINT or SIGHUP. The log goes to standard error, a JSON object a line.

    \b
    vmaf-tune trainer serve --metrics-port 9464
    """
    from vmaftune.trainer.connection import ConnectionLimits
    from vmaftune.trainer.log import Log
    from vmaftune.trainer.server import serve as serve_at
    from vmaftune.trainer.service import ServiceOptions
    from vmaftune.trainer.socketfile import default_socket

    session = _session(options)
    log = Log()
    home = session.cache_folder / _FOLDER
    name, make = _learner(session, plugin, folder or home, lambda text: log("learner", "warning", text=text))
    limits = ConnectionLimits(
        connections=max_connections, idle_seconds=idle_seconds, lines_a_second=max_rate, line_bytes=max_line
    )
    chosen = ServiceOptions(
        plugin=name,
        durable=not no_durability,
        metrics_port=metrics_port,
        metrics_file=None if metrics_file is None else metrics_file.absolute(),
        limits=limits,
    )
    place = socket or default_socket(session.cache_folder)
    serve_at(place.absolute(), (folder or home).absolute(), home.absolute(), make, chosen, log)


@command.command("status")
@_socket_option
@cache_options
@json_option
def status(socket: Path | None, as_json: bool, **options: Any) -> int:
    """How the trainer of this host does. Ends with 1 when none runs.

    \b
    vmaf-tune trainer status
    """
    from vmaftune.cli.output import print_json
    from vmaftune.errors import VmafTuneError
    from vmaftune.trainer.socketfile import default_socket
    from vmaftune.trainer.status import ask

    place = socket or default_socket(_session(options).cache_folder)
    try:
        found = ask(place)
    except OSError as error:
        raise VmafTuneError(f"the trainer at {place} does not answer: {error.strerror or error}") from error
    except ValueError as error:
        raise VmafTuneError(str(error)) from error
    if as_json:
        print_json({"running": found is not None, "socket": str(place), "status": found})
    elif found is None:
        click.echo(f"no trainer runs at {place}; start one with: vmaf-tune trainer serve")
    else:
        from vmaftune.cli.trainer_screen import status_lines

        click.echo("\n".join(status_lines(found, place)))
    return 1 if found is None else 0


@command.command("fit")
@_folder_option
@_plugin_option
@click.option("--steps", type=click.IntRange(1, 10_000_000), help="At most so many steps.  [default: one a sample]")
@cache_options
def fit(folder: Path | None, plugin: str | None, steps: int | None, **options: Any) -> None:
    """Train in one go on what waits on the disk, without a service, and write a checkpoint.

    \b
    vmaf-tune trainer fit --steps 5000
    """
    from vmaftune.jobs.session import warn
    from vmaftune.trainer.fit import fit as fit_in

    session = _session(options)
    home = session.cache_folder / _FOLDER
    _, make = _learner(session, plugin, folder or home, warn)
    fitted = fit_in((folder or home).absolute(), home.absolute(), make, steps)
    if fitted.samples == 0 and fitted.steps == 0:
        click.echo("nothing to train on: no scores wait on the disk; search with --plugin sgd-ema-trainer")
        return
    loss = "" if fitted.loss is None else f", loss {fitted.loss:.4g}"
    click.echo(f"{fitted.samples} new samples of {fitted.taken} in all, {fitted.steps} steps{loss}")
    if fitted.published is not None:
        verdict = "it is latest-stable now" if fitted.published.stable else "not stable: "
        click.echo(f"checkpoint {fitted.published.version}: {verdict}{'; '.join(fitted.published.reasons)}")


def _session(options: dict[str, Any]) -> Session:
    from vmaftune.jobs.session import Session

    return Session({"cache": False, **options})


def _learner(
    session: Session, named: str | None, folder: Path, warn: Callable[[str], None]
) -> tuple[str, Callable[[], Learner]]:
    """Name of the trainer, and what makes its learner.

    Raises:
        UserError: there is none, more than one, or it is not that.
    """
    from vmaftune.contract.learner import LearnerContext
    from vmaftune.contract.plugins import TrainerSpec
    from vmaftune.errors import UserError

    trainers = [r.spec for r in session.manager.of_kind("trainer") if isinstance(r.spec, TrainerSpec)]
    learners = {spec.name: spec for spec in trainers if spec.learner is not None}
    if named is None and len(learners) != 1:
        raise UserError(f"which trainer? --plugin {' or '.join(sorted(learners)) or 'NAME; none is installed'}")
    name = next(iter(learners)) if named is None else session.manager.find(named, ("trainer",)).name
    if name not in learners:
        raise UserError(f"{name} brings nothing that could be trained here; there is: {', '.join(sorted(learners))}")
    settings = session.plugin_run([name]).settings(name)
    factory = learners[name].learner
    assert factory is not None

    def make() -> Learner:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return factory(LearnerContext(settings=settings, folder=folder.absolute(), warn=warn))
        except ImportError as error:
            raise UserError(f"{name} needs {error.name or error}: {install_command('train')}") from error

    return name, make
