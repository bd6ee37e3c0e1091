"""What every job begins with: configuration, cache, ffmpeg, plugins, built from options and files."""

from __future__ import annotations

import copy
import functools
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec

from vmaftune.config.bound import laid_over, search_for
from vmaftune.config.load import LoadedConfig, load_config
from vmaftune.contract.curves import FloatArray
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.crf_search.grid import crf_grid
from vmaftune.crf_search.prober import Prober
from vmaftune.crf_search.source import CutSource, EncodeRequest, PreparedSource, cut_source, prepare
from vmaftune.encoders.enc_option import parse_enc
from vmaftune.encoders.safe import check_safe
from vmaftune.encoders.spec import find_encoder, number
from vmaftune.errors import UserError
from vmaftune.ffmpeg.locate import Ffmpeg, locate, require_libvmaf
from vmaftune.host.manager import PluginManager
from vmaftune.host.run import PluginChoice, PluginRun
from vmaftune.media.decoded import decoded_facts
from vmaftune.media.facts import MediaFacts, shown
from vmaftune.media.samples import SampleRule
from vmaftune.nearest import meant
from vmaftune.printable import printable
from vmaftune.quality.metric import Metric
from vmaftune.quality.scale import USUAL
from vmaftune.quality.settings import ScoreSettings
from vmaftune.quality.targets import TARGET_OPTIONS, TARGETS, metric_named, target_named
from vmaftune.state.folders import cache_folder
from vmaftune.state.store import Store

Given = ParamSpec("Given")
Made = TypeVar("Made")

DEFAULT_ENCODER = "libsvtav1"
STORE_FILE = "cache.sqlite"

_OPTION_WITH_VALUE = re.compile(r"--(?P<name>[a-z][a-z-]*) (?P<value>'[^']*'|\S+)")


def warn(text: str) -> None:
    """One line to the user, beside the result. Through ``sys.stderr``, where a live line makes room for it."""
    print(f"vmaf-tune: {printable(' '.join(text.split()))}", file=sys.stderr, flush=True)


def names_origins(job: Callable[Concatenate[Session, Given], Made]) -> Callable[Concatenate[Session, Given], Made]:
    """A job whose errors name where a value that is wrong came from, as Session.origins_named says."""

    @functools.wraps(job)
    def run(session: Session, /, *given: Given.args, **named: Given.kwargs) -> Made:
        with session.origins_named():
            return job(session, *given, **named)

    return run


