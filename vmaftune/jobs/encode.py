"""The full encode: the CRF is searched, the whole is encoded with every stream kept, looked at, and given its name."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec
import numpy as np

from vmaftune.contract.curves import CurveContext
from vmaftune.crf_search.curve import PredictedCurve
from vmaftune.crf_search.source import PreparedSource, settle
from vmaftune.crf_search.strategy import Goal
from vmaftune.encoders.spec import EncoderSettings, number
from vmaftune.encoding.arguments import full_arguments, joined_arguments, of_one_size
from vmaftune.errors import FfmpegError, NoRoomError, TargetError, UserError, VmafTuneError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.damage import damage_of
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.host.run import PluginRun
from vmaftune.jobs.containers import CONTAINERS
from vmaftune.jobs.encode_check import Pair, check_frames, score_whole, video_packets
from vmaftune.jobs.encode_lost import keep_tags, lost, mixed_down
from vmaftune.jobs.encode_place import Place
from vmaftune.jobs.encode_report import EncodeReport
from vmaftune.jobs.encode_streams import StreamPlan, plan_streams
from vmaftune.jobs.larger import encode_is_larger, search_is_larger
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.observers import Observers
from vmaftune.jobs.search import limit_of, run_search
from vmaftune.jobs.search_report import SearchReport, not_met
from vmaftune.jobs.session import Session, names_origins
from vmaftune.jobs.shots import JoinedVideo, check_options, encode_shots
from vmaftune.media.facts import MediaFacts, read_facts, shown
from vmaftune.media.samples import SampleRule, cut
from vmaftune.quality.compare import check_pairing
from vmaftune.quality.metric import Comparison
from vmaftune.quality.scale import Scale
from vmaftune.quality.scored import scored_by
from vmaftune.state.workspace import workspace

_REHEARSED_SECONDS = 0.2
_REHEARSED_AT_MOST_SECONDS = 5.0


class _Rehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """What the options come to for the source, and a line for each stream of audio that has fewer channels in the output."""

    settings: EncoderSettings
    comparison: Comparison
    scale: Scale
    mixed_down: list[str]


class _Decided(msgspec.Struct, frozen=True, kw_only=True):
    """How a source is encoded: found by a search (then with its report and the curve it began from), given, or done already,
    shot by shot."""

    crf: float
    settings: EncoderSettings
    comparison: Comparison
    scale: Scale
    search: SearchReport | None = None
    curve: PredictedCurve | None = None
    joined: JoinedVideo | None = None

    @property
    def notes(self) -> list[str]:
        """What predictor and corrections have to say."""
        if self.joined is not None:
            return self.joined.notes
        return [] if self.curve is None else self.curve.notes


class _Kept(JobObserver):
    """Keeps what a search had: its source, and the curve that it began from."""

    source: PreparedSource
    curve: PredictedCurve

    def prepared(self, source: PreparedSource, goal: Goal) -> None:
        self.source = source

    def predicted(self, curve: PredictedCurve, crf: float, score: float) -> None:
        self.curve = curve


@names_origins
def run_encode(
    session: Session, path: Path, output: Path | None, observer: JobObserver, plugins: PluginRun | None = None
) -> EncodeReport:
    """One full encode as the session's options want it (vmaftune.jobs.options.EncodeOptions).

    Args:
        output: its suffix names the container; None is ``<stem>.<encoder>.mkv`` beside the source.
        plugins: those of a longer job; None begins and ends its own.

    Raises:
        UserError: an option or the source is wrong, or the output is there already.
        TargetError: no CRF reaches the target, or the result is over ``--max-encoded-percent``; nothing was written.
        VmafTuneError: a failure of ours or of the machine; nothing was written.
    """
    began = time.monotonic()
    session.score_settings()
    ffmpeg = session.ffmpeg()
    spec = session.encoder(ffmpeg)
    check_options(session, spec)
    limit_of(session)
    place = Place(session, path, output, spec.name, ffmpeg.version)
    if (made := place.made_before()) is not None:
        for line in made.warnings:
            session.warn(line)
        return made
    place.check_free()
    facts = session.facts(ffmpeg, path)
    streams = plan_streams(ffmpeg, path, facts.stream_index, spec.name, place.target, session.option("acodec", None))
    warn, published = session.warn_of(path), False
    try:
        with ExitStack() as stack:
            run = stack.enter_context(session.plugins()) if plugins is None else plugins
            folder = stack.enter_context(place.folder())
            full = _Full(session, ffmpeg, path, facts, streams, place.target)
            rehearsed = full.rehearse()
            for line in (*streams.left_out, *rehearsed.mixed_down):
                warn(line)
            if session.option("per_shot", False):
                beside = streams.beside
                joined = encode_shots(session, ffmpeg, path, facts, place.target, beside, folder, observer, run)
                decided = _Decided(
                    crf=joined.crf,
                    settings=joined.settings,
                    comparison=joined.comparison,
                    scale=joined.scale,
                    joined=joined,
                )
            else:
                decided = _decide(session, ffmpeg, path, rehearsed, observer, run)
            ahead = None if decided.search is None else search_is_larger(decided.search)
            if ahead is not None:  # before hours are spent on it
                warn(ahead)
            report, pair = full.encode(decided, folder, observer)
            if ahead is None and (larger := encode_is_larger(report)) is not None:
                warn(larger)
            for line in lost(path, streams.mapped, pair.encode, place.target):
                warn(line)
            if decided.joined is not None:
                observer.scored(decided.joined.scores)
            seconds = round(time.monotonic() - began, 3)
            report = msgspec.structs.replace(report, total_seconds=seconds, warnings=list(session.warnings))
            place.publish(pair.encode, report)
            published = True
            if decided.joined is None and session.option("final_score", False):
                pair = msgspec.structs.replace(pair, encode=place.target)
                report = _scored(session, ffmpeg, report, decided, pair, run, observer)
                seconds = round(time.monotonic() - began, 3)
                report = msgspec.structs.replace(report, total_seconds=seconds, warnings=list(session.warnings))
                place.remember(report)
    except Exception as error:
        if published:  # hours of work are there: whatever went wrong, a person has to know that
            raise VmafTuneError(f"{shown(place.target)} is whole, but after that: {error}") from error
        raise
    return report


def missed(report: EncodeReport) -> str | None:
    """One line where the score of the whole falls short of the target by more than the tolerance; the file stays."""
    final, measure = report.final_score, report.measure
    if final is None:
        return None
    whole = f"the whole has {measure.text(final)}, {'below' if measure.higher_is_better else 'above'} the target of"
    if (by_shot := report.per_shot) is not None and not measure.reaches(final, by_shot.target):
        return f"{whole} {by_shot.target:g}, after {by_shot.rounds} encodes of it; ask for {measure.harder}"
    if (search := report.search) is None or measure.reaches(final, measure.off(search.target, -search.tolerance)):
        return None
    return (
        f"{whole} {search.target:g} by more than {search.tolerance:g}: its samples, with {measure.amount(search.score)}, stand"
        f" badly for it; search with more (--samples) or {measure.harder}"
    )


def _decide(
    session: Session, ffmpeg: Ffmpeg, path: Path, rehearsed: _Rehearsed, observer: JobObserver, run: PluginRun
) -> _Decided:
    spec = session.encoder(ffmpeg)
    crf = session.given_crf(spec)
    if crf is None:
        kept = _Kept()
        report = run_search(session, path, Observers(observer, kept), run)
        if not report.target_met:
            raise TargetError(not_met(report))
        source = kept.source
        return _Decided(
            crf=report.crf,
            settings=source.settings,
            comparison=source.comparison,
            scale=source.scale,
            search=report,
            curve=kept.curve,
        )
    if not (session.option("final_score", False) and run.active):
        return _Decided(crf=crf, settings=rehearsed.settings, comparison=rehearsed.comparison, scale=rehearsed.scale)
    with workspace() as folder:
        source = session.prepared(ffmpeg, path, folder, on_measure=observer.measuring)
    crfs = np.array([crf])
    features, preset, scale = source.measured.features, source.settings.preset, source.scale
    curve = run.predict(CurveContext(features=features, encoder=spec, preset=preset, crfs=crfs, scale=scale))
    return _Decided(crf=crf, settings=source.settings, comparison=source.comparison, scale=scale, curve=curve)


class _Full:
    """The one ffmpeg run that makes the file."""

    def __init__(
        self, session: Session, ffmpeg: Ffmpeg, path: Path, facts: MediaFacts, streams: StreamPlan, target: Path
    ) -> None:
        self._session, self._ffmpeg, self._path, self._facts = session, ffmpeg, path, facts
        self._streams, self._target = streams, target
        self._frames = facts.declared_frames or max(1, round(facts.duration_seconds * facts.fps))

    def rehearse(self) -> _Rehearsed:
        """Make the first moment of the output as the whole will be made, so that what cannot be made is found out first.

        Raises:
            UserError: the container, an encoder or ``--acodec`` is not up to it.
        """
        spec = self._session.encoder(self._ffmpeg)
        crf = self._session.option("crf", None)
        with workspace() as folder:
            request = self._session.encode_request(spec)
            short = SampleRule(samples=1, duration_seconds=1.0)
            samples = cut(self._path, self._facts, short, folder) if request.tries else []
            warn = self._session.warn_of(self._path)
            settled = settle(self._ffmpeg, request, self._facts, samples, folder, warn)
            settings = settled.settings
            made = folder / "rehearsal"
            seconds = min(_REHEARSED_SECONDS + self._streams.late_seconds, _REHEARSED_AT_MOST_SECONDS)
            arguments = self._arguments(settings, spec.search_range[1] if crf is None else crf, made, seconds)
            try:
                process.run(self._ffmpeg.path, arguments)
            except FfmpegError as error:
                mend = (
                    "" if self._target.suffix == ".mkv" else "; name an output that ends in .mkv to keep every stream"
                )
                raise UserError(
                    f"cannot encode {shown(self._path.name)} to {shown(self._target.name)}: {error.reason}{mend}"
                ) from error
            fewer = mixed_down(self._path, self._streams.mapped, made)
        return _Rehearsed(settings=settings, comparison=settled.comparison, scale=settled.scale, mixed_down=fewer)

    def encode(self, decided: _Decided, folder: Path, observer: JobObserver) -> tuple[EncodeReport, Pair]:
        """Make it in ``folder`` and look at it."""
        made = folder / "encode.part"
        progress = None
        if decided.joined is None:
            observer.encoding(self._target, decided.crf, self._frames)
            progress = _share(self._frames, observer.encode_progress)
        try:
            seconds, said = process.run(self._ffmpeg.path, self._made_by(decided, made), on_progress=progress)
        except NoRoomError as error:
            raise VmafTuneError(
                f"no room for the encode in {shown(self._target.parent)}; nothing was left there"
            ) from error
        observer.encode_progress(1.0)
        self._session.tell_damage(self._path, damage_of(said))
        keep_tags(self._path, made, CONTAINERS[self._target.suffix.lower()])
        facts = read_facts(made, 0)
        frames, video_bytes = video_packets(made, facts.stream_index)
        percent = 100.0 * video_bytes / max(1, video_packets(self._path, self._facts.stream_index)[1])
        limit = limit_of(self._session)
        if limit is not None and percent > limit:
            raise TargetError(
                f"the encode of {shown(self._path.name)} at CRF {number(decided.crf)} is {percent:.1f} % of the source's video,"
                f" over --max-encoded-percent {limit:g}; it was removed"
            )
        size = (self._facts.width, self._facts.height)
        pair = Pair(
            source=self._path,
            stream_index=self._facts.stream_index,
            encode=made,
            settings=of_one_size(decided.settings, size),
            streams=self._streams.mapped,
        )
        checked = self._session.option("verify", True)
        if checked:
            observer.checking("decode")
            frames = check_frames(self._ffmpeg, pair, folder, _share(frames, observer.check_progress))
        command = [str(self._ffmpeg.path), *self._made_by(decided, self._target)]
        report = EncodeReport(
            **scored_by(decided.comparison, decided.scale),
            source=str(self._path),
            output=str(self._target),
            search=decided.search,
            crf=decided.crf,
            encoder=decided.settings.spec.name,
            preset=decided.settings.preset,
            pix_fmt=decided.settings.pix_fmt,
            frames=frames,
            duration_seconds=round(facts.duration_seconds, 3),
            source_bytes=self._facts.file_bytes,
            output_bytes=facts.file_bytes,
            video_bytes=video_bytes,
            encoded_percent=round(percent, 4),
            streams=list(self._streams.kept),
            encode_seconds=round(seconds + (decided.joined.encode_seconds if decided.joined else 0.0), 3),
            total_seconds=0.0,
            checked=checked,
            final_score=decided.joined.score if decided.joined else None,
            command=shlex.join(command),
            per_shot=decided.joined.report if decided.joined else None,
            notes=decided.notes,
        )
        return report, pair

    def _made_by(self, decided: _Decided, output: Path) -> list[str]:
        if decided.joined is None:
            return self._arguments(decided.settings, decided.crf, output)
        container = CONTAINERS[self._target.suffix.lower()]
        joined = decided.joined
        return joined_arguments(
            self._path,
            joined.path,
            joined.start_seconds,
            joined.settings,
            self._streams.arguments,
            container,
            output,
        )

    def _arguments(
        self, settings: EncoderSettings, crf: float, output: Path, seconds: float | None = None
    ) -> list[str]:
        size = (self._facts.width, self._facts.height)
        container = CONTAINERS[self._target.suffix.lower()]
        return full_arguments(self._path, size, settings, crf, self._streams.arguments, container, output, seconds)


def _scored(
    session: Session,
    ffmpeg: Ffmpeg,
    report: EncodeReport,
    decided: _Decided,
    pair: Pair,
    run: PluginRun,
    observer: JobObserver,
) -> EncodeReport:
    """The report with the score of the whole, from which the plugins learn."""
    observer.checking("score")
    progress = _share(report.frames, observer.check_progress)
    with workspace() as folder:
        scores = score_whole(
            ffmpeg, pair, decided.comparison, threads=session.threads(), folder=folder, on_progress=progress
        )
    check_pairing(len(scores), report.frames, shown(pair.encode))
    metric = decided.comparison.metric
    observer.scored(metric.of_frames(scores))
    score = round(metric.pooled(scores, session.option("pool", "mean")), 6)
    if decided.curve is not None:
        index = int(np.flatnonzero(decided.curve.context.crfs == decided.crf)[0])
        run.learn(decided.curve, index, score, time.time())
    return msgspec.structs.replace(report, final_score=score)


def _share(frames: int, tell: Callable[[float], None]) -> Callable[[int], None]:
    return lambda done: tell(min(1.0, done / max(1, frames)))
