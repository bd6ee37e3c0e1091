"""Which corrections a ``vmaf-tune sidecar`` command looks after, and which predictor version each has in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.inspection import Inspectable, LearnedState
from vmaftune.encoders.spec import find_encoder
from vmaftune.errors import PluginError, UserError, VmafTuneError
from vmaftune.host import versions
from vmaftune.host.inspection import Inspection
from vmaftune.host.manager import Registration
from vmaftune.host.run import PluginRun
from vmaftune.jobs.session import DEFAULT_ENCODER, Session, warn
from vmaftune.learned.ordinary import ordinary_context
from vmaftune.learned.scales import named_scale
from vmaftune.quality.scale import USUAL, Scale


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """One correction, as a search that uses it would have it.

    Attributes:
        name: of the correction.
        run: a run in which it is on.
        inspection: what it has learned.
    """

    name: str
    run: PluginRun
    inspection: Inspection

    def version(self, encoder: EncoderSpec, preset: str | None, scale: Scale = USUAL) -> str:
        """What it keeps its state by when an ordinary source is encoded with this preset, and its scores are of that scale."""
        predictor_version = self.run.version_for(ordinary_context(encoder, preset, scale))
        return self.run.state_version(self.name, predictor_version, scale)

    def in_use(self, state: LearnedState, session: Session) -> bool:
        """Whether a search of today, at one of the state's presets, would use it."""
        encoder = session.manager.encoders.get(state.encoder)
        if encoder is None:
            return False
        try:
            scale = versions.scale_in(state.predictor_version)
        except ValueError:  # of another version of vmaf-tune, or somebody's own folder
            return False
        presets = {preset or None for preset in state.presets} or {None}
        return any(self.version(encoder, preset, scale) == state.predictor_version for preset in presets)


def sidecar_session(options: dict[str, Any]) -> Session:
    """A session that opens no cache: what was learned is not in it."""
    return Session({**options, "cache": False})


def all_chosen(session: Session, named: Sequence[str]) -> list[Chosen]:
    """Those named, else every installed correction that can be looked after; an alternative only if somebody uses it.

    Raises:
        UserError: one that was named cannot, or there is none.
        PluginError: one that was named fails.
    """
    names = dict.fromkeys(session.manager.find(name, ("correction",)).name for name in named)
    found = []
    for registration in session.manager.of_kind("correction"):
        name = registration.name
        if names and name not in names:
            continue
        try:
            chosen = _chosen(session, registration)
        except PluginError as error:
            if named:
                raise
            warn(f"{error}; it is left out")
            continue
        if chosen is not None:
            if names or _is_used(session, registration, chosen):
                found.append(chosen)
        elif named:
            raise UserError(
                f"{name} shows nothing of what it learned (vmaftune.contract.Inspectable), so it must be looked at by hand"
            )
    if not found:
        raise VmafTuneError("no correction that can be looked after is installed; see vmaf-tune plugins list")
    return found


def one_chosen(session: Session, named: Sequence[str]) -> Chosen:
    """The one that was named, else the only one there is. Raises as all_chosen, and UserError where there are several."""
    found = all_chosen(session, named)
    if len(found) > 1:
        raise UserError(
            f"this takes one correction: say --plugin with one of {', '.join(chosen.name for chosen in found)}"
        )
    return found[0]


def named_encoder(session: Session, name: str | None) -> EncoderSpec:
    """The encoder of that name; where None was named, the one that a search would use. Raises UserError."""
    wanted = session.option("encoder", DEFAULT_ENCODER) if name is None else name
    return find_encoder(wanted, session.manager.encoders, None, "--encoder" if name is None else "encoder")


def used_states(session: Session, chosen: Chosen, encoder: str, scale: Scale | None = None) -> list[LearnedState]:
    """What it has learned of an encoder with the predictors in use; of one scale where one is given."""
    states = [state for state in chosen.inspection.states() if state.encoder == encoder]
    return [state for state in states if is_of(state, scale) and chosen.in_use(state, session)]


def named_scale_option(session: Session, identity: str | None) -> Scale | None:
    """The scale that ``--scale`` names. Raises UserError."""
    return None if identity is None else named_scale(identity, session.manager.metrics, "--scale")


def is_of(state: LearnedState, scale: Scale | None) -> bool:
    """Whether a state is of that scale; None is any."""
    return scale is None or versions.identity_in(state.predictor_version) == scale.identity


def unit_of(session: Session, predictor_version: str) -> str:
    """Unit of the scores that a state of that version is of, for people."""
    try:
        metric = session.manager.metrics[versions.scale_in(predictor_version).metric]
    except (KeyError, ValueError):  # of a metric that is not installed here
        return "score"
    return metric.unit or metric.title


def nothing_learned(names: Sequence[str]) -> str:
    """One line that says so, and how to begin."""
    begin = f"vmaf-tune crf-search --plugin {names[0]} -i FILE"
    return f"nothing was learned yet: {begin} begins, or vmaf-tune sidecar record FILE.jsonl"


def switched_on(session: Session) -> list[str]:
    """Corrections that the configuration switches on."""
    enabled = {name for name, on in session.config.enabled.items() if on}
    return [r.name for r in session.manager.of_kind("correction") if {r.name, r.plugin} & enabled]


def _is_used(session: Session, registration: Registration, chosen: Chosen) -> bool:
    if not getattr(registration.spec, "alternative", False) or registration.name in switched_on(session):
        return True
    return bool(chosen.inspection.states())


def _chosen(session: Session, registration: Registration) -> Chosen | None:
    # One that the configuration switches on stands in its chain; another one is as --plugin would have it.
    name = registration.name
    run = session.plugin_run(() if name in switched_on(session) else (name,))
    version = run.version_for(ordinary_context(named_encoder(session, None), None))
    correction = run.correction(name, version)
    if not isinstance(correction, Inspectable):
        return None
    return Chosen(name=name, run=run, inspection=Inspection(name, correction))
