"""What every job begins with: configuration, cache, ffmpeg, plugins, built from options and files."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vmaftune.config.load import LoadedConfig, load_config
from vmaftune.crf_search.grid import crf_grid
from vmaftune.crf_search.prober import Prober
from vmaftune.crf_search.source import EncodeRequest, PreparedSource
from vmaftune.encoders.spec import EncoderSpec, find_encoder, parse_enc
from vmaftune.errors import UserError
from vmaftune.ffmpeg.locate import Ffmpeg, locate, require_libvmaf
from vmaftune.ffmpeg.vmaf import ScoreSettings, check_pool
from vmaftune.host.manager import PluginManager
from vmaftune.host.run import PluginChoice, PluginRun
from vmaftune.media.samples import SampleRule
from vmaftune.state.folders import cache_folder
from vmaftune.state.store import Store
from vmaftune.types import FloatArray

DEFAULT_ENCODER = "libsvtav1"
STORE_FILE = "cache.sqlite"


def warn(text: str) -> None:
    """One line to the user, beside the result. Through ``sys.stderr``, where a live line makes room for it."""
    print(f"vmaf-tune: {' '.join(text.split())}", file=sys.stderr, flush=True)


class Session:
    """One run of a job.

    Args:
        options: by the names of vmaftune.jobs.options; None where the user gave none.
        warn: takes what a person should be told beside the result, one line at a time.
    """

    def __init__(self, options: Mapping[str, Any], warn: Callable[[str], None] = warn) -> None:
        self._options, self._warn = options, warn
        self.config: LoadedConfig = load_config(options.get("config"))
        self.cache_folder: Path = options.get("cache_dir") or cache_folder()
        self.store = Store(self.cache_folder / STORE_FILE if self.option("cache", True) else None, warn)
        self.manager = PluginManager()
        self._missing: set[str] = set()

    def option(self, name: str, default: Any) -> Any:
        """The flag, else the configuration's value, else the default; None there means that nobody said."""
        given = self._options.get(name)
        if given is None:
            given = getattr(self.config.search, name, None)
        return default if given is None else given

    def warn(self, text: str) -> None:
        """Tell a person something beside the result, in one line."""
        self._warn(text)

    def replaced(self, **options: Any) -> Session:
        """The same run with other values of some options."""
        other = copy.copy(self)
        other._options = {**self._options, **options}
        return other

    def ffmpeg(self) -> Ffmpeg:
        """The ffmpeg to use, able to score.

        Raises:
            UserError: there is none, or it lacks libvmaf.
        """
        chosen = self.option("ffmpeg", None)
        found = locate(Path(chosen) if chosen is not None else None, self.store)
        require_libvmaf(found)
        return found

    def encoder(self, ffmpeg: Ffmpeg | None) -> EncoderSpec:
        """The encoder asked for, known to us and to ``ffmpeg``.

        Raises:
            UserError: one of them does not know it.
        """
        return find_encoder(self.option("encoder", DEFAULT_ENCODER), self.manager.encoders, ffmpeg)

    def grid(self, spec: EncoderSpec) -> FloatArray:
        """The CRF grid of a search: the encoder's, within the bounds the user set.

        Raises:
            UserError: the bounds leave none, or are not the encoder's.
        """
        return crf_grid(
            spec, self.option("min_crf", None), self.option("max_crf", None), self.option("crf_increment", None)
        )

    def encode_request(self, spec: EncoderSpec) -> EncodeRequest:
        """How the source is to be encoded and scored.

        Raises:
            UserError: an option is out of range.
        """
        rule = SampleRule(
            samples=self.option("samples", None),
            every_seconds=self._above_zero("sample_every", 720.0),
            duration_seconds=self._sample_duration(),
            min_samples=self.option("min_samples", 1),
        )
        score = ScoreSettings(
            model=self.option("vmaf_model", None),
            scale=self.option("vmaf_scale", "auto"),
            pool=check_pool(self.option("pool", "mean")),
        )
        return EncodeRequest(
            encoder=spec,
            preset=self.option("preset", None),
            pix_fmt=self.option("pix_format", None),
            video_filter=self.option("vfilter", None),
            extra=parse_enc(self._options.get("enc") or ()),
            rule=rule,
            score=score,
        )

    def threads(self) -> int:
        """Threads of libvmaf: all processors this process may use, unless told otherwise."""
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        chosen: int = self.option("vmaf_threads", available)
        return chosen

    def prober(self, ffmpeg: Ffmpeg, source: PreparedSource, folder: Path, *, explore: bool) -> Prober:
        """Makes the probes of a prepared source, kept in this session's cache.

        Args:
            folder: for temporary files.
            explore: whether a part may be scored first.

        Raises:
            UserError: ``--pool`` is none.
        """
        pool = check_pool(self.option("pool", "mean"))
        return Prober(
            ffmpeg, source, pool=pool, threads=self.threads(), store=self.store, folder=folder, explore=explore
        )

    @contextmanager
    def plugins(self) -> Iterator[PluginRun]:
        """The plugins of this run; trainers are closed at its end.

        Raises:
            UserError: a plugin or a setting of one is wrong.
        """
        run = self.plugin_run(self._options.get("plugins") or ())
        try:
            yield run
        finally:
            run.close()

    def plugin_run(self, named: Sequence[str]) -> PluginRun:
        """The plugins of a run with ``--plugin`` for each of ``named``; its trainers are not closed. Raises as plugins."""
        named_off = tuple(self._options.get("no_plugins") or ())
        named_on = tuple(named)
        passive = self._names("predictor", "encoders", "events") - self._names("correction", "trainer", "?")
        on = [name for name, enabled in self.config.enabled.items() if enabled and name not in passive]
        installed = {n for r in self.manager.registrations for n in (r.name, r.plugin)}
        for name, origin in self.config.origins.items():
            if name not in installed and name not in self._missing:
                self._missing.add(name)
                self._not_installed(name, origin)
        both = ({r.name, r.plugin} for r in self.manager.registrations)  # either name switches a plugin on and off
        meant = {name for names in both if names & set(named_on) for name in names}
        off = [n for n, enabled in self.config.enabled.items() if not enabled and n in installed - meant]
        settings, origins = self._settings()
        choice = PluginChoice(
            on=(*named_on, *(name for name in on if name not in named_on)),
            off=(*named_off, *off),
            predictor=self.option("predictor", None),
            settings=settings,
            settings_origins=origins,
            strict=self.option("strict_plugins", False),
        )
        return PluginRun(self.manager, choice, self.cache_folder, self._warn)

    def _settings(self) -> tuple[Mapping[str, Mapping[str, Any]], Mapping[str, str]]:
        """Tables of the configuration by plugin and where they are from, with ``--model`` for the predictor in use.

        Raises:
            UserError: that predictor has no such setting.
        """
        tables, origins, model = self.config.plugins, self.config.origins, self._options.get("model")
        if model is None:
            return tables, origins
        named = self.option("predictor", None)
        using = next(
            (r.name for r in self.manager.predictors(named) if r.spec and "model" in r.spec.settings.__struct_fields__),
            None,
        )
        if using is None:
            raise UserError(f"--model {model}: predictor {named or 'in use'} has no model to choose")
        return {**tables, using: {**tables.get(using, {}), "model": model}}, {**origins, using: "--model"}

    def _names(self, *kinds: str) -> set[str]:
        return {name for r in self.manager.registrations if r.kind in kinds for name in (r.name, r.plugin)}

    def _not_installed(self, name: str, origin: str) -> None:
        """A table of a plugin that is not there: an error where it is to be on, worth a word where it is not."""
        if self.config.enabled.get(name):
            there = ", ".join(sorted(r.name for kind in ("correction", "trainer") for r in self.manager.of_kind(kind)))
            raise UserError(f"{origin}: plugins.{name}.enabled = true: no such plugin is installed; there is: {there}")
        self._warn(f"{origin}: no plugin {name} is installed for [plugins.{name}]")

    def _sample_duration(self) -> float:
        value: float = self.option("sample_duration", 20.0)
        if value < 0:
            raise UserError(f"--sample-duration {value:g} must be above 0, or 0 for the whole source")
        return value

    def _above_zero(self, name: str, default: float) -> float:
        value: float = self.option(name, default)
        if not value > 0:
            raise UserError(f"--{name.replace('_', '-')} {value:g} must be above 0")
        return value
