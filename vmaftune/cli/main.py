"""Entry point: the commands, loaded when they are used, and what becomes of errors and signals."""

from __future__ import annotations

import contextlib
import importlib
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from vmaftune import __version__
from vmaftune.cli.streams import escaped_streams
from vmaftune.ending import unwind_on_signals
from vmaftune.errors import VmafTuneError, foreseen
from vmaftune.events.stream import EventStream
from vmaftune.nearest import meant

_COMMANDS = {
    "crf-search": "find the coarsest CRF whose verified VMAF reaches a target",
    "encode": "search, then encode the whole with every stream kept",
    "batch": "search and encode many files: a durable queue, several at a time",
    "score": "VMAF of one video against another",
    "worst-frames": "the frames of an encode that came out worst, and their pictures",
    "predict": "the predicted VMAF(CRF) curve of a source, without encoding",
    "compare": "encoders and presets at equal VMAF: size, time, BD-rate",
    "ladder": "which resolution to stream at which bitrate",
    "plugins": "what is installed, and what is on",
    "sidecar": "what this host has learned: look at it, teach it, share it, forget it",
    "models": "the models that predictions come from",
    "cache": "what is kept of earlier searches",
    "corpus": "measure curves that predictors are made from",
    "train": "make a predictor anew from a corpus",
    "tiny": "small models that give VMAF from libvmaf's features: corpus, training, evaluation",
    "trainer": "train while this host encodes: the service, how it does, and training in one go",
    "doctor": "what was found on this host, and what is missing",
    "mcp": "scores and searches as tools for assistants (Model Context Protocol)",
    "completion": "the script that makes a shell complete all this",
}
_ALIAS = "--crf-search"
_AGAIN_SECONDS = 0.02


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are run: ``--help`` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module = importlib.import_module(f"vmaftune.cli.{name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """``--crf-search`` is a synonym of the command, wherever it stands; a shell that completes comes through here too."""
        if _ALIAS in args and args[0] not in _COMMANDS:
            args.remove(_ALIAS)
            args.insert(0, "crf-search")
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"no such command {args[0]!r}{meant(args[0], _COMMANDS)}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        named = {**_COMMANDS, _ALIAS: _COMMANDS["crf-search"]} if incomplete.startswith("-") else _COMMANDS
        commands = [CompletionItem(n, help=text) for n, text in named.items() if n.startswith(incomplete)]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="vmaf-tune")
def cli() -> None:
    """Encode video to a quality: finds the coarsest CRF with a verified VMAF in a few probes, and learns on this host.

    \b
    vmaf-tune --crf-search --plugin ridge-sidecar -i film.mkv -e libsvtav1 --min-vmaf 93
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its code: 0, 1 our failure, 2 the user's mistake, 3 target not met, 130 interrupted."""
    unwind_on_signals()
    sys.unraisablehook = _unraisable
    with escaped_streams():
        sys.exit(_run(list(sys.argv[1:] if arguments is None else arguments)))


def _run(arguments: list[str]) -> int:
    events = EventStream()
    fail = partial(_fail, events)
    try:
        outcome: Any = cli.main(arguments, prog_name="vmaf-tune", standalone_mode=False, obj=events)
        return outcome if isinstance(outcome, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.UsageError as error:
        message = error.format_message().rstrip(".")
        command = error.ctx.command_path if error.ctx is not None else "vmaf-tune"
        events.on = events.on or "--events" in arguments  # an unknown option ends parsing before that one is looked at
        return fail(f"{message[:1].lower()}{message[1:]}; see {command} --help", error.exit_code)
    except click.ClickException as error:
        return fail(error.format_message(), error.exit_code)
    except VmafTuneError as error:
        return fail(str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return fail("interrupted", 130)
    except SystemExit as error:
        if isinstance(error.code, int) and error.code > 128:
            events.failed(f"ended by {signal.Signals(error.code - 128).name}", error.code)
        raise
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        known = foreseen(error)
        return fail(str(known), known.exit_code)
    except Exception as error:
        return fail(_fault(error), 1)


def _fail(events: EventStream, message: str, code: int) -> int:
    line = " ".join(message.split())
    with contextlib.suppress(OSError):  # a terminal that was closed
        print(f"vmaf-tune: {line}", file=sys.stderr)
    events.failed(line, code)
    return code


def _fault(error: Exception) -> str:
    """An error that nobody foresaw, with the place it came from."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name} line {place.lineno}"
    return f"a fault of vmaf-tune itself, please report it: {type(error).__name__}: {error} (in {where})"


def _unraisable(ignored: sys.UnraisableHookArgs) -> None:
    """Python drops what is raised in a destructor or beside a fork: an interrupt that lands there is sent again."""
    if issubclass(ignored.exc_type, KeyboardInterrupt | SystemExit):
        unwind_on_signals()
        code = getattr(ignored.exc_value, "code", None)
        number = code - 128 if isinstance(code, int) and code > 128 else signal.SIGINT
        again = threading.Timer(_AGAIN_SECONDS, signal.pthread_kill, (threading.main_thread().ident, number))
        again.daemon = True
        again.start()
    else:
        sys.__unraisablehook__(ignored)
