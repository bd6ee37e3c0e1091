"""Names that a shell may complete: those of encoders, presets, plugins, metrics and models. Asked for on every Tab: cheap."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click

from vmaftune.errors import VmafTuneError

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def _completer(names: Callable[[click.Context], Iterable[str]]) -> Completer:
    """Of names, those that begin as typed; none where they cannot be known, for a shell shows no errors."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        try:
            return sorted(name for name in names(context) if name.startswith(incomplete))
        except (VmafTuneError, OSError):
            return []

    return complete


def _encoders(context: click.Context) -> Iterable[str]:
    from vmaftune.host.manager import PluginManager

    return PluginManager().encoders


def _presets(context: click.Context) -> Iterable[str]:
    """Of the encoder that was named before, else of the default."""
    from vmaftune.host.manager import PluginManager
    from vmaftune.jobs.session import DEFAULT_ENCODER

    spec = PluginManager().encoders.get(context.params.get("encoder") or DEFAULT_ENCODER)
    return () if spec is None else spec.presets


def _of_kinds(*kinds: str) -> Callable[[click.Context], Iterable[str]]:
    def names(context: click.Context) -> Iterable[str]:
        from vmaftune.host.manager import PluginManager

        return {r.name for r in PluginManager().registrations if r.kind in kinds}

    return names


def _models(context: click.Context) -> Iterable[str]:
    from vmaftune import models

    return [models.LATEST_STABLE, *(model.id for model in models.entries())]


def _metrics(context: click.Context) -> Iterable[str]:
    from vmaftune.host.manager import PluginManager

    return PluginManager().metrics


def _vmaf_models(context: click.Context) -> Iterable[str]:
    from vmaftune.quality.vmaf import MODELS

    return MODELS


encoder = _completer(_encoders)
preset = _completer(_presets)
plugin = _completer(_of_kinds("correction", "trainer"))
predictor = _completer(_of_kinds("predictor"))
model = _completer(_models)
metric = _completer(_metrics)
vmaf_model = _completer(_vmaf_models)
