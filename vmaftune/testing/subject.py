"""A plugin under test: how it is made, here and in processes of its own."""

from __future__ import annotations

import importlib.metadata
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from vmaftune.config.validate import validated
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.markers import PROJECT
from vmaftune.contract.plugins import PluginContext
from vmaftune.host.manager import PluginManager, Spec
from vmaftune.state.workspace import workspace
from vmaftune.testing.check import ContractError, described
from vmaftune.testing.process import Order, Report, run_together

PREDICTOR_VERSION = "checked-0badcafe"
"""Version of the predictor that corrections and trainers are told of."""

SpecOf = TypeVar("SpecOf", bound=Spec)


@dataclass(frozen=True, kw_only=True)
class Installed:
    """Where an installed spec is found, in any process. Fields as in vmaftune.host.manager.Registration."""

    plugin: str
    name: str
    kind: str

    def load(self) -> Spec:
        """The spec, through its own entry point; no other plugin is loaded."""
        points = importlib.metadata.entry_points(group=PROJECT)
        spec = (
            PluginManager([point for point in points if point.name == self.plugin]).find(self.name, (self.kind,)).spec
        )
        assert spec is not None
        return spec


class Subject(Generic[SpecOf]):
    """A plugin under test.

    Attributes:
        spec: its spec.
        encoders: that are installed, by name.

    Args:
        place: where it is installed; None for a spec that is handed to other processes as it is.
    """

    def __init__(self, spec: SpecOf, place: Installed | None, encoders: Mapping[str, EncoderSpec]) -> None:
        self.spec, self._place, self.encoders = spec, place, encoders

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty cache folder for the while."""
        # What a trainer still writes in the background is not in the way.
        with workspace() as folder:
            yield folder.resolve()

    def make(self, folder: Path, predictor_version: str = PREDICTOR_VERSION) -> Any:
        """An instance with default settings."""
        return made(self.spec, folder, predictor_version)

    def together(
        self,
        folder: Path,
        job: Callable[..., Any],
        arguments: Sequence[tuple[Any, ...]],
        *,
        local_sockets: bool = False,
    ) -> list[Report]:
        """Call ``job(instance, *arguments)`` in processes that run at the same time, one for each of ``arguments``.

        Args:
            folder: the cache folder of all of them.
            job: stands at the top of a module.
            local_sockets: sockets of this host (AF_UNIX) are no network.

        Raises:
            ContractError: a process failed, or the plugin cannot be made in another one.
        """
        try:
            spec = pickle.dumps(self._place or self.spec)
        except Exception as error:
            mend = "pass the name of the installed plugin, or define factory and settings at the top of a module"
            raise ContractError(f"it cannot be made in another process ({described(error)}): {mend}") from error
        order = Order(spec=spec, folder=folder, job=job, local_sockets=local_sockets)
        return run_together(order, arguments)


def made(spec: Spec, folder: Path, predictor_version: str = PREDICTOR_VERSION) -> Any:
    """An instance of a plugin, with default settings, as the host makes it."""
    context = PluginContext(
        settings=validated({}, spec.settings, "no configuration"),
        predictor_version="" if spec.kind == "predictor" else predictor_version,
        cache_folder=folder,
        warn=lambda text: None,
    )
    return spec.factory(context)
