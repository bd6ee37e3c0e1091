"""What goes with a job to another host: what was learned here, settings of plugins, and samples of the source if need be.

There the job runs in a folder of its own, with what this host has learned in it, and learns there only for itself. Its captures
come back, and are taught here, so that there is one sidecar.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from vmaftune.batch.messages import Job
from vmaftune.config.load import LoadedConfig
from vmaftune.jobs.session import Session

_CONFIG_FILE = "batch.toml"
_OF_THIS_HOST = ("config", "cache_dir", "cache")
_STATE = "*/*/{}/state.json"  # <correction>/<predictor-version>/<encoder>/, as ADR-0394 lays it out


class Away(msgspec.Struct, frozen=True, kw_only=True):
    """A job on its way.

    Attributes:
        job: without the paths of this host, but for its source and output.
        state: files of learned state by their path below the cache folder.
        config: a configuration file with the settings of plugins.
        topic: that steps are told under.
        threads: jobs at a time, by host.
    """

    job: Job
    state: dict[str, bytes]
    config: str
    topic: str
    threads: dict[str, int]


class Packer:
    """Packs jobs as one batch wants them done.

    Args:
        host: options of the run.
        ship: samples go with the job, so that the source need not be within reach there.
        warn: takes lines for a person.
    """

    def __init__(self, host: Mapping[str, Any], warn: Callable[[str], None], *, ship: bool) -> None:
        self._host, self._warn, self._ship = dict(host), warn, ship

    def pack(self, job: Job, topic: str, threads: dict[str, int], folder: Path) -> tuple[Away, list[bytes]]:
        """A job, and the content of its samples' files, none where they do not travel.

        Args:
            folder: for samples while they are read.

        Raises:
            UserError: the source, a plugin or a setting cannot be used.
        """
        session = Session({**job.options, **self._host}, self._warn)
        spec = session.encoder(None)
        options = {name: value for name, value in job.options.items() if name not in _OF_THIS_HOST}
        active = session.plugin_run(options.get("plugins") or ()).active
        options["no_plugins"] = [*(options.get("no_plugins") or ()), *(r.name for r in active if r.kind == "trainer")]
        corrections = any(registration.kind == "correction" for registration in active)
        samples: list[bytes] = []
        cut = None
        if self._ship:
            cut = session.cut(session.ffmpeg(), job.path, folder)
            samples = [sample.path.read_bytes() for sample in cut.samples]
        away = Away(
            job=msgspec.structs.replace(job, options=options, replace=_may_write(job), cut=cut),
            state=dict(_state_files(session.cache_folder, spec.name)) if corrections else {},
            config=_plugin_tables(session.config),
            topic=topic,
            threads=threads,
        )
        session.store.close()
        return away, samples


def unpack(away: Away, samples: Sequence[bytes], folder: Path) -> Job:
    """The job as it can be done here, with ``folder`` for all that came with it."""
    cache = folder / "cache"
    for name, content in away.state.items():
        file = cache / name
        if not file.resolve().is_relative_to(cache.resolve()):
            raise ValueError(f"{name} is no file of a cache folder")
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    config = folder / _CONFIG_FILE
    config.write_text(away.config, "utf-8")
    cut = away.job.cut
    if cut is not None:
        paths = [folder / f"sample-{number}{sample.path.suffix}" for number, sample in enumerate(cut.samples)]
        for path, content in zip(paths, samples, strict=True):
            path.write_bytes(content)
        there = tuple(msgspec.structs.replace(s, path=p) for s, p in zip(cut.samples, paths, strict=True))
        cut = msgspec.structs.replace(cut, samples=there)
    options = {**away.job.options, "config": str(config), "cache_dir": str(cache)}
    return msgspec.structs.replace(away.job, options=options, cut=cut)


def _may_write(job: Job) -> bool:
    """Whether the output may be there: where it is not now, it is the job's own, made by a worker that was lost after that."""
    return job.replace or job.output_path is None or not os.path.lexists(job.output_path)


def _state_files(cache: Path, encoder: str) -> Iterator[tuple[str, bytes]]:
    for path in cache.glob(_STATE.format(encoder)):
        with contextlib.suppress(FileNotFoundError):  # forgotten just now
            yield path.relative_to(cache).as_posix(), path.read_bytes()


def _plugin_tables(config: LoadedConfig) -> str:
    """The tables of plugins as TOML: a dotted key and a value on each line, both written as JSON, which TOML reads alike."""
    lines = [
        _toml_line(("plugins", name, *key), value)
        for name, table in config.plugins.items()
        for key, value in _leaves(table)
    ]
    lines += [_toml_line(("plugins", name, "enabled"), on) for name, on in config.enabled.items()]
    return "".join(lines)


def _leaves(table: Mapping[str, Any], within: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*within, key))
        else:
            yield (*within, key), value


def _toml_line(key: tuple[str, ...], value: Any) -> str:
    written = [json.dumps(part, ensure_ascii=False) for part in (*key, value)]
    return f"{'.'.join(written[:-1])} = {written[-1]}\n"
