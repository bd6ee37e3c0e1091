"""The encode with a CRF for each shot: predicted, sparsely probed, encoded shot by shot, joined, and measured as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.encoders.spec import EncoderSettings
from vmaftune.encoding.arguments import of_one_size
from vmaftune.errors import NoRoomError, TargetError, UserError, VmafTuneError
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.host.run import PluginRun
from vmaftune.jobs.encode_check import Pair, score_whole
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.search import goal_of
from vmaftune.jobs.search_report import no_more_than
from vmaftune.jobs.session import Session
from vmaftune.jobs.shots_compare import one_crf
from vmaftune.jobs.shots_probe import SparseProbes
from vmaftune.jobs.shots_report import OneCrf, PerShotReport, ShotReport
from vmaftune.media.facts import MediaFacts, shown
from vmaftune.quality.compare import check_pairing
from vmaftune.quality.metric import Comparison
from vmaftune.quality.scale import Scale
from vmaftune.quality.targets import target_option
from vmaftune.shots.allocate import Choice
from vmaftune.shots.beliefs import Beliefs
from vmaftune.shots.chunks import Chunks
from vmaftune.shots.detect import TICKS_PER_SECOND
from vmaftune.shots.join import Chunk
from vmaftune.shots.prepare import ShotSource
from vmaftune.state.workspace import workspace

DEFAULT_FLOOR = 6.0
"""How far below the target a shot may be at most, in VMAF or as much of another metric; why: docs/per-shot.md."""

_ROUNDS = 4
_WORTH_A_ROUND = 0.015
"""Share of the bytes for which the whole is encoded and measured once more."""


class JoinedVideo(msgspec.Struct, frozen=True, kw_only=True):
    """The whole, encoded shot by shot.

    Attributes:
        path: an .mp4 file of the video alone, that begins at 0.
        start_seconds: when its first frame is shown in the output.
        crf: mean over all frames.
        settings, comparison, scale: as for an encode of the whole.
        scores: of every frame, shape (frames,).
        encode_seconds: wall time of all encodes.
        report: of the shots.
        notes: what predictor and corrections have to say of them.
    """

    path: Path
    start_seconds: float
    crf: float
    settings: EncoderSettings
    comparison: Comparison
    scale: Scale
    scores: FloatArray
    encode_seconds: float
    report: PerShotReport
    notes: list[str]

    @property
    def score(self) -> float:
        """Of the whole."""
        return round(float(self.scores.mean()), 6)


class _Round(msgspec.Struct, frozen=True, kw_only=True):
    """One encode of the whole."""

    choice: Choice
    chunks: list[Chunk]
    scores: FloatArray

    @property
    def score(self) -> float:
        return float(self.scores.mean())

    @property
    def bytes(self) -> int:
        return sum(chunk.encoded_bytes for chunk in self.chunks)


def check_options(session: Session, encoder: EncoderSpec) -> None:
    """Raise UserError where the session's options leave no encode shot by shot, or want something of one that is not made."""
    if not session.option("per_shot", False):
        for name in ("shot_floor", "compare_one_crf"):
            if session.option(name, None):
                raise UserError(f"--{name.replace('_', '-')} is for encodes shot by shot: add --per-shot")
        return
    if encoder.piece_arguments is None:
        joined = sorted(name for name, spec in session.manager.encoders.items() if spec.piece_arguments is not None)
        raise UserError(f"--per-shot joins shots of {', '.join(joined)}, not of {encoder.name}")
    if session.option("crf", None) is not None:
        raise UserError("--crf and --per-shot exclude each other: --per-shot finds a CRF for each shot")
    pool = session.option("pool", "mean")
    if pool != "mean":
        raise UserError(f"--pool {pool}: --per-shot reaches a mean over all frames; leave --pool at mean")
    metric = session.metric()
    if not metric.mean_of_frames or not metric.higher_is_better:
        why = "is no mean of its frames' scores" if metric.higher_is_better else "is better where it is lower"
        raise UserError(
            f"--per-shot reaches a mean over all frames, and {metric.title} {why}: leave out --per-shot, or measure VMAF"
        )
    floor, (low, high) = session.option("shot_floor", None), metric.limits(session.score_settings().model or "")
    if floor is not None and not low <= floor <= high:
        raise UserError(f"--shot-floor {floor:g} must be from {low:g} to {high:g}")


