"""Which checks there are for what a user names."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.markers import PROJECT
from vmaftune.contract.plugins import CorrectionSpec, PredictorSpec
from vmaftune.ffmpeg.locate import Ffmpeg, locate
from vmaftune.host.manager import PluginManager, Spec
from vmaftune.quality.metric import Metric
from vmaftune.state.store import Store
from vmaftune.testing import corrections, encoders, metrics, predictors, trainers
from vmaftune.testing.check import Check
from vmaftune.testing.subject import Installed

_KINDS = ("predictor", "correction", "trainer", "encoders", "metric")


def checks_for(
    what: str | Spec | EncoderSpec | Metric, *, manager: PluginManager | None = None, ffmpeg: str | Path | None = None
) -> Iterator[Check]:
    """The checks of a plugin, in the order in which they are best read.

    Args:
        what: name of an installed plugin, of what it registers, or of an encoder; or a spec or a metric that need not be
            installed. The factory of such a spec stands at the top of a module, since some checks make the plugin in another
            process.
        manager: what is installed; None looks for it.
        ffmpeg: tries encoders and metrics; None takes the one that a search would take.

    Raises:
        UserError: nothing of that name is installed, it cannot be loaded, or there is nothing to check in it.
    """
    manager = manager or PluginManager()
    if isinstance(what, EncoderSpec):
        return _of_encoders([what], ffmpeg)
    if isinstance(what, Metric):
        return _of_metric(what, ffmpeg)
    if not isinstance(what, str):
        return _of_plugin(what, None, manager)
    if what in manager.encoders and all(what not in (r.name, r.plugin) for r in manager.registrations):
        return _of_encoders([manager.encoders[what]], ffmpeg)
    return _of_installed(what, manager, ffmpeg)


def _of_installed(name: str, manager: PluginManager, ffmpeg: str | Path | None) -> Iterator[Check]:
    found = manager.find(name, _KINDS)
    chosen = [r for r in manager.registrations if name == r.name] or [found]
    if found.plugin == name:
        chosen = [r for r in manager.registrations if r.plugin == name]
    checks: list[Iterator[Check]] = []
    for registration in chosen:
        if registration.kind == "encoders":
            of_group = importlib.metadata.entry_points(group=PROJECT)
            alone = PluginManager([point for point in of_group if point.name == registration.plugin])
            checks.append(_of_encoders(alone.encoders.values(), ffmpeg))
        elif registration.kind == "metric":
            checks.append(_of_metric(manager.metrics[registration.name], ffmpeg))
        elif registration.spec is not None and registration.problem is None:
            place = Installed(plugin=registration.plugin, name=registration.name, kind=registration.kind)
            checks.append(_of_plugin(registration.spec, place, manager))
    return (check for several in checks for check in several)


def _of_plugin(spec: Spec, place: Installed | None, manager: PluginManager) -> Iterator[Check]:
    if isinstance(spec, PredictorSpec):
        predictor = predictors.PredictorSubject(spec, place, manager.encoders)
        return _named(spec.name, predictors.checks(spec), predictor)
    if isinstance(spec, CorrectionSpec):
        correction = corrections.CorrectionSubject(spec, place, manager.encoders)
        return _named(spec.name, corrections.checks(spec), correction)
    trainer = trainers.TrainerSubject(spec, place, manager.encoders)
    return _named(spec.name, trainers.checks(spec), trainer)


def _of_encoders(specs: Iterable[EncoderSpec], ffmpeg: str | Path | None) -> Iterator[Check]:
    located = _located(ffmpeg)
    for spec in specs:
        yield from _named(spec.name, encoders.CHECKS, encoders.EncoderSubject(spec, located))


def _of_metric(metric: Metric, ffmpeg: str | Path | None) -> Iterator[Check]:
    return _named(str(metric.name), metrics.CHECKS, metrics.MetricSubject(metric, _located(ffmpeg)))


def _located(ffmpeg: str | Path | None) -> Callable[[], Ffmpeg]:
    """Finds the program, once."""
    return functools.cache(functools.partial(locate, ffmpeg, Store(None)))


def _named(of: str, functions: Iterable[Callable[[Any], None]], subject: object) -> Iterator[Check]:
    for function in functions:
        name = function.__name__.removeprefix("check_")
        yield Check(of=of, name=name, contract=function.__doc__ or name, run=functools.partial(function, subject))
