"""The encode with a CRF for each shot: predicted, sparsely probed, encoded shot by shot, joined, and measured as a whole."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np

from vmaftune.crf_search.prober import Prober
from vmaftune.encoders.spec import EncoderSettings
from vmaftune.errors import FfmpegError, NoRoomError, TargetError, UserError, VmafTuneError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.encode import input_arguments, of_one_size, video_arguments
from vmaftune.ffmpeg.escape import file_url
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.ffmpeg.vmaf import Comparison, check_pairing
from vmaftune.host.run import PluginRun
from vmaftune.jobs.encode_check import Pair, score_whole
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.search import goal_of
from vmaftune.jobs.session import Session
from vmaftune.jobs.shots_compare import one_crf
from vmaftune.jobs.shots_report import OneCrf, PerShotReport, ShotReport
from vmaftune.media.facts import MediaFacts, shown
from vmaftune.shots.allocate import Choice, allocate, finest, keep_most
from vmaftune.shots.detect import TICKS_PER_SECOND, Shot
from vmaftune.shots.join import Chunk, join, read_chunk
from vmaftune.shots.model import ShotModel, elsewhere
from vmaftune.shots.piece import Piece
from vmaftune.shots.prepare import ShotSource, check_joinable
from vmaftune.state.workspace import workspace
from vmaftune.types import FloatArray, ProbeRecord, ProbeRequest

DEFAULT_FLOOR = 6.0
"""VMAF below the target that a shot may be at most; why: docs/per-shot.md."""

_PROBED_FRAMES = 64
_SURE_VMAF = 0.35
"""Standard deviation of the whole's VMAF from which on the whole itself is encoded and measured."""
_ROUNDS = 3
_HARDLY_MOVED_CRF = 1.0


class JoinedVideo(msgspec.Struct, frozen=True, kw_only=True):
    """The whole, encoded shot by shot.

    Attributes:
        path: an .mp4 file of the video alone, that begins at 0.
        start_seconds: when its first frame is shown in the output.
        crf: mean over all frames.
        settings, comparison: as for an encode of the whole.
        scores: VMAF of every frame, shape (frames,).
        encode_seconds: wall time of all encodes.
        report: of the shots.
    """

    path: Path
    start_seconds: float
    crf: float
    settings: EncoderSettings
    comparison: Comparison
    scores: FloatArray
    encode_seconds: float
    report: PerShotReport

    @property
    def vmaf(self) -> float:
        """Of the whole."""
        return round(float(self.scores.mean()), 6)


class _Round(msgspec.Struct, frozen=True, kw_only=True):
    """One encode of the whole."""

    choice: Choice
    chunks: list[Chunk]
    scores: FloatArray

    @property
    def vmaf(self) -> float:
        return float(self.scores.mean())

    @property
    def bytes(self) -> int:
        return sum(chunk.encoded_bytes for chunk in self.chunks)


def check_options(session: Session, encoder: str) -> None:
    """Raise UserError where the session's options leave no encode shot by shot."""
    check_joinable(encoder)
    if session.option("crf", None) is not None:
        raise UserError("--crf and --per-shot exclude each other: --per-shot finds a CRF for each shot")
    pool = session.option("pool", "mean")
    if pool != "mean":
        raise UserError(f"--pool {pool}: --per-shot reaches a mean over all frames; leave --pool at mean")
    floor = session.option("shot_floor", None)
    if floor is not None and not 0 <= floor <= 100:
        raise UserError(f"--shot-floor {floor:g} must be from 0 to 100")


def encode_shots(
    session: Session,
    ffmpeg: Ffmpeg,
    path: Path,
    facts: MediaFacts,
    target: Path,
    folder: Path,
    observer: JobObserver,
    run: PluginRun,
) -> JoinedVideo:
    """Encode the video of ``path`` so that its mean VMAF reaches the session's target at the smallest size.

    Args:
        target: the output, as observers are told of it.
        folder: where encoded shots and the joined video are written.

    Raises:
        UserError: an option or the source is wrong.
        TargetError: no CRF reaches the target.
        VmafTuneError: a failure of ours or of the machine.
    """
    with workspace() as temporary:
        return _ShotJob(session, ffmpeg, path, facts, target, folder, temporary, observer, run).made()