def encode_shots(
    session: Session,
    ffmpeg: Ffmpeg,
    path: Path,
    facts: MediaFacts,
    target: Path,
    beside: Sequence[int],
    folder: Path,
    observer: JobObserver,
    run: PluginRun,
) -> JoinedVideo:
    """Encode the video of ``path`` so that its mean score reaches the session's target at the smallest size.

    Args:
        target: the output, as observers are told of it.
        beside: streams of the source that it has besides the video.
        folder: where encoded shots and the joined video are written.

    Raises:
        UserError: an option or the source is wrong.
        TargetError: no CRF reaches the target.
        VmafTuneError: a failure of ours or of the machine.
    """
    with workspace() as temporary:
        return _ShotJob(session, ffmpeg, path, facts, target, beside, folder, temporary, observer, run).made()


class _ShotJob:
    def __init__(
        self,
        session: Session,
        ffmpeg: Ffmpeg,
        path: Path,
        facts: MediaFacts,
        target: Path,
        beside: Sequence[int],
        folder: Path,
        temporary: Path,
        observer: JobObserver,
        run: PluginRun,
    ) -> None:
        self._session, self._ffmpeg, self._observer, self._run = session, ffmpeg, observer, run
        self._target, self._folder, self._temporary = target, folder, temporary
        self._goal = goal_of(session)
        floor, metric = session.option("shot_floor", None), session.metric()
        lowest = max(metric.lowest, self._goal.target - DEFAULT_FLOOR * metric.grain)
        self._floor = lowest if floor is None else float(floor)
        if self._floor > self._goal.target:
            option = target_option(metric.name)
            raise UserError(f"--shot-floor {self._floor:g} is above {option} {self._goal.target:g}")
        spec = session.encoder(ffmpeg)
        self._crfs = session.grid(spec)
        observer.searching(f"the shots of {shown(path.name)}")
        request = session.encode_request(spec)
        self._source = ShotSource(ffmpeg, path, facts, request, session.store, temporary, lambda frames: None, beside)
        comparison = self._source.comparison
        self._measure = comparison.metric.measure(comparison.model)
        self._shots = self._source.shots
        self._frames = np.array([shot.frames for shot in self._shots], dtype=float)
        self._chunks = Chunks(ffmpeg, self._source, folder)

    def made(self) -> JoinedVideo:
        """Everything, in order."""
        source, goal, measure = self._source, self._goal, self._measure
        whole = f"{len(self._shots)} shot{'' if len(self._shots) == 1 else 's'}, {source.frames.count} frames"
        self._observer.searching(f"{whole}, {self._measure.zone_text(goal.target, goal.tolerance)}")
        if not source.pieces.can_cut:
            self._session.warn(
                f"{shown(source.path.name)} cannot be cut without encoding, so it is read from its beginning for each shot"
            )
        self._models = [source.model(shot, self._crfs, self._run) for shot in self._shots]
        for model in self._models:
            self._session.tell_damage(source.path, model.measured.damage)
        self._observer.measured(source.prepared_whole(self._models[0].measured))
        self._beliefs = Beliefs(self._models, self._crfs, goal, self._floor, measure)
        self._probes = SparseProbes(
            self._session, self._ffmpeg, source, self._models, self._crfs, self._temporary, self._observer, self._run
        )
        self._probes.teach(self._beliefs)
        rounds = self._encode_in_rounds()
        best = self._best(rounds)
        if best.score < goal.target and self._beliefs.is_finest(best.choice):
            cannot = f"{measure.text(goal.target, 'g')} cannot be met"
            if (own := self._source_score()) < goal.target:
                raise TargetError(f"{cannot}: {no_more_than(measure, own)}; {measure.easier}")
            raise TargetError(
                f"{cannot}: every shot at its finest CRF comes to {measure.amount(best.score)};"
                f" {measure.easier_or_finer}"
            )
        joined = self._chunks.joined(best.chunks)
        mean_crf = self._beliefs.mean_crf(best.choice)
        report = self._report(best, len(rounds))
        if self._session.option("compare_one_crf", False):
            report = msgspec.structs.replace(report, one_crf=self._compared(best, mean_crf))
        return JoinedVideo(
            path=joined,
            start_seconds=float(source.frames.ticks[0]) / TICKS_PER_SECOND,
            crf=mean_crf,
            settings=source.settings,
            comparison=source.comparison,
            scale=source.scale,
            scores=best.scores,
            encode_seconds=self._chunks.encode_seconds,
            report=report,
            notes=source.notes,
        )

    def _encode_in_rounds(self) -> list[_Round]:
        """Encode and measure the whole until its score is within the tolerance and, by what was measured, hardly anything is
        left to save; at most _ROUNDS times."""
        goal = self._goal
        rounds: list[_Round] = []
        choice = self._beliefs.allocated()
        while True:
            rounds.append(now := self._round(choice))
            self._chunks.keep([*now.chunks, *self._best(rounds).chunks])
            if len(rounds) == _ROUNDS:
                return rounds
            following = self._beliefs.moved(choice)
            if len(rounds) == _ROUNDS - 1:
                nearest = min(rounds, key=lambda r: abs(r.score - goal.target - goal.tolerance / 2))
                following = self._beliefs.nudged(nearest.choice)
            good = goal.target <= now.score <= goal.target + goal.tolerance
            if np.array_equal(following, choice) or (good and self._beliefs.saved(choice, following) < _WORTH_A_ROUND):
                return rounds
            choice = following
            self._observer.searching(f"the whole came to {self._measure.text(now.score)}; shots are given other CRFs")

    def _best(self, rounds: list[_Round]) -> _Round:
        """The smallest that reaches the target, else the best."""
        good = [r for r in rounds if r.score >= self._goal.target]
        return min(good, key=lambda r: r.bytes) if good else max(rounds, key=lambda r: r.score)

    def _round(self, choice: Choice) -> _Round:
        total = int(self._frames.sum())
        self._observer.encoding(self._target, self._beliefs.mean_crf(choice), total)
        try:
            chunks = self._chunks.encoded([float(self._crfs[n]) for n in choice], self._observer.encode_progress)
        except NoRoomError as error:
            where = shown(self._target.parent)
            raise VmafTuneError(f"no room for the encode in {where}; nothing was left there") from error
        scores = self._scored(self._chunks.joined(chunks), total)
        ends = np.cumsum(self._frames.astype(int))[:-1]
        measured = np.array([of_shot.mean() for of_shot in np.split(scores, ends)])
        self._beliefs.take_round(choice, measured, [chunk.encoded_bytes for chunk in chunks])
        return _Round(choice=choice, chunks=chunks, scores=scores)

    def _scored(self, joined: Path, frames: int) -> FloatArray:
        source, observer = self._source, self._observer
        observer.checking("score")
        size = (source.facts.width, source.facts.height)
        scores = score_whole(
            self._ffmpeg,
            Pair(
                source=source.path,
                stream_index=source.facts.stream_index,
                encode=joined,
                settings=of_one_size(source.settings, size),
            ),
            source.comparison,
            threads=self._session.threads(),
            folder=self._temporary,
            on_progress=lambda done: observer.check_progress(min(1.0, done / frames)),
        )
        check_pairing(len(scores), frames, "the joined shots")
        return scores

    def _report(self, best: _Round, rounds: int) -> PerShotReport:
        ticks = self._source.frames.ticks
        ends = np.cumsum(self._frames.astype(int))[:-1]
        parts = zip(self._shots, best.choice, best.chunks, np.split(best.scores, ends), strict=True)
        return PerShotReport(
            target=self._goal.target,
            tolerance=self._goal.tolerance,
            floor=self._floor,
            shots=[
                ShotReport(
                    metric=self._measure.name,
                    start_frame=shot.start,
                    frames=shot.frames,
                    start_seconds=round(float(ticks[shot.start]) / TICKS_PER_SECOND, 6),
                    crf=float(self._crfs[place]),
                    score=round(float(scores.mean()), 6),
                    bytes=chunk.encoded_bytes,
                )
                for shot, place, chunk, scores in parts
            ],
            probe_count=self._probes.count,
            probe_frames=self._probes.frames,
            rounds=rounds,
        )

    def _source_score(self) -> float:
        whole = self._source.prepared_whole(self._models[0].measured)
        return self._session.prober(self._ffmpeg, whole, self._temporary, explore=False).source_score()

    def _compared(self, best: _Round, crf: float) -> OneCrf | None:
        self._observer.searching(f"one CRF for the whole at {self._measure.text(best.score)}")
        self._observer.begun(int(self._frames.sum()))
        source = self._source.prepared_whole(self._models[0].measured)
        prober = self._session.prober(self._ffmpeg, source, self._temporary, explore=False)
        mean = self._beliefs.mean_scores()
        seconds = float(self._frames.sum()) / self._source.facts.fps
        found = one_crf(prober, self._crfs, crf, mean, best.score, best.bytes, seconds, self._run, self._observer)
        if found is None:
            self._session.warn(
                f"no two encodes of the whole at one CRF lie around {self._measure.text(best.score)}; nothing to compare"
            )
        return found
