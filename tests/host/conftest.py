"""Third-party plugins as pip leaves them: a module and a dist-info folder on the path, found through entry points."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a plugin: its entry-point name, the source of its module, and optionally its distribution."""
    before = set(sys.modules)

    def install(name: str, source: str, distribution: str | None = None, module: str | None = None) -> None:
        distribution = distribution or f"vmaftune-{name}"
        site = tmp_path / f"site-{distribution}"
        info = site / f"{distribution.replace('-', '_')}-1.2.3.dist-info"
        info.mkdir(parents=True)
        target = module or f"plugin_{name.replace('-', '_')}_{distribution.replace('-', '_')}"
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2.3\n")
        (info / "entry_points.txt").write_text(f"[vmaftune]\n{name} = {target}\n")
        if module is None:
            (site / f"{target}.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(str(site))

    yield install
    for name in set(sys.modules) - before:
        if name.startswith("plugin_"):
            del sys.modules[name]
