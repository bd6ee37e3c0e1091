"""No package imports one above it: the floors of vmaftune, and what stands on which, as the source's imports say.

The order is printed by ``pytest -s`` of this file, and by ``python tests/package/test_floors.py``.
"""

from __future__ import annotations

import ast
import graphlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
HOST, PLUGINS = "vmaftune", "vmaftune_plugins"
FOLDERS = {HOST: "vmaftune", PLUGINS: "plugins"}

# From the ground up: a package imports what is before it in this list. Those in one string share a floor, and import each
# other still.
FLOORS = (
    "errors",
    "printable",
    "nearest",
    "json_text",
    "ending",
    "undisturbed",
    "extras",
    "escape",
    "quality",
    "contract",
    "state",
    "ffmpeg",
    "media",
    "encoders",
    "encoding",
    "config",
    "features",
    "crf_search",
    "host",
    "shots",
    "models",
    "corpus",
    "training",
    "tiny",
    "learned",
    "trainer",
    "jobs",
    "api",
    "vmaftune",  # the door, vmaftune/__init__.py: what stands above may import the version from it
    "batch",
    "events",
    "report",
    "mcp_server",
    "testing",
    "cli",
    "__main__",
)

# What a plugin may rely on beside ``from vmaftune import hookimpl``, and what the contract itself is made of.
CONTRACT = ("vmaftune.contract", "vmaftune.errors")
BELOW_THE_CONTRACT = (
    "vmaftune.contract",
    "vmaftune.errors",
    "vmaftune.escape",
    "vmaftune.quality",
    "numpy",
    "msgspec",
    "pluggy",
)

# Packages of the host that our own plugins import besides: whoever writes such a plugin elsewhere has to do without them.
BEYOND_THE_CONTRACT = {
    "metrics": "quality",
    "predictors": "models nearest",
    "sidecars": "extras",
    "trainers": "corpus features host models state trainer training",
}


class Import(NamedTuple):
    """Module ``of`` imports module ``what`` (or something of it) in that line of that file."""

    of: str
    what: str
    path: Path
    line: int


def floors(root: Path = ROOT) -> dict[str, int]:
    """Number of the floor of each package, 1 for the ground floor; 0 for one that was given none."""
    without = {package_of(name): 0 for name in modules(root, HOST)}
    return without | {package: number for number, floor in enumerate(FLOORS, 1) for package in floor.split()}


def package_of(module: str) -> str:
    """``cli`` of ``vmaftune.cli.batch.run``; the door is called ``vmaftune``."""
    return module.split(".")[1] if "." in module else module


def modules(root: Path, top: str) -> dict[str, Path]:
    """Files of the modules of a top-level package, by dotted name."""
    folder = root / FOLDERS[top]
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        found[".".join((top, *(part for part in parts if part != "__init__")))] = path
    return found


def imports(root: Path) -> list[Import]:
    """All imports by our modules: at the top, within functions, for types alone, and those of ``import_module("name")``."""
    there = modules(root, HOST) | modules(root, PLUGINS)
    return [
        Import(name, what if what in there else what.rpartition(".")[0] if attribute else what, path, line)
        for name, path in there.items()
        for what, attribute, line in _imported(ast.parse(path.read_text("utf-8")), name, path.stem == "__init__")
    ]


def _imported(tree: ast.Module, name: str, is_package: bool) -> Iterator[tuple[str, bool, int]]:
    """What is imported, whether its last part can be something within a module, and the line."""
    package = name if is_package else name.rpartition(".")[0]
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                for alias in node.names:
                    yield alias.name, False, node.lineno
            case ast.ImportFrom():
                above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
                base = ".".join([*above, *([node.module] if node.module else [])])
                for alias in node.names:
                    yield f"{base}.{alias.name}", True, node.lineno
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module"),
                args=[ast.Constant(value=str(named)), *_],
            ):
                yield named, False, node.lineno


