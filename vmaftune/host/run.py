"""The plugins of one run: which are on, and every call to them."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from vmaftune.config.validate import validated
from vmaftune.contract.curves import Adjustment, CurveContext, Prediction
from vmaftune.contract.plugins import Correction, PluginContext, Predictor, Trainer
from vmaftune.contract.positions import crf_positions
from vmaftune.contract.records import ProbeRecord, ProbeRequest
from vmaftune.crf_search.curve import PredictedCurve
from vmaftune.crf_search.prior import uninformed
from vmaftune.errors import PluginError, Unsupported
from vmaftune.host import versions
from vmaftune.host.answers import LARGEST_SHIFT, checked_adjustment, checked_prediction
from vmaftune.host.manager import PluginManager, Registration
from vmaftune.host.pending import Lesson, PendingCaptures
from vmaftune.host.relations import Bridge, shipped
from vmaftune.quality.metric import Metric
from vmaftune.quality.scale import USUAL, Scale
from vmaftune.quality.vmaf import VMAF
from vmaftune.state.store import Store

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class PluginChoice:
    """What the user chose.

    Attributes:
        on: names of corrections and trainers that take part.
        off: names that do not, whatever else says so.
        predictor: by name; None takes the one of the lowest rank that supports the encoder.
        settings: tables of the configuration by plugin name (``[plugins.NAME]``).
        settings_origins: the files each of them came from, for errors.
        strict: a failing plugin ends the run.
    """

    on: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    predictor: str | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    settings_origins: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False


class PluginRun:
    """Calls plugins for one run, of one source or several; the only place from which one is called after loading.

    Args:
        manager: what is installed.
        choice: what the user wants of it.
        cache_folder: where plugins may write.
        warn: shows one line.
        store: where scores are kept, and with them what is not learned of them yet; None where they are not.

    Raises:
        UserError: a name or a setting is wrong.
    """

    def __init__(
        self,
        manager: PluginManager,
        choice: PluginChoice,
        cache_folder: Path,
        warn: Callable[[str], None],
        store: Store | None = None,
    ) -> None:
        self._manager, self._choice, self._cache_folder, self._warn = manager, choice, cache_folder, warn
        self._off: set[str] = set()
        self._settings: dict[str, Any] = {}
        for name in choice.off:
            manager.find(name, ("predictor", "correction", "trainer", "events", "encoders"))
        self._predictors = [r for r in manager.predictors(choice.predictor) if not self._is_off(r)]
        active = [manager.find(name, ("correction", "trainer")) for name in dict.fromkeys(choice.on)]
        active = [r for r in active if not self._is_off(r)]
        for registration in [*self._predictors, *active]:
            self._settings[registration.name] = self._validated(registration)
        self._registered = {r.name: r for r in [*self._predictors, *active]}
        self._active = [r.name for r in active]
        self._made_predictors: dict[str, Predictor] = {}
        # By the predictor's version and the scale: sources may differ in both.
        self._corrections: dict[tuple[str, Scale], dict[str, Correction]] = {}
        self._trainers: dict[str, Trainer] = {}
        self._events = [plugin for plugin in manager.plugins_with_events() if plugin not in choice.off]
        self._callers: dict[tuple[str, str], Any] = {}
        self._store = store
        self._pending = None if store is None else PendingCaptures(store, cache_folder)
        self._handed_over: list[Callable[[], None]] = []
        self._told: set[str] = set()
        self.predictor_version = ""

    @property
    def active(self) -> list[Registration]:
        """Corrections and trainers that are on and have not failed."""
        return [self._registered[name] for name in self._active if name not in self._off]

    def predict(self, context: CurveContext) -> PredictedCurve:
        """The local prior of one source: the first predictor that can, then every correction.

        Where a filter goes before the encode, corrections take no part, and a line says so once.

        Raises:
            PluginError: no predictor could, and one was named or ``--strict-plugins`` is set.
        """
        name, bare = self._bare(context)
        curve, given, adjustments = bare, {}, {}
        left_out = self._left_out() if context.filtered else None
        corrections = {} if context.filtered else self._start_active(context.scale)
        largest = LARGEST_SHIFT * self._metric(context.scale).grain
        for correction_name, correction in corrections.items():

            def correct(correction: Correction = correction, curve: Prediction = curve) -> Adjustment:
                return checked_adjustment(correction.correct(context, curve), len(context.crfs), largest)

            adjustment = self._guarded(correction_name, "correct", correct)
            if adjustment is not None:
                given[correction_name], adjustments[correction_name] = curve, adjustment
                curve = _adjusted(curve, adjustment)
        return PredictedCurve(
            predictor=name,
            context=context,
            bare=bare,
            corrected=curve,
            given=given,
            adjustments=adjustments,
            left_out=left_out,
            limits=self._metric(context.scale).limits(context.scale.model),
        )

    def learn(self, curve: PredictedCurve, index: int, observed: float, unix_seconds: float) -> None:
        """Hand one score to every correction and trainer that is on, where the curve teaches.

        Args:
            curve: as predicted.
            index: place of the CRF in its grid.
            observed: score, of the curve's scale.
        """
        self.teach(self.lessons(curve, index, observed, unix_seconds))

    @contextmanager
    def remembering(self, curve: PredictedCurve, index: int) -> Iterator[Callable[[float], list[Lesson]]]:
        """Within, a score is made and kept in the store. Yields what is to be called with that score: it notes in the same
        transaction what is to be learned of it, and returns that for ``teach``. Killed before that, the next run learns it."""
        with self._store.together() if self._store is not None else nullcontext():

            def remember(observed: float) -> list[Lesson]:
                lessons = self.lessons(curve, index, observed, time.time())
                if self._pending is None or not lessons or not self._pending.ready():
                    return lessons
                version, scale = curve.predictor_version, curve.context.scale
                return [self._pending.noted(one, self._version_of(one.name, version, scale)) for one in lessons]

            yield remember

    def teach(self, lessons: Iterable[Lesson]) -> None:
        """Let corrections and trainers learn. What a trainer took in counts as learned when the run is over, for it may wait
        till then."""
        for lesson in lessons:
            try:
                self._guarded(lesson.name, "learn", functools.partial(lesson.learner.learn, lesson.capture))
            except PluginError:
                lesson.learned()  # it would fail again in every run to come
                raise
            if lesson.name in self._trainers:
                self._handed_over.append(lesson.learned)
            else:
                lesson.learned()

    def lessons(self, curve: PredictedCurve, index: int, observed: float, unix_seconds: float) -> list[Lesson]:
        """What each correction and trainer that is on is to learn of one score: corrections under the state of its scale."""
        if not curve.teaches:
            return []
        corrections = self._corrections.get((curve.predictor_version, curve.context.scale), {})
        of_corrections = [
            Lesson(name=name, learner=one, capture=curve.capture_for(name, index, observed, unix_seconds))
            for name, one in corrections.items()
            if name in curve.given
        ]
        capture = curve.capture(index, observed, unix_seconds)
        return [*of_corrections, *(Lesson(name=n, learner=t, capture=capture) for n, t in self._trainers.items())]

    def _version_of(self, name: str, predictor_version: str, scale: Scale) -> str:
        """What a learner that is on keeps what it learned by."""
        correction = self._registered[name].kind == "correction"
        return self.state_version(name, predictor_version, scale) if correction else predictor_version

    def _teach_left_over(self, name: str, learner: Correction | Trainer, version: str) -> None:
        """Let a learner that was just started learn what runs that were killed left for it."""
        if self._pending is not None:
            for capture, learned in self._pending.take(name, version):
                if name not in self._off:
                    self.teach([Lesson(name=name, learner=learner, capture=capture, learned=learned)])

    def version_for(self, context: CurveContext) -> str:
        """Version of the predictor that gives the curve of ``context``. Raises as predict."""
        self._bare(context)
        return self.predictor_version

    def state_version(self, name: str, predictor_version: str, scale: Scale = USUAL) -> str:
        """What a correction that is on keeps its state by: the predictor's version, the scale, the corrections before it."""
        names = [n for n in self._active if self._registered[n].kind == "correction"]
        return versions.of_state(predictor_version, scale, names[: names.index(name)])

    def correction(self, name: str, predictor_version: str, scale: Scale = USUAL) -> Correction:
        """A correction that is on, as a search with that predictor makes it for that scale.

        Raises:
            PluginError: it cannot be made.
        """
        spec: Any = self._registered[name].spec
        context = self._context(name, self.state_version(name, predictor_version, scale), scale)
        made: Correction = called(name, "start", functools.partial(spec.factory, context))
        return made

    def settings(self, name: str) -> Any:
        """Validated settings of a plugin that is on."""
        return self._settings[name]

    def before_probe(self, request: ProbeRequest) -> None:
        """Tell every plugin that an encode and its scoring begin."""
        self._event("vmaftune_before_probe", request=request)
        self._event("vmaftune_before_score", request=request)

    def after_probe(self, request: ProbeRequest, record: ProbeRecord) -> None:
        """Tell every plugin what came of them."""
        self._event("vmaftune_after_score", request=request, record=record)
        self._event("vmaftune_after_probe", request=request, record=record)

    def close(self) -> None:
        """The run is over: trainers hand over what they hold."""
        for name, trainer in self._trainers.items():
            self._guarded(name, "close", trainer.close)
        while self._handed_over:
            self._handed_over.pop()()
        if self._pending is not None:
            self._pending.close()

    def _is_off(self, registration: Registration) -> bool:
        return registration.name in self._choice.off or registration.plugin in self._choice.off

    def _validated(self, registration: Registration) -> Any:
        assert registration.spec is not None
        name = registration.name
        origin = self._choice.settings_origins.get(name, "the configuration")
        return validated(self._choice.settings.get(name, {}), registration.spec.settings, origin, f"plugins.{name}")

    def _context(self, name: str, predictor_version: str = "", scale: Scale = USUAL) -> PluginContext:
        return PluginContext(
            settings=self._settings[name],
            predictor_version=predictor_version,
            cache_folder=self._cache_folder,
            warn=lambda text: self._warn(f"{name}: {text}"),
            scale=scale,
            grain=self._metric(scale).grain,
        )

    def _metric(self, scale: Scale) -> Metric:
        """The metric of a scale; VMAF where that one is not installed, as for state that is only looked at."""
        return self._manager.metrics.get(scale.metric, VMAF)

    def _bare(self, context: CurveContext) -> tuple[str, Prediction]:
        """What the first predictor that can says: of the scale itself, or of the nearest that it knows, turned into it."""
        why = []
        for registration in self._predictors:
            name, spec = registration.name, registration.spec
            if name in self._off:
                continue
            asked, bridge = _asked_of(spec, context)
            if asked is None:
                why.append(f"{name}: {context.scale} follows from no scale that it knows")
                continue

            def predict(
                name: str = name, spec: Any = spec, asked: CurveContext = asked
            ) -> tuple[Predictor, Prediction] | Unsupported:
                try:
                    if name not in self._made_predictors:
                        self._made_predictors[name] = spec.factory(self._context(name))
                    predictor = self._made_predictors[name]
                    prediction = predictor.predict(asked)
                    return predictor, checked_prediction(prediction, asked, self._metric(asked.scale))
                except Unsupported as unsupported:
                    return unsupported

            outcome = self._guarded(name, "predict", predict)
            if isinstance(outcome, Unsupported):
                why.append(f"{name}: {outcome}")
            elif outcome is not None:
                predictor, prediction = outcome
                self.predictor_version = predictor.version
                if bridge is not None:
                    self.predictor_version += f".{shipped().version}"
                    at = crf_positions(context.encoder, context.crfs)
                    prediction = bridge.over(prediction, at, self._metric(context.scale))
                note = "; ".join([*why, *([prediction.note] if prediction.note else [])]) or None
                return f"{name}@{self.predictor_version}", Prediction(
                    mean=prediction.mean, covariance=prediction.covariance, note=note
                )
        note = "; ".join([*why, "no predictor knows this curve, the search starts without one"])
        self.predictor_version = "none"
        return "none@none", uninformed(context, note, self._metric(context.scale))

    def _left_out(self) -> str | None:
        """Why those that are on take no part, told once; None where none is on."""
        names = [registration.name for registration in self.active]
        if not names:
            return None
        verb = "takes" if len(names) == 1 else "take"
        text = (
            f"{' and '.join(names)} {verb} no part, and nothing is learned: a filter of yours makes other pictures"
            " of the source than those that its features are of"
        )
        if text not in self._told:
            self._told.add(text)
            self._warn(text)
        return text

    def _start_active(self, scale: Scale) -> dict[str, Correction]:
        """The corrections that are on for the predictor's version and a scale; they and the trainers are made where they are
        not yet."""
        version = self.predictor_version
        corrections = self._corrections.setdefault((version, scale), {})
        for name in self._active:
            spec: Any = self._registered[name].spec
            correction = spec.kind == "correction"
            if name not in self._off and name not in corrections and name not in self._trainers:
                context = self._context(name, self._version_of(name, version, scale), scale if correction else USUAL)
                made = self._guarded(name, "start", functools.partial(spec.factory, context))
                if made is not None:
                    (corrections if correction else self._trainers)[name] = made
                    self._teach_left_over(name, made, context.predictor_version)
        return corrections

    def _event(self, event: str, **arguments: Any) -> None:
        for plugin in self._events:
            if plugin in self._off:
                continue
            key = (event, plugin)
            if key not in self._callers:
                self._callers[key] = self._manager.event_caller(event, plugin)
            if (caller := self._callers[key]) is not None:
                self._guarded(plugin, event, functools.partial(caller, **arguments))

    def _guarded(self, name: str, doing: str, call: Callable[[], Result]) -> Result | None:
        """Call a plugin; when it fails, say so once and leave it alone for the rest of the run."""
        if name in self._off:
            return None
        try:
            return called(name, doing, call)
        except PluginError as error:
            if self._choice.strict or name == self._choice.predictor:
                raise
            self._off.add(name)
            self._warn(f"{error}; it is switched off for this run")
            return None


def called(name: str, doing: str, call: Callable[[], Result]) -> Result:
    """What ``call`` of a plugin returns.

    Raises:
        PluginError: it raised; one line says what.
    """
    try:
        return call()
    except Exception as error:
        text = " ".join(str(error).split())
        raise PluginError(f"plugin {name} failed in {doing}: {type(error).__name__}: {text}") from error


def _adjusted(curve: Prediction, adjustment: Adjustment) -> Prediction:
    """The curve after one correction; the same object where that changes nothing."""
    if adjustment.covariance is None and not np.any(adjustment.shift != 0.0):
        return curve
    covariance = curve.covariance if adjustment.covariance is None else adjustment.covariance
    return Prediction(mean=curve.mean + adjustment.shift, covariance=covariance, note=curve.note)


def _asked_of(spec: Any, context: CurveContext) -> tuple[CurveContext | None, Bridge | None]:
    """What a predictor is asked for, and how its answer becomes what is wanted; None where there is no way to that."""
    if context.scale in spec.scales:
        return context, None
    bridge = shipped().bridge(spec.scales, context.scale)
    return None if bridge is None else replace(context, scale=bridge.known), bridge
