"""The pilot: real VMAF of a very fast, sparse encode, which tells more of a source's curve than any look at its pictures.

Pairs of neighbouring frames, about twenty of them spread over the samples, are encoded with x264 ultrafast at two CRFs and scored
at half the size of a real score, with libvmaf in the same ffmpeg process. Held out, that predicted curves as well as a pilot of all
frames at full size, at a twelfth of its cost (docs/predictor.md).
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from vmaftune.encoders.spec import number
from vmaftune.errors import VmafTuneError
from vmaftune.ffmpeg import vmaf
from vmaftune.ffmpeg.escape import file_url, filter_value
from vmaftune.ffmpeg.probe import count_frames, packet_bytes
from vmaftune.media.facts import MediaFacts

CRFS = (26.0, 34.0)
ENCODER = "libx264"
_PAIRS = 20
_LEAST_PERIOD = 6
_HIGHEST_PSNR_DB = 60.0
_LEAST_BITS_PER_PIXEL = 2.0**-20
# All frames of a pilot last equally long, wherever in the source they come from.
_EVENLY = "settb=1/25,setpts=N,fps=25"


class PilotScore(msgspec.Struct, frozen=True, kw_only=True):
    """One pilot encode of one sample.

    Attributes:
        frame_scores: VMAF at half size, shape (frames,).
        frame_psnr: luma PSNR in dB, at most 60, shape (frames,).
        encoded_bytes: size of its packets.
    """

    frame_scores: np.ndarray
    frame_psnr: np.ndarray
    encoded_bytes: int


class Pilot:
    """The part of one ffmpeg command that makes and scores the pilots of one sample.

    Args:
        facts: of the source.
        stream_index: of the sample's video.
        packets: of all samples together; decides how far apart the pairs are.
        trim: filter that goes first, or None.
        folder: for the logs.
        first_output: how many outputs the command has before these.
    """

    def __init__(
        self, facts: MediaFacts, stream_index: int, packets: int, trim: str | None, folder: Path, first_output: int
    ) -> None:
        self._stream, self._first = stream_index, first_output
        self._packets = [folder / f"pilot{place}.txt" for place in range(len(CRFS))]
        self._logs = [folder / f"pilot{place}.json" for place in range(len(CRFS))]
        width, height = facts.width // 2 * 2, facts.height // 2 * 2
        self._pixels = width * height
        scored = vmaf.decide(vmaf.ScoreSettings(), facts.width, facts.height, 8)
        full = scored.size or (facts.width, facts.height)
        self._size = tuple(max(16, side // 4 * 2) for side in full)
        self._model = scored.model
        # Whatever the source changes to on the way is brought to its first size.
        chosen = f"select=lt(mod(n\\,{max(_LEAST_PERIOD, packets // _PAIRS)})\\,2)"
        same = f"scale={facts.width}:{facts.height},crop={width}:{height}:0:0"
        self._chain = ",".join([*([trim] if trim else []), chosen, same, _EVENLY, "format=yuv420p"])

    def arguments(self) -> list[str]:
        """Outputs, loopback decoders and graph."""
        arguments: list[str] = []
        for crf, packets in zip(CRFS, self._packets, strict=True):
            arguments += ["-map", f"0:{self._stream}", "-vf", self._chain, "-fps_mode", "passthrough"]
            arguments += ["-c:v", ENCODER, "-preset", "ultrafast", "-crf", number(crf), "-pix_fmt", "yuv420p"]
            arguments += ["-f", "framecrc", file_url(packets)]
        for place in range(len(CRFS)):
            arguments += ["-dec", f"{self._first + place}:0"]
        arguments += ["-filter_complex", ";".join(self._graph(place) for place in range(len(CRFS)))]
        for place in range(len(CRFS)):
            arguments += ["-map", f"[scored{place}]", "-fps_mode", "passthrough", "-f", "null", "-"]
        return arguments

    def read(self) -> list[PilotScore]:
        """What the command gave, for each of CRFS.

        Raises:
            VmafTuneError: frames were lost, or a log is not whole.
        """
        scores = []
        for crf, packets, log in zip(CRFS, self._packets, self._logs, strict=True):
            frames = vmaf.read_log(log)
            vmaf.check_pairing(len(frames), count_frames(packets), f"the pilot at CRF {number(crf)}")
            found = np.array([(frame["vmaf"], min(frame["psnr_y"], _HIGHEST_PSNR_DB)) for frame in frames])
            if not np.isfinite(found).all():
                raise VmafTuneError("libvmaf gave a pilot a score that is no number")
            scores.append(
                PilotScore(frame_scores=found[:, 0], frame_psnr=found[:, 1], encoded_bytes=sum(packet_bytes(packets)))
            )
        return scores

    def remove(self) -> None:
        """Remove the logs."""
        for file in (*self._packets, *self._logs):
            file.unlink(missing_ok=True)

    def values(self, of_samples: list[list[PilotScore]]) -> dict[str, float]:
        """The features, from the pilots of all samples."""
        values: dict[str, float] = {}
        for place, crf in enumerate(CRFS):
            mine = [scores[place] for scores in of_samples]
            frames = sum(len(score.frame_scores) for score in mine)
            bits = 8.0 * sum(score.encoded_bytes for score in mine) / (frames * self._pixels)
            values[f"pilot_vmaf_{number(crf)}"] = float(np.concatenate([s.frame_scores for s in mine]).mean())
            values[f"pilot_psnr_{number(crf)}"] = float(np.concatenate([s.frame_psnr for s in mine]).mean())
            values[f"pilot_log2_bits_per_pixel_{number(crf)}"] = float(np.log2(max(bits, _LEAST_BITS_PER_PIXEL)))
        return values

    def _graph(self, place: int) -> str:
        width, height = self._size
        common = f"scale={width}:{height}:flags=bicubic,format=yuv420p,settb=AVTB,setpts=N"
        log = filter_value(str(self._logs[place].absolute()))
        return (
            f"[dec:{place}]{common}[distorted{place}];[0:{self._stream}]{self._chain},{common}[reference{place}];"
            f"[distorted{place}][reference{place}]libvmaf=model=version={self._model}:feature=name=psnr"
            f":log_fmt=json:log_path={log}[scored{place}]"
        )
