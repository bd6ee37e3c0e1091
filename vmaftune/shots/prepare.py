"""A source made ready to be encoded shot by shot: its frames, its shots, and what is believed of each."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from vmaftune.contract.curves import CurveContext, FloatArray
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.features import SCHEMA_VERSION
from vmaftune.crf_search.source import EncodeRequest, PreparedSource, settle
from vmaftune.encoders.spec import EncoderSettings
from vmaftune.encoding.probe import PROBE_VERSION
from vmaftune.errors import UserError
from vmaftune.features.measure import Measured, measure
from vmaftune.features.pilot import pilot_plan
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.host.run import PluginRun
from vmaftune.media.facts import MediaFacts, shown
from vmaftune.media.fingerprint import fingerprint
from vmaftune.media.samples import Sample
from vmaftune.quality.metric import identity_of
from vmaftune.shots.detect import DETECT_VERSION, Frames, Shot, look, shots_of
from vmaftune.shots.index import read_index
from vmaftune.shots.model import ShotModel
from vmaftune.shots.piece import Piece, Pieces
from vmaftune.state.store import Store

_LEAST_SECONDS = 1.0
_LEAST_FRAMES = 8


def piece_arguments(encoder: EncoderSpec) -> tuple[str, ...]:
    """With which pieces are encoded that are joined. Raises UserError where those of ``encoder`` cannot be."""
    if encoder.piece_arguments is None:
        raise UserError(f"--per-shot cannot join shots of {encoder.name}")
    return encoder.piece_arguments


class ShotSource:
    """One source, shot by shot.

    Args:
        folder: for temporary files.
        on_progress: called with the number of frames looked at.
        beside: streams of the source that the output has besides the video.

    Attributes:
        path, facts: the source.
        frames: all of its frames.
        shots: which of them belong together.
        pieces: cuts them out.
        settings: an encode of the whole, but for the CRF.
        comparison: how it is scored.
        scale: of what scale the scores are.
        filtered: as of PreparedSource.
        notes: what predictor and corrections said that a person should know, each line once.

    Raises:
        UserError: the source cannot be used, or the request does not fit it.
    """

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        path: Path,
        facts: MediaFacts,
        request: EncodeRequest,
        store: Store,
        folder: Path,
        on_progress: Callable[[int], None],
        beside: Sequence[int],
    ) -> None:
        piece_arguments(request.encoder)
        self._ffmpeg, self._store, self._folder = ffmpeg, store, folder
        self.path, self.facts = path, facts
        try:
            self._content = fingerprint(path, store)
        except OSError as error:
            raise UserError(f"cannot read {shown(path)}: {error.strerror}") from error
        index = read_index(path, facts)
        key = self._key(DETECT_VERSION, *beside)
        frames = store.get("shots", key, Frames)
        if frames is None:
            frames = look(ffmpeg, path, facts, folder, on_progress, beside)
            store.put("shots", key, frames)
        if not frames.count:
            raise UserError(f"{shown(path)} has no frame that can be decoded")
        self.frames: Frames = frames
        self.shots = shots_of(frames, max(_LEAST_FRAMES, round(_LEAST_SECONDS * index.rate)))
        self.pieces = Pieces(ffmpeg, path, facts, index, frames, folder)
        self._rate = float(index.rate)
        sizes = tuple(index.sizes.tolist())
        self.whole = Sample(
            path=path,
            stream_index=facts.stream_index,
            start_seconds=0.0,
            source_bytes=sum(sizes),
            packet_bytes=sizes,
            keyframes=tuple(index.keys.tolist()),
        )
        settled = settle(ffmpeg, request, facts, [self.whole], folder)
        self.settings, self.comparison, left = settled.settings, settled.comparison, settled.frames
        self.scale, self.filtered = settled.scale, bool(request.video_filter)
        self.notes: list[str] = []
        if left is not None and left[0] != frames.count:
            raise UserError(
                f"--vfilter {request.video_filter!r} makes {left[0]} of {frames.count} frames, and --per-shot encodes"
                " frames as they are; use encode without it"
            )

    def model(self, shot: Shot, crfs: FloatArray, run: PluginRun) -> ShotModel:
        """What is expected of a shot by its features and the predictor."""
        spec, preset = self.settings.spec, self.settings.preset
        plan = pilot_plan(spec.pilot_family)
        key = self._key(shot, SCHEMA_VERSION, plan)
        measured = self._store.get("features", key, Measured)
        if measured is None:
            with self.pieces.of(shot) as piece:
                measured = measure(
                    self._ffmpeg, self.facts, [piece.sample], self._folder, self.path, plan=plan, trim=piece.trim
                )
            self._store.put("features", key, measured)
        features = measured.features
        context = CurveContext(
            features=features, encoder=spec, preset=preset, crfs=crfs, scale=self.scale, filtered=self.filtered
        )
        curve = run.predict(context)
        self.notes += [line for line in curve.notes if line not in self.notes]
        pixels, compared = self.facts.width * self.facts.height, self.comparison
        measure_ = compared.metric.measure(compared.model)
        return ShotModel(shot, measured, curve.corrected, spec, crfs, pixels, measure_)

    def settings_of(self, piece: Piece) -> EncoderSettings:
        """The encode of a piece; every piece of a source gets the same headers."""
        settings = self.settings
        chain = [piece.chain, *([settings.video_filter] if settings.video_filter else [])]
        extra = (*settings.extra, *piece_arguments(settings.spec))
        return msgspec.structs.replace(settings, video_filter=",".join(chain), extra=extra)

    def prepared(self, span: Shot, piece: Piece, measured: Measured) -> PreparedSource:
        """A span as probes want it; ``piece`` holds it."""
        joinable = piece_arguments(self.settings.spec)
        return self._prepared(span, piece.sample, self.settings_of(piece), measured, joinable)

    def prepared_whole(self, measured: Measured) -> PreparedSource:
        """All frames as one encode makes them."""
        return self._prepared(Shot(start=0, frames=self.frames.count), self.whole, self.settings, measured, "whole")

    def _prepared(
        self, span: Shot, sample: Sample, settings: EncoderSettings, measured: Measured, how: object
    ) -> PreparedSource:
        # Where in its file a span lies decides nothing, so the settings of the whole stand for those of its pieces. As in
        # vmaftune.crf_search.source, encoders split work by the number of processors.
        compared = self.comparison
        model = compared.metric.model_name(compared)
        settled = (self.settings.identity, model, identity_of(compared), os.cpu_count())
        return PreparedSource(
            path=self.path,
            facts=self.facts,
            samples=(sample,),
            measured=msgspec.structs.replace(measured, frames=(span.frames,)),
            frames=(span.frames,),
            settings=settings,
            comparison=self.comparison,
            scale=self.scale,
            filtered=self.filtered,
            curve_key=self._key("shot", span, how, self._rate, PROBE_VERSION, *settled),
        )

    def _key(self, *parts: object) -> str:
        known = (self._content, *self.facts.identity, self._ffmpeg.version, *parts)
        return hashlib.blake2b(msgspec.json.encode(known), digest_size=20).hexdigest()
