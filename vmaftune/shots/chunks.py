"""The shots of one source, encoded one by one, and kept for as long as they may be the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from vmaftune.encoding.arguments import encoded, of_one_size
from vmaftune.errors import FfmpegError, UserError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import command
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.shots.detect import Shot
from vmaftune.shots.join import Chunk, join, read_chunk
from vmaftune.shots.prepare import ShotSource


class Chunks:
    """Makes them.

    Args:
        folder: where they are written.

    Attributes:
        encode_seconds: wall time of all encodes.
    """

    def __init__(self, ffmpeg: Ffmpeg, source: ShotSource, folder: Path) -> None:
        self._ffmpeg, self._source, self._folder = ffmpeg, source, folder
        self._made: dict[tuple[Shot, float], Chunk] = {}
        self.encode_seconds = 0.0

    def encoded(self, crfs: Sequence[float], on_progress: Callable[[float], None]) -> list[Chunk]:
        """All shots, each at its CRF; those that are there already are not made again.

        Args:
            on_progress: called with the share of all frames that is done.

        Raises:
            UserError: the encoder failed.
            NoRoomError: the disk is full.
            VmafTuneError: frames were lost.
        """
        chunks, done, total = [], 0, self._source.frames.count
        for shot, crf in zip(self._source.shots, crfs, strict=True):
            if (shot, crf) not in self._made:

                def progress(frame: int, done: int = done) -> None:
                    on_progress(min(1.0, (done + frame) / total))

                self._made[shot, crf] = self._encode(shot, crf, progress)
            chunks.append(self._made[shot, crf])
            done += shot.frames
            on_progress(done / total)
        return chunks

    def joined(self, chunks: Sequence[Chunk]) -> Path:
        """One video of all shots, in place of the one before."""
        path = self._folder / "joined.mp4"
        join(chunks, self._source.frames.ticks, path)
        return path

    def keep(self, chunks: Sequence[Chunk]) -> None:
        """Remove all but these."""
        kept = {chunk.path for chunk in chunks}
        for key, chunk in list(self._made.items()):
            if chunk.path not in kept:
                chunk.path.unlink(missing_ok=True)
                del self._made[key]

    def _encode(self, shot: Shot, crf: float, on_progress: Callable[[int], None]) -> Chunk:
        source, facts = self._source, self._source.facts
        path = self._folder / f"shot-{shot.start}-{crf:g}.mkv"
        with source.pieces.of(shot) as piece:
            settings = of_one_size(source.settings_of(piece), (facts.width, facts.height))
            sample = piece.sample
            output = encoded(sample.path, sample.stream_index, settings, crf, path, {"f": "matroska"})
            arguments = command(output, first=settings.spec.device_arguments)
            try:
                seconds, _ = process.run(self._ffmpeg.path, arguments, on_progress=on_progress)
            except FfmpegError as error:
                raise UserError(f"{settings.spec.name} failed: {error.reason}") from error
        self.encode_seconds += seconds
        return read_chunk(path, shot.frames)