class _ShotJob:
    def __init__(
        self,
        session: Session,
        ffmpeg: Ffmpeg,
        path: Path,
        facts: MediaFacts,
        target: Path,
        folder: Path,
        temporary: Path,
        observer: JobObserver,
        run: PluginRun,
    ) -> None:
        self._session, self._ffmpeg, self._observer, self._run = session, ffmpeg, observer, run
        self._target, self._folder, self._temporary = target, folder, temporary
        self._goal = goal_of(session)
        floor = session.option("shot_floor", None)
        self._floor = max(0.0, self._goal.target - DEFAULT_FLOOR) if floor is None else float(floor)
        if self._floor > self._goal.target:
            raise UserError(f"--shot-floor {self._floor:g} is above --min-vmaf {self._goal.target:g}")
        spec = session.encoder(ffmpeg)
        self._crfs = session.grid(spec)
        observer.searching(f"the shots of {shown(path.name)}")
        request = session.encode_request(spec)
        self._source = ShotSource(ffmpeg, path, facts, request, session.store, temporary, lambda frames: None)
        self._shots = self._source.shots
        self._frames = np.array([shot.frames for shot in self._shots], dtype=float)
        self._weights = self._frames / self._frames.sum()
        self._chunks: dict[tuple[int, int], Chunk] = {}
        self._encode_seconds = 0.0
        self._probes = self._probed_frames = 0

    def made(self) -> JoinedVideo:
        """Everything, in order."""
        source, goal = self._source, self._goal
        whole = f"{len(self._shots)} shot{'' if len(self._shots) == 1 else 's'}, {source.frames.count} frames"
        self._observer.searching(f"{whole}, VMAF {goal.target:g} to {goal.target + goal.tolerance:g}")
        if not source.pieces.can_cut:
            self._session.warn(
                f"{shown(source.path.name)} cannot be cut without encoding, so it is read from its beginning for each shot"
            )
        self._models = [source.model(shot, self._crfs, self._run) for shot in self._shots]
        self._probe_sparsely()
        rounds = self._encode_in_rounds()
        good = [r for r in rounds if r.vmaf >= goal.target]
        best = min(good, key=lambda r: r.bytes) if good else max(rounds, key=lambda r: r.vmaf)
        if not good and not (best.choice > self._finest()).any():
            raise TargetError(
                f"VMAF {goal.target:g} cannot be met: every shot at its finest CRF comes to {best.vmaf:.2f};"
                " lower --min-vmaf or --min-crf"
            )
        joined = self._joined(best.chunks)
        mean_crf = round(float((self._crfs[best.choice] * self._weights).sum()), 4)
        report = self._report(best, len(rounds))
        if self._session.option("compare_one_crf", False):
            report = msgspec.structs.replace(report, one_crf=self._compared(best, mean_crf))
        return JoinedVideo(
            path=joined,
            start_seconds=float(source.frames.ticks[0]) / TICKS_PER_SECOND,
            crf=mean_crf,
            settings=source.settings,
            comparison=source.comparison,
            scores=best.scores,
            encode_seconds=self._encode_seconds,
            report=report,
        )

    # --- What is believed, and what follows from it ------------------------------------------------------------------------

    def _sizes(self) -> FloatArray:
        other = elsewhere(self._models)
        return np.array([model.sizes(other) for model in self._models])

    def _vmafs(self) -> FloatArray:
        return np.array([model.vmafs for model in self._models])

    def _finest(self) -> Choice:
        return finest(self._vmafs())

    def _allocated(self) -> Choice:
        centre = self._goal.target + self._goal.tolerance / 2
        choice = allocate(self._sizes(), self._vmafs(), self._frames, centre, self._floor)
        return self._finest() if choice is None else choice

    # --- Sparse probes -----------------------------------------------------------------------------------------------------

    def _probe_sparsely(self) -> None:
        """Probe the shots that leave the whole most uncertain, until it is sure enough or as much was encoded as the whole."""
        seen: set[tuple[int, int]] = set()
        for n, model in enumerate(self._models):
            for record in self._cached(model):
                place = int(np.flatnonzero(self._crfs == record.crf)[0])
                seen.add((n, place))
                self._take_in(model, place, record)
        while self._probed_frames < self._frames.sum():
            choice = self._allocated()
            unsure = np.array([m.deviation(int(c)) for m, c in zip(self._models, choice, strict=True)]) * self._weights
            if math.sqrt(float((unsure**2).sum())) < _SURE_VMAF:
                return
            order = [n for n in np.argsort(-unsure).tolist() if (n, int(choice[n])) not in seen]
            if not order:
                return
            seen.add((order[0], int(choice[order[0]])))
            self._probe(order[0], int(choice[order[0]]))

    def _cached(self, model: ShotModel) -> list[ProbeRecord]:
        span = model.shot.middle(_PROBED_FRAMES)
        prober = self._prober(model, span, self._source.pieces.uncut(span))
        return [self._of_shot(model, prober, record) for crf, record in prober.cached().items() if crf in self._crfs]

    def _prober(self, model: ShotModel, span: Shot, piece: Piece) -> Prober:
        return Prober(
            self._ffmpeg,
            self._source.prepared(span, piece, model.measured),
            pool="mean",
            threads=self._session.threads(),
            store=self._session.store,
            folder=self._temporary,
            explore=False,
        )

    def _probe(self, n: int, place: int) -> None:
        model, crf, settings = self._models[n], float(self._crfs[place]), self._source.settings
        shot, span = model.shot, model.shot.middle(_PROBED_FRAMES)
        part = span.frames < shot.frames
        self._probes += 1
        self._probed_frames += span.frames
        self._observer.searching(f"shot {n + 1} of {len(self._shots)}, frames {shot.start} to {shot.end - 1}")
        self._observer.begun(shot.frames)
        request = ProbeRequest(
            purpose="explore" if part else "verify",
            number=self._probes,
            encoder=settings.spec.name,
            preset=settings.preset,
            crf=crf,
            frames=span.frames,
            samples=1,
        )
        self._run.before_probe(request)
        self._observer.probing(self._probes, crf, None, part)
        with self._source.pieces.of(span) as piece:
            prober = self._prober(model, span, piece)
            record = self._of_shot(model, prober, prober.probe(crf, self._observer.progress))
        self._run.after_probe(request, record)
        self._observer.probed(record)
        self._take_in(model, place, record)

    def _of_shot(self, model: ShotModel, prober: Prober, record: ProbeRecord) -> ProbeRecord:
        """A probe as it stands for its shot: one of a part of it says so, and how far off it may be.

        The first frame of a file has no motion and so a lower score than within the whole: it gets the second's.
        """
        scores = prober.frame_scores(record.crf)
        if scores is not None and len(scores) > 1:
            record = msgspec.structs.replace(record, vmaf=float(np.append(scores[1:], scores[1]).mean()))
        if record.frames == model.shot.frames:
            return record
        return msgspec.structs.replace(record, purpose="explore", deviation=model.part_deviation(record.frames))

    def _take_in(self, model: ShotModel, place: int, record: ProbeRecord) -> None:
        size = round(record.bitrate_kbps * 1000 / 8 * record.frames / self._source.facts.fps)
        if record.frames == model.shot.frames:
            model.take_whole(place, record.vmaf, size)
        else:
            model.take_part(place, record.vmaf, size, record.frames)

    # --- The whole ---------------------------------------------------------------------------------------------------------

    def _encode_in_rounds(self) -> list[_Round]:
        """Encode and measure the whole until its VMAF is within the tolerance, at most _ROUNDS times."""
        goal = self._goal
        rounds: list[_Round] = []
        choice = self._allocated()
        while True:
            rounds.append(now := self._round(choice))
            if len(rounds) == _ROUNDS or goal.target <= now.vmaf <= goal.target + goal.tolerance:
                return rounds
            choice = self._moved_least(choice, self._allocated())
            if np.array_equal(choice, now.choice):
                return rounds
            self._observer.searching(f"the whole came to VMAF {now.vmaf:.2f}; shots are given other CRFs")

    def _moved_least(self, old: Choice, new: Choice) -> Choice:
        quarter, steps = self._goal.tolerance / 4, _HARDLY_MOVED_CRF / max(1e-9, self._crfs[1] - self._crfs[0])
        between = (self._goal.target + quarter, self._goal.target + 3 * quarter)
        return keep_most(old, new, self._vmafs(), self._weights, between, int(steps))

    def _round(self, choice: Choice) -> _Round:
        crf = round(float((self._crfs[choice] * self._weights).sum()), 4)
        total = int(self._frames.sum())
        self._observer.encoding(self._target, crf, total)
        chunks, done = [], 0
        for n, place in enumerate(choice.tolist()):
            chunks.append(self._chunk(n, place, done / total))
            done += self._shots[n].frames
            self._observer.encode_progress(done / total)
        scores = self._scored(self._joined(chunks), total)
        ends = np.cumsum(self._frames.astype(int))[:-1]
        for model, place, chunk, of_shot in zip(self._models, choice, chunks, np.split(scores, ends), strict=True):
            model.take_whole(int(place), float(of_shot.mean()), chunk.encoded_bytes)
        return _Round(choice=choice, chunks=chunks, scores=scores)

    def _chunk(self, n: int, place: int, before: float) -> Chunk:
        """One shot at one CRF, encoded when it is first asked for."""
        if (n, place) in self._chunks:
            return self._chunks[n, place]
        source, shot, total = self._source, self._shots[n], self._frames.sum()
        path = self._folder / f"shot-{n}-{place}.mkv"
        with source.pieces.of(shot) as piece:
            settings = of_one_size(source.settings_of(piece), (source.facts.width, source.facts.height))
            arguments = [
                *(*input_arguments(piece.sample.path, settings), "-map", f"0:{piece.sample.stream_index}"),
                *(*video_arguments(settings, float(self._crfs[place])), "-f", "matroska", file_url(path)),
            ]
            try:
                seconds, _ = process.run(
                    self._ffmpeg.path,
                    arguments,
                    on_progress=lambda frame: self._observer.encode_progress(min(1.0, before + frame / total)),
                )
            except NoRoomError as error:
                raise VmafTuneError(
                    f"no room for the encode in {shown(self._target.parent)}; nothing was left there"
                ) from error
            except FfmpegError as error:
                raise UserError(f"{settings.spec.name} failed: {error.reason}") from error
        self._encode_seconds += seconds
        self._chunks[n, place] = read_chunk(path, shot.frames)
        return self._chunks[n, place]

    def _joined(self, chunks: list[Chunk]) -> Path:
        joined = self._folder / "joined.mp4"
        join(chunks, self._source.frames.ticks, joined)
        return joined

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

    # --- What is said of it ------------------------------------------------------------------------------------------------

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
                    start_frame=shot.start,
                    frames=shot.frames,
                    start_seconds=round(float(ticks[shot.start]) / TICKS_PER_SECOND, 6),
                    crf=float(self._crfs[place]),
                    vmaf=round(float(scores.mean()), 6),
                    bytes=chunk.encoded_bytes,
                )
                for shot, place, chunk, scores in parts
            ],
            probe_count=self._probes,
            probe_frames=self._probed_frames,
            rounds=rounds,
        )

    def _compared(self, best: _Round, crf: float) -> OneCrf | None:
        self._observer.searching(f"one CRF for the whole at VMAF {best.vmaf:.2f}")
        self._observer.begun(int(self._frames.sum()))
        prober = Prober(
            self._ffmpeg,
            self._source.prepared_whole(self._models[0].measured),
            pool="mean",
            threads=self._session.threads(),
            store=self._session.store,
            folder=self._temporary,
            explore=False,
        )
        mean = (self._vmafs() * self._weights[:, None]).sum(axis=0)
        seconds = float(self._frames.sum()) / self._source.facts.fps
        found = one_crf(prober, self._crfs, crf, mean, best.vmaf, best.bytes, seconds, self._observer)
        if found is None:
            self._session.warn(
                f"no two encodes of the whole at one CRF lie around VMAF {best.vmaf:.2f}; nothing to compare"
            )
        return found