class Session:
    """One run of a job.

    Args:
        options: by the names of vmaftune.jobs.options; None where the user gave none.
        warn: takes what a person should be told beside the result, one line at a time.

    Attributes:
        warnings: all that a person was told so, a line each, once each.
    """

    def __init__(self, options: Mapping[str, Any], warn: Callable[[str], None] = warn) -> None:
        self._options, self._tell = options, warn
        self.warnings: list[str] = []
        self.config: LoadedConfig = load_config(options.get("config"))
        self._search = search_for(self.config.search, options)
        for line in self.config.unknown:
            self.warn(line)
        self.cache_folder: Path = options.get("cache_dir") or cache_folder()
        self.store = Store(self.cache_folder / STORE_FILE if self.option("cache", True) else None, self.warn)
        self.manager = PluginManager()
        self._missing: set[str] = set()
        self._damaged: set[Path] = set()

    def option(self, name: str, default: Any) -> Any:
        """The flag, else the configuration's value, else the default; None there means that nobody said."""
        given = self._options.get(name)
        if given is None:
            given = getattr(self._search, name, None)
        return default if given is None else given

    def told_of(self, name: str) -> str:
        """Where an option's value came from, for a person: ``--ffmpeg``, or its key in a configuration file."""
        file = self.config.places.get(("search", name.replace("_", "-")))
        if file is None or self._options.get(name) is not None:
            return f"--{name.replace('_', '-')}"
        return f"search.{name.replace('_', '-')} in {file}"

    @contextmanager
    def origins_named(self) -> Iterator[None]:
        """An error in here that names an option, with a value that the configuration gave, names its key and file instead."""
        try:
            yield
        except UserError as error:
            text = _OPTION_WITH_VALUE.sub(self._origin, str(error))
            if text == str(error):
                raise
            raise type(error)(text) from error

    def _origin(self, found: re.Match[str]) -> str:
        name, value = found["name"].replace("-", "_"), found["value"]
        known = self.config.search
        held = getattr(known, name, None)
        written = {str(held), repr(held), f"{held:g}" if isinstance(held, float) else str(held)}
        bare = value.rstrip(":;,")
        file = self.config.places.get(("search", found["name"]))
        if held is None or file is None or self._options.get(name) is not None or bare not in written:
            return found[0]
        return f"search.{found['name']} = {bare} (in {file}){value[len(bare) :]}"

    def warn(self, text: str) -> None:
        """Tell a person something beside the result, in one line; once, however many parts of a job come upon it."""
        line = " ".join(text.split())
        if line not in self.warnings:
            self.warnings.append(line)
            self._tell(line)

    def warn_of(self, source: Path) -> Callable[[str], None]:
        """The same of what is said of one source."""
        return lambda text: self.warn(f"{shown(source.name)}: {text}")

    def replaced(self, **options: Any) -> Session:
        """The same run with other values of some options."""
        other = copy.copy(self)
        other._options = laid_over(self._options, options)
        other._search = search_for(self.config.search, other._options)
        return other

    def ffmpeg(self) -> Ffmpeg:
        """The ffmpeg to use, able to score.

        Raises:
            UserError: there is none, or it lacks libvmaf.
        """
        found = locate(self.option("ffmpeg", None), self.store, self.told_of("ffmpeg"))
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

    def given_crf(self, spec: EncoderSpec) -> float | None:
        """The CRF to encode at without a search, where the user named one.

        Raises:
            UserError: the encoder does not take it.
        """
        crf: float | None = self.option("crf", None)
        low, high = spec.quality_range
        if crf is not None and not low <= crf <= high:
            raise UserError(f"--crf {number(crf)}: {spec.name} takes {number(low)} to {number(high)}")
        return crf

    def encode_request(self, spec: EncoderSpec) -> EncodeRequest:
        """How the source is to be encoded and scored.

        Raises:
            UserError: an option is wrong or out of range, or ``--safe`` refuses it.
        """
        rule = SampleRule(
            samples=self.option("samples", None),
            every_seconds=self._above_zero("sample_every", 720.0),
            duration_seconds=self._sample_duration(),
            min_samples=self.option("min_samples", 1),
        )
        if self.option("safe", False):
            enc = self._options.get("enc") or ()
            check_safe(self.option("vfilter", None), enc, self.option("vmaf_model", None))
        return EncodeRequest(
            encoder=spec,
            preset=self.option("preset", None),
            pix_fmt=self.option("pix_format", None),
            video_filter=self.option("vfilter", None),
            extra=parse_enc(self._options.get("enc") or ()),
            rule=rule,
            score=self.score_settings(),
        )

    def metric(self) -> Metric:
        """What is measured.

        Raises:
            UserError: there is no such metric, or two are asked for.
        """
        named = metric_named({name: self.option(name, None) for name in ("metric", *TARGETS)})
        return self.manager.metric(named or USUAL.metric)

    def target(self) -> float | None:
        """The score that is asked for, in the unit of metric(); None where none is.

        Raises:
            UserError: two are asked for.
        """
        return target_named({name: self.option(name, None) for name in TARGET_OPTIONS})

    def with_target(self, target: float) -> Session:
        """The same run with another target of the same metric."""
        return self.replaced(metric=self.metric().name, min_score=target)

    def score_settings(self) -> ScoreSettings:
        """How scores are made.

        Raises:
            UserError: an option is wrong.
        """
        metric = self.metric()
        return ScoreSettings(
            metric=metric,
            model=self.option("vmaf_model", None),
            generation=self.option("vmaf_generation", None),
            size=self.option("vmaf_scale", "auto"),
            pool=metric.check_pool(self.option("pool", "mean")),
        )

    def facts(self, ffmpeg: Ffmpeg, path: Path, option: str = "video_stream") -> MediaFacts:
        """The facts of a video; what a person should know of it is told, once in a run.

        Args:
            option: that names its stream.

        Raises:
            UserError: it cannot be used, or has no such stream.
        """
        facts = decoded_facts(ffmpeg, path, self.option(option, None), f"--{option.replace('_', '-')}")
        for line in facts.notes:
            self.warn_of(path)(line)
        return facts

    def cut(self, ffmpeg: Ffmpeg, path: Path, folder: Path) -> CutSource:
        """A source, read and cut to ``folder`` as the options want its samples.

        Raises:
            UserError: it cannot be used.
            VmafTuneError: the samples cannot be written.
        """
        rule = self.encode_request(self.encoder(ffmpeg)).rule
        return cut_source(path, self.facts(ffmpeg, path), rule, folder, self.store)

    def prepared(
        self,
        ffmpeg: Ffmpeg,
        path: Path,
        folder: Path,
        source: CutSource | None = None,
        height: int | None = None,
        on_measure: Callable[[Path, float], None] | None = None,
    ) -> PreparedSource:
        """A source made ready for probing; what a person should know of it is told.

        Args:
            folder: where samples are cut to.
            source: the same, where it was read and cut already; ``path`` need not be there then.
            height: in pixels that encodes are scaled to; None leaves them.
            on_measure: as of prepare.

        Raises:
            UserError: the source cannot be used, or the options do not fit it.
        """
        source = self.cut(ffmpeg, path, folder) if source is None else source
        request = msgspec.structs.replace(self.encode_request(self.encoder(ffmpeg)), height=height)
        prepared = prepare(ffmpeg, path, request, self.store, folder, source, on_measure, warn=self.warn_of(path))
        self.tell_damage(path, prepared.measured.damage)
        return prepared

    def tell_damage(self, path: Path, damage: str) -> None:
        """That a source is damaged, in one line however often it is met; ``damage`` is what a decoder said
        (vmaftune.ffmpeg.damage), if anything."""
        if damage and path not in self._damaged:
            self._damaged.add(path)
            self.warn_of(path)(f"its video is damaged, and is used as ffmpeg decodes it ({damage})")

    def threads(self) -> int:
        """Threads of libvmaf: all processors this process may use, unless told otherwise."""
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        chosen: int = self.option("vmaf_threads", available)
        return chosen

    def prober(
        self, ffmpeg: Ffmpeg, source: PreparedSource, folder: Path, *, explore: bool, apart: bool = False
    ) -> Prober:
        """Makes the probes of a prepared source, kept in this session's cache.

        Args:
            folder: for temporary files.
            explore: whether a part may be scored first.
            apart: as of Prober.
        """
        threads, store = self.threads(), self.store
        return Prober(ffmpeg, source, threads=threads, store=store, folder=folder, explore=explore, apart=apart)

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
        passive = self._names("predictor", "encoders", "metric", "events") - self._names("correction", "trainer", "?")
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
        return PluginRun(self.manager, choice, self.cache_folder, self.warn, self.store)

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
            there = sorted(r.name for kind in ("correction", "trainer") for r in self.manager.of_kind(kind))
            near = meant(name, there)
            raise UserError(
                f"{origin}: plugins.{name}.enabled = true: no such plugin is installed; there is: {', '.join(there)}{near}"
            )
        near = meant(name, {r.name for r in self.manager.registrations})
        self.warn(f"{origin}: no plugin {name} is installed for [plugins.{name}]{near}")

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
