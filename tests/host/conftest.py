"""Third-party plugins as pip leaves them: a module and a dist-info folder on the path, found through entry points."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.crf_search.conftest import FEATURES_OF_A_SOURCE, CurveProber
from vmaftune.crf_search.engine import Observer, Outcome, search
from vmaftune.crf_search.grid import crf_grid
from vmaftune.crf_search.strategy import Goal
from vmaftune.host.manager import PluginManager
from vmaftune.host.run import PluginChoice, PluginRun

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


def search_with(choice: PluginChoice, cache_folder: Path, warn: Callable[[str], None] = print) -> Outcome:
    """A whole search of an ordinary curve with what is installed."""
    manager = PluginManager()
    plugins = PluginRun(manager, choice, cache_folder, warn)
    spec = manager.encoders["libx264"]
    outcome = search(
        features=FEATURES_OF_A_SOURCE,
        encoder=spec,
        preset="medium",
        grid=crf_grid(spec, None, None, None),
        goal=Goal(target=93.0, tolerance=0.25),
        max_encoded_percent=None,
        prober=CurveProber(lambda crf: 99.0 - 0.012 * max(0.0, crf - 8) ** 2),
        plugins=plugins,
        observer=Observer(),
    )
    plugins.close()
    return outcome
