"""Teaching this host's corrections and trainers what jobs elsewhere scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vmaftune.batch.messages import Result
from vmaftune.batch.perform import failure
from vmaftune.batch.queue import Row
from vmaftune.host.run import PluginRun
from vmaftune.jobs.session import Session
from vmaftune.json_text import encoded
from vmaftune.learned.captures import read_sources
from vmaftune.learned.teach import teach

_CHOICE = ("plugins", "no_plugins", "predictor", "model")


class Teacher:
    """Takes in the captures of results, in the order that those come. A context manager: trainers are closed at its end.

    Args:
        host: options of the run.
        warn: takes lines for a person.
    """

    def __init__(self, host: Mapping[str, Any], warn: Callable[[str], None]) -> None:
        self._host, self._warn = dict(host), warn
        self._runs: dict[bytes, tuple[Session, PluginRun]] = {}

    def __enter__(self) -> Teacher:
        return self

    def __exit__(self, *error: object) -> None:
        for _, run in self._runs.values():
            run.close()

    def learn(self, row: Row, result: Result) -> None:
        """Take in what ``result`` brought; what cannot be learned is told of and left out."""
        if not result.captures:
            return
        try:
            session, run = self._run(row)
            if run.active:
                lines = [encoded(capture) for capture in result.captures]
                teach(run, read_sources(lines, row.path.name, session.manager.encoders, session.manager.metrics))
        except Exception as error:  # it is done and recorded: what it teaches ends no batch
            self._warn(f"nothing was learned from {row.path.name}: {failure(error).reason}")

    def _run(self, row: Row) -> tuple[Session, PluginRun]:
        """Plugins as the row wants them, made once for all rows that want them so."""
        choice = {name: row.options[name] for name in _CHOICE if name in row.options}
        key = encoded(choice)
        if key not in self._runs:
            session = Session({**choice, **self._host}, self._warn)
            self._runs[key] = session, session.plugin_run(choice.get("plugins") or ())
        return self._runs[key]