def upward(root: Path) -> list[str]:
    """A line for each import of a package that is above the one that imports it, or of a plugin."""
    number = floors(root)
    lines = []
    for one in imports(root):
        if one.of.split(".")[0] != HOST:
            continue
        low, where = package_of(one.of), f"{one.path.relative_to(root)}:{one.line}"
        if one.what.split(".")[0] == PLUGINS:
            lines.append(f"{where}: {low} imports {one.what}, and the host knows no plugin by name")
        elif one.what.split(".")[0] == HOST and number[package_of(one.what)] > number[low]:
            high = package_of(one.what)
            lines.append(f"{where}: {low} (floor {number[low]}) imports {high} (floor {number[high]}): {one.what}")
    return lines


def order(root: Path) -> str:
    """The floors from the top down, each with the packages below it that it imports."""
    number = floors(root)
    stands_on: dict[str, set[str]] = {package: set() for package in number}
    for one in imports(root):
        if one.of.split(".")[0] == one.what.split(".")[0] == HOST and package_of(one.of) != package_of(one.what):
            stands_on[package_of(one.of)].add(package_of(one.what))
    lines = []
    for package in sorted(number, key=lambda package: -number[package]):
        below = ", ".join(sorted(stands_on[package], key=lambda below: -number[below]))
        lines.append(f"{number[package]:2}  {package:12} {below and f'imports {below}'}".rstrip())
    return "\n".join(lines)


def test_every_package_has_one_floor() -> None:
    listed = " ".join(FLOORS).split()
    assert sorted(listed) == sorted({package_of(name) for name in modules(ROOT, HOST)})


def test_no_package_imports_one_above_it() -> None:
    print(f"\n{order(ROOT)}")
    assert not (found := upward(ROOT)), "\n".join(found)


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph: dict[str, set[str]] = {}
    for one in imports(ROOT):
        if one.what != one.of:
            graph.setdefault(one.of, set()).add(one.what)
    graphlib.TopologicalSorter(graph).prepare()


def test_the_contract_stands_on_little() -> None:
    allowed = sys.stdlib_module_names.union(BELOW_THE_CONTRACT)
    for one in imports(ROOT):
        if package_of(one.of) == "contract" and one.of.startswith(HOST):
            assert allowed.intersection(_roots(one.what)), f"{one.path}:{one.line}: the contract imports {one.what}"


def test_our_plugins_rely_on_the_contract() -> None:
    beyond: dict[str, set[str]] = {}
    for one in imports(ROOT):
        if one.of.startswith(PLUGINS) and one.what.split(".")[0] == HOST and not _in_contract(one.what):
            beyond.setdefault(package_of(one.of), set()).add(package_of(one.what))
    assert {plugins: " ".join(sorted(packages)) for plugins, packages in beyond.items()} == BEYOND_THE_CONTRACT


def _in_contract(module: str) -> bool:
    return module == HOST or not set(CONTRACT).isdisjoint(_roots(module))


def _roots(module: str) -> list[str]:
    """``a.b.c``, ``a.b`` and ``a``."""
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(len(parts), 0, -1)]


WRONG = {
    "at the top": "from vmaftune.cli.output import say",
    "of the package": "from vmaftune import cli",
    "within a function": "def f():\n    import vmaftune.cli.output",
    "for types": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from vmaftune.cli.output import say",
    "by its place": "from ..cli import output",
    "by its name": "import importlib\nimportlib.import_module('vmaftune.cli.output')",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_an_import_of_one_above_is_found(tmp_path: Path, text: str) -> None:
    files = {"__init__": "", "cli/__init__": "", "cli/output": "say = 1", "jobs/__init__": "", "jobs/encode": text}
    for name, content in files.items():
        path = tmp_path / "vmaftune" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (line,) = upward(tmp_path)
    jobs, cli, number = floors()["jobs"], floors()["cli"], len(text.splitlines())
    assert line.startswith(
        f"vmaftune/jobs/encode.py:{number}: jobs (floor {jobs}) imports cli (floor {cli}): vmaftune.cli"
    )


def test_a_plugin_that_is_imported_by_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "vmaftune").mkdir()
    (tmp_path / "vmaftune" / "errors.py").write_text("import vmaftune_plugins.encoders")
    assert upward(tmp_path) == [
        "vmaftune/errors.py:1: errors imports vmaftune_plugins.encoders, and the host knows no plugin by name"
    ]


if __name__ == "__main__":
    print(order(ROOT))
    sys.exit("\n".join(["", *found]) if (found := upward(ROOT)) else 0)
