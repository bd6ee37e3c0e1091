"""Reading the configuration files and laying them over one another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from vmaftune.config.schema import Config, SearchTable
from vmaftune.config.validate import validated
from vmaftune.errors import UserError
from vmaftune.state.folders import config_file

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT_FILE = "vmaf-tune.toml"


class LoadedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration in force.

    Attributes:
        search: defaults for options.
        plugins: tables by plugin name, without ``enabled``.
        enabled: plugins that are switched on (True) or off (False).
        origins: for each plugin table, the files it came from.
        files: all files that were read, the strongest last.
    """

    search: SearchTable
    plugins: dict[str, dict[str, Any]]
    enabled: dict[str, bool]
    origins: dict[str, str]
    files: tuple[Path, ...]


def load_config(named: Path | None) -> LoadedConfig:
    """Read the user's file, the project's file (in the current folder) and ``--config``, each strictly validated.

    Raises:
        UserError: a file cannot be read or something in it is wrong.
    """
    candidates = [config_file(), Path(PROJECT_FILE)]
    files = [path for path in candidates if path.is_file()]
    if named is not None:
        if not named.exists():
            raise UserError(f"--config {named}: no such file")
        if named.is_dir():
            raise UserError(f"--config {named} is a folder; name a TOML file")
        files.append(named)
    search: dict[str, Any] = {}
    plugins: dict[str, dict[str, Any]] = {}
    enabled: dict[str, bool] = {}
    origins: dict[str, str] = {}
    for path in files:
        config = _read(path)
        search.update({k: v for k, v in msgspec.structs.asdict(config.search).items() if v is not None})
        for name, table in config.plugins.items():
            on = table.pop("enabled", None)
            if on is not None and not isinstance(on, bool):
                raise UserError(f"{path}: plugins.{name}.enabled = {on!r}: must be true or false")
            if on is not None:
                enabled[name] = on
            plugins[name] = _merged(plugins.get(name, {}), table)
            origins[name] = f"{origins[name]}, {path}" if name in origins else str(path)
    return LoadedConfig(
        search=SearchTable(**search), plugins=plugins, enabled=enabled, origins=origins, files=tuple(files)
    )


def _read(path: Path) -> Config:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}") from error
    return validated(table, Config, str(path))


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """``above`` laid over ``below``, table by table."""
    merged = dict(below)
    for key, value in above.items():
        held = merged.get(key)
        merged[key] = _merged(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return merged
