"""Discovery: which plugins are installed, what they register, and why one cannot be used.

A plugin is an entry point of the group ``vmaftune``. Ours are found in the same way as anybody's.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pluggy

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.hooks import VmafTuneSpec
from vmaftune.contract.markers import PLUGIN_API, PROJECT
from vmaftune.contract.plugins import CorrectionSpec, PredictorSpec, TrainerSpec
from vmaftune.errors import UserError
from vmaftune.nearest import meant
from vmaftune.quality.metric import Metric

Spec = PredictorSpec | CorrectionSpec | TrainerSpec

_KINDS: dict[str, tuple[type, str]] = {
    "vmaftune_predictors": (PredictorSpec, "predictor"),
    "vmaftune_corrections": (CorrectionSpec, "correction"),
    "vmaftune_trainers": (TrainerSpec, "trainer"),
    "vmaftune_encoders": (EncoderSpec, "encoder"),
    "vmaftune_metrics": (Metric, "metric"),
}
_EVENTS = ("vmaftune_before_probe", "vmaftune_after_probe", "vmaftune_before_score", "vmaftune_after_score")


@dataclass(frozen=True, kw_only=True)
class Registration:
    """One thing that a plugin registered, or the plugin itself where it registered nothing.

    Attributes:
        plugin: name of the entry point.
        name: of the spec; what ``--plugin``, ``--no-plugin``, ``--predictor`` and ``--metric`` take.
        kind: predictor, correction, trainer, encoders, metric, events, or ``?`` for a plugin that could not be loaded.
        spec: None for events, encoders, metrics, and plugins that could not be loaded.
        version, distribution: of it, and of the package that brought it.
        problem: why it cannot be used; None when it can.
    """

    plugin: str
    name: str
    kind: str
    spec: Spec | None
    version: str
    distribution: str
    problem: str | None


class PluginManager:
    """All installed plugins.

    Attributes:
        registrations: in the order of discovery (by distribution and name, so it is the same on every host).
        encoders, metrics: by name.
    """

    def __init__(self, entry_points: Iterable[importlib.metadata.EntryPoint] | None = None) -> None:
        self._pluggy = pluggy.PluginManager(PROJECT)
        self._pluggy.add_hookspecs(VmafTuneSpec)
        self.registrations: list[Registration] = []
        self.encoders: dict[str, EncoderSpec] = {}
        self.metrics: dict[str, Metric] = {}
        found = importlib.metadata.entry_points(group=PROJECT) if entry_points is None else entry_points
        for entry_point in sorted(found, key=_ours_first):
            self._load(entry_point)

    def of_kind(self, kind: str) -> Iterator[Registration]:
        """Usable registrations of one kind."""
        return (r for r in self.registrations if r.kind == kind and r.problem is None)

    def predictors(self, named: str | None) -> list[Registration]:
        """Predictors that are tried, in their order: the one that is named, else all that have a rank.

        Raises:
            UserError: as of find.
        """
        if named is not None:
            return [self.find(named, ("predictor",))]
        ranked = [r for r in self.of_kind("predictor") if getattr(r.spec, "default_rank", None) is not None]
        return sorted(ranked, key=lambda r: r.spec.default_rank)  # type: ignore[union-attr, arg-type, return-value]

    def find(self, name: str, kinds: Sequence[str]) -> Registration:
        """The registration that a user named.

        Raises:
            UserError: there is none of that name and kind, or it cannot be used.
        """
        named = [r for r in self.registrations if name in (r.name, r.plugin)]
        usable = [r for r in named if r.kind in kinds and r.problem is None]
        if usable:
            return next((r for r in usable if r.name == name), usable[0])
        broken = next((r for r in named if r.problem is not None), None)
        if broken is not None:
            raise UserError(f"plugin {name} cannot be used: {broken.problem}")
        if named:
            raise UserError(f"{name} is a plugin of kind {named[0].kind}, not {' or '.join(kinds)}")
        there = sorted(r.name for kind in kinds for r in self.of_kind(kind))
        listed = f"{', '.join(there) or 'none'} (vmaf-tune plugins list)"
        raise UserError(f"no plugin {name} is installed; there is: {listed}{meant(name, there)}")

    def metric(self, name: str) -> Metric:
        """The metric of that name.

        Raises:
            UserError: there is none.
        """
        if name not in self.metrics:
            there = ", ".join(sorted(self.metrics))
            raise UserError(f"--metric {name}: no such metric; there is: {there}{meant(name, self.metrics)}")
        return self.metrics[name]

    def event_caller(self, event: str, plugin: str) -> Any:
        """pluggy's caller of one event hook for one plugin alone; None where the plugin does not implement it."""
        callers = getattr(self._pluggy.hook, event).get_hookimpls()
        if not any(impl.plugin_name == plugin for impl in callers):
            return None
        others = [p for name, p in self._pluggy.list_name_plugin() if name != plugin]
        return self._pluggy.subset_hook_caller(event, others)

    def plugins_with_events(self) -> list[str]:
        """Names of the plugins that implement an event hook."""
        impls = (impl for event in _EVENTS for impl in getattr(self._pluggy.hook, event).get_hookimpls())
        return list(dict.fromkeys(impl.plugin_name for impl in impls))

    def _load(self, entry_point: importlib.metadata.EntryPoint) -> None:
        name = entry_point.name
        distribution, version = _distribution(entry_point)

        def note(kind: str, spec_name: str, spec: Spec | None, spec_version: str, problem: str | None) -> None:
            self.registrations.append(
                Registration(
                    plugin=name,
                    name=spec_name,
                    kind=kind,
                    spec=spec,
                    version=spec_version,
                    distribution=distribution,
                    problem=problem,
                )
            )

        try:
            plugin = entry_point.load()
            wanted = getattr(plugin, "vmaftune_api", PLUGIN_API)
            if wanted != PLUGIN_API:
                newer = isinstance(wanted, int) and wanted > PLUGIN_API
                mend = "upgrade vmaf-tune" if newer else "upgrade the plugin"
                note("?", name, None, version, f"it needs plugin API {wanted!r}, this is {PLUGIN_API}: {mend}")
                return
            if self._pluggy.has_plugin(name):
                note("?", name, None, version, f"another installed plugin is called {name} too; uninstall one")
                return
            self._pluggy.register(plugin, name)
            specs = list(self._specs(plugin, name))
        except (Exception, SystemExit) as error:
            if self._pluggy.has_plugin(name):
                self._pluggy.unregister(name=name)
            note("?", name, None, version, f"{type(error).__name__}: {_one_line(error)}")
            return
        encoders = [spec for spec in specs if isinstance(spec, EncoderSpec)]
        self.encoders.update({spec.name: spec for spec in encoders})
        if encoders:
            note("encoders", name, None, version, None)
        for metric in (spec for spec in specs if isinstance(spec, Metric)):
            self.metrics[metric.name] = metric
            note("metric", metric.name, None, version, None)
        for spec in specs:
            if not isinstance(spec, EncoderSpec | Metric):
                taken = any(r.name == spec.name and r.spec is not None for r in self.registrations)
                problem = f"another installed plugin registers {spec.name} too; uninstall one" if taken else None
                note(spec.kind, spec.name, spec, spec.version, problem)
        if not specs and name in self.plugins_with_events():
            note("events", name, None, version, None)

    def _specs(self, plugin: object, name: str) -> Iterator[Spec | EncoderSpec | Metric]:
        others = [p for p in self._pluggy.get_plugins() if p is not plugin]
        for hook, (spec_type, kind) in _KINDS.items():
            for yielded in self._pluggy.subset_hook_caller(hook, others)():
                for spec in yielded or ():
                    if not isinstance(spec, spec_type):
                        raise TypeError(f"{hook} of {name} yielded a {type(spec).__name__}, not a {kind} spec")
                    yield spec  # type: ignore[misc]


def _ours_first(entry_point: importlib.metadata.EntryPoint) -> tuple[bool, str, str]:
    distribution, _ = _distribution(entry_point)
    return distribution != "vmaf-tune", distribution, entry_point.name


def _distribution(entry_point: importlib.metadata.EntryPoint) -> tuple[str, str]:
    dist = entry_point.dist
    return ("?", "?") if dist is None else (dist.name, dist.version)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or "no message"
