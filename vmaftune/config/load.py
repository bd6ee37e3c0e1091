"""Reading the configuration files and laying them over one another."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from vmaftune.config.bound import laid_over
from vmaftune.config.schema import Config, SearchTable
from vmaftune.config.validate import validated
from vmaftune.errors import UserError
from vmaftune.ffmpeg.program import program_path
from vmaftune.state.folders import config_file
from vmaftune.state.regular import read_regular

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT_FILE = "vmaf-tune.toml"
FILES_VARIABLE = "VMAFTUNE_CONFIG_FILES"
"""Which files are looked for beside ``--config``: ``user`` the user's alone, ``none`` neither; else the project's too."""

_LARGEST_BYTES = 2**20
_DEEPEST = 32

Key = tuple[str, ...]
"""A key with the tables it stands in, such as ("plugins", "ridge-sidecar", "lambda")."""


class LoadedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration in force.

    Attributes:
        search: defaults for options.
        plugins: tables by plugin name, without ``enabled``.
        enabled: plugins that are switched on (True) or off (False).
        places: for each key, the file that its value came from.
        files: all files that were read, the strongest last.
        unknown: a line for each place where nobody can tell whether a file is there.
    """

    search: SearchTable
    plugins: dict[str, dict[str, Any]]
    enabled: dict[str, bool]
    places: dict[Key, str]
    files: tuple[Path, ...]
    unknown: tuple[str, ...] = ()

    @property
    def origins(self) -> dict[str, str]:
        """For each plugin table, the files it came from."""
        files: dict[str, dict[str, None]] = {}
        for key, file in self.places.items():
            if key[0] == "plugins":
                files.setdefault(key[1], {})[file] = None
        return {name: ", ".join(its) for name, its in files.items()}


def load_config(named: Path | None) -> LoadedConfig:
    """Read the user's file, the project's file (in the current folder) and ``--config``, each strictly validated.

    A folder that cannot be looked into has no file for us.

    Raises:
        UserError: a file cannot be read or something in it is wrong.
    """
    files, unknown = _found()
    if named is not None:
        _check(named)
        files.append(named)
    search: dict[str, Any] = {}
    plugins: dict[str, dict[str, Any]] = {}
    enabled: dict[str, bool] = {}
    places: dict[Key, str] = {}
    for path in files:
        table = _read(path)
        config = validated(table, Config, str(path))
        places.update(dict.fromkeys(_keys(table), str(path)))
        given = {k: v for k, v in msgspec.structs.asdict(config.search).items() if v is not None}
        if config.search.ffmpeg is not None:
            given["ffmpeg"] = str(program_path(config.search.ffmpeg, path.absolute().parent))
        try:
            search = laid_over(search, given)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
        for name, table in config.plugins.items():
            on = table.pop("enabled", None)
            if on is not None and not isinstance(on, bool):
                raise UserError(f"{path}: plugins.{name}.enabled = {on!r}: must be true or false")
            if on is not None:
                enabled[name] = on
            plugins[name] = _merged(plugins.get(name, {}), table)
    return LoadedConfig(
        search=SearchTable(**search),
        plugins=plugins,
        enabled=enabled,
        places=places,
        files=tuple(files),
        unknown=unknown,
    )


def _found() -> tuple[list[Path], tuple[str, ...]]:
    """The files that are there, the user's first, and a line for each folder that cannot be looked into."""
    which = os.environ.get(FILES_VARIABLE)
    files, unknown = [], []
    for path in () if which == "none" else (config_file(),) if which == "user" else (config_file(), Path(PROJECT_FILE)):
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            where = path.parent if path.is_absolute() else "the current folder"
            unknown.append(f"{where} cannot be read ({error.strerror}): a {path.name} in it is not in force")
            continue
        if path.is_file():
            files.append(path)
    return files, tuple(unknown)


def _check(named: Path) -> None:
    """Raise UserError unless ``--config`` names a file."""
    try:
        named.stat()
    except OSError as error:
        why = "no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise UserError(f"--config {named}: {why}") from error
    if named.is_dir():
        raise UserError(f"--config {named} is a folder; name a TOML file")


def _read(path: Path) -> dict[str, Any]:
    try:
        table: dict[str, Any] = tomllib.loads(read_regular(path, _LARGEST_BYTES).decode())
        _check_depth(table)
        return table
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}") from error
    except RecursionError:
        raise UserError(f"{path} is not valid TOML: it is nested too deep") from None


def _check_depth(table: dict[str, Any]) -> None:
    """Raise RecursionError where tables are nested deeper than any setting of ours or of a plugin."""
    within: list[Any] = [table]
    for _ in range(_DEEPEST):
        below = [value.values() if isinstance(value, dict) else value for value in within]
        within = [value for values in below for value in values if isinstance(value, dict | list)]
        if not within:
            return
    raise RecursionError


def _keys(table: dict[str, Any], within: Key = ()) -> Iterator[Key]:
    """All keys that hold something: a value, or a table with nothing in it."""
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _keys(value, (*within, key))
        else:
            yield (*within, key)


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """``above`` laid over ``below``, table by table."""
    merged = dict(below)
    for key, value in above.items():
        held = merged.get(key)
        merged[key] = _merged(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return merged
