"""The pilot: real VMAF of a fast encode, which tells more of a source's curve than any look at its pictures.

Windows of 32 frames are encoded at two CRFs by the fast end of the encoder family that is asked for, and some twenty of their
frames are scored at half the size of a real score, in one ffmpeg process. What was tried beside it, and what each cost:
docs/predictor.md.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from vmaftune.contract.encoders import PILOT_FAMILIES
from vmaftune.errors import VmafTuneError
from vmaftune.escape import filter_value
from vmaftune.ffmpeg.command import LIST_PACKETS, PASS_THROUGH, Output, Stream
from vmaftune.ffmpeg.listing import count_frames, packet_bytes
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import MediaFacts
from vmaftune.quality.compare import check_pairing
from vmaftune.quality.metric import Asked, Pictures
from vmaftune.quality.vmaf import VMAF, read_log

_WINDOW_FRAMES = 32
_WINDOWS = 3
_MOST_SCORED = 28
_LEAST_SIDE = 32  # of what is scored; libvmaf crashes at half of it
_LEAST_ENCODED = 16
_PERIODS = (7, 11, 13, 17, 19, 23)  # out of step with encoders and film, as vmaftune.crf_search.part says
_HIGHEST_PSNR_DB = 60.0
_LEAST_BITS_PER_PIXEL = 2.0**-20
# All frames of a pilot last equally long, wherever in the source they come from.
_EVENLY = "settb=1/25,setpts=N,fps=25"


class PilotPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Which encode a pilot is.

    Attributes:
        family: name of the encoder family it stands for.
        encoder: ffmpeg's name of the encoder it takes.
        pix_fmt: format that is encoded.
        encodes: its arguments at the finer and at the coarser CRF.
        version: raised whenever the same pilot would get another score; part of the key of cached features.
    """

    family: str
    encoder: str
    pix_fmt: str
    encodes: tuple[tuple[str, ...], tuple[str, ...]]
    version: int = 2


# With its lookahead in a thread of its own, x264 veryfast gives one of several streams by chance.
_REPEATABLE = ("-x264-params", "sync-lookahead=0")

X264 = PilotPlan(
    family="x264",
    encoder="libx264",
    pix_fmt="yuv420p",
    encodes=(("-preset", "veryfast", "-crf", "24", *_REPEATABLE), ("-preset", "veryfast", "-crf", "32", *_REPEATABLE)),
)
AV1 = PilotPlan(
    family="av1",
    encoder="libsvtav1",
    pix_fmt="yuv420p10le",
    encodes=(("-preset", "12", "-svtav1-params", "crf=30"), ("-preset", "12", "-svtav1-params", "crf=48")),
)
FAMILIES = PILOT_FAMILIES
_PLANS = dict(zip(FAMILIES, (X264, AV1), strict=True))
_PLACES = ("fine", "coarse")


def pilot_plan(family: str) -> PilotPlan:
    """The pilot of a family (EncoderSpec.pilot_family): SVT-AV1 12 at CRF 30 and 48 for AV1, x264 veryfast at 24 and 32 for all
    others."""
    return _PLANS.get(family, X264)


def family_by_name(encoder: str) -> str:
    """Of an encoder that is known by its name alone, as a row of a corpus tells it: the one that our own specs say."""
    return AV1.family if "av1" in encoder else X264.family


class PilotScore(msgspec.Struct, frozen=True, kw_only=True):
    """One pilot encode of one sample.

    Attributes:
        frame_scores: VMAF at half size, shape (frames,).
        frame_psnr: luma PSNR in dB, at most 60, shape (frames,).
        encoded_frames, encoded_bytes: number and size of its packets.
    """

    frame_scores: np.ndarray
    frame_psnr: np.ndarray
    encoded_frames: int
    encoded_bytes: int


class Pilot:
    """The part of one ffmpeg command that makes and scores the pilots of one sample.

    Args:
        plan: which encodes.
        facts: of the source.
        stream_index: of the sample's video.
        packets: of all samples together; decides how far apart windows and pairs are.
        trim: filter that goes first, or None.
        folder: for the logs.
        first_output: how many outputs the command has before these.
    """

    def __init__(
        self,
        plan: PilotPlan,
        facts: MediaFacts,
        stream_index: int,
        packets: int,
        trim: str | None,
        folder: Path,
        first_output: int,
    ) -> None:
        self._plan, self._stream, self._first = plan, stream_index, first_output
        self._packets = [folder / f"pilot-{place}.txt" for place in _PLACES]
        self._logs = [folder / f"pilot-{place}.json" for place in _PLACES]
        width, height = facts.width // 2 * 2, facts.height // 2 * 2
        self._pixels = width * height
        scored = VMAF.decide(Asked(), Pictures(width=facts.width, height=facts.height))
        full = scored.size or (facts.width, facts.height)
        self._size = tuple(max(_LEAST_SIDE, side // 4 * 2) for side in full)
        self._model = scored.model
        every = max(_WINDOW_FRAMES, packets // _WINDOWS)
        encoded = min(packets, max(1, packets // every) * _WINDOW_FRAMES)
        period = next((p for p in _PERIODS if encoded // p <= _MOST_SCORED), _PERIODS[-1])
        # Frames at the multiples of the period, read with both their neighbours for their motion.
        self._scored = f"select=lt(mod(n+1\\,{period})\\,3)"
        windows = f"select=lt(mod(n\\,{every})\\,{_WINDOW_FRAMES})"
        # Whatever the source changes to on the way is brought to its first size.
        same = f"scale={facts.width}:{facts.height},crop={width}:{height}:0:0"
        self._chain = ",".join([*([trim] if trim else []), windows, same, _EVENLY, f"format={plan.pix_fmt}"])

    @staticmethod
    def can(plan: PilotPlan, ffmpeg: Ffmpeg, facts: MediaFacts) -> bool:
        """Whether this ffmpeg can make the pilots of ``plan``, and of pictures of this size."""
        large_enough = min(facts.width, facts.height) >= _LEAST_ENCODED
        return large_enough and ffmpeg.loopback and ffmpeg.libvmaf and plan.encoder in ffmpeg.encoders

    def outputs(self, video: Stream) -> list[Output]:
        """The encodes of the sample's video, and then the scores, which are streams of ``graph``."""
        options = {"vf": self._chain, "c:v": self._plan.encoder} | PASS_THROUGH | LIST_PACKETS
        encodes = zip(self._plan.encodes, self._packets, strict=True)
        outputs = [Output([video], packets, options, encode) for encode, packets in encodes]
        return [*outputs, *(Output([f"[scored{place}]"], None, PASS_THROUGH) for place in range(len(_PLACES)))]

    @property
    def decoders(self) -> list[str]:
        """The encodes, to be decoded again."""
        return [f"{self._first + place}:0" for place in range(len(_PLACES))]

    @property
    def graph(self) -> str:
        """What scores them."""
        return ";".join(self._graph(place) for place in range(len(_PLACES)))

    def read(self) -> list[PilotScore]:
        """What the command gave, for the finer and for the coarser CRF.

        Raises:
            VmafTuneError: a log is not whole, or the two do not have one count.
        """
        scores = []
        for packets, log in zip(self._packets, self._logs, strict=True):
            metrics = read_log(log)
            metrics = metrics[1:] or metrics  # frame 0 has no motion and a score of its own
            found = np.array([(frame["vmaf"], min(frame["psnr_y"], _HIGHEST_PSNR_DB)) for frame in metrics])
            if not np.isfinite(found).all():
                raise VmafTuneError("libvmaf gave a pilot a score that is no number")
            scores.append(
                PilotScore(
                    frame_scores=found[:, 0],
                    frame_psnr=found[:, 1],
                    encoded_frames=count_frames(packets),
                    encoded_bytes=sum(packet_bytes(packets)),
                )
            )
        fine, coarse = scores
        check_pairing(len(coarse.frame_scores), len(fine.frame_scores), "the pilots")
        check_pairing(coarse.encoded_frames, fine.encoded_frames, "the pilots")
        return scores

    def remove(self) -> None:
        """Remove the logs."""
        for file in (*self._packets, *self._logs):
            file.unlink(missing_ok=True)

    def values(self, of_samples: list[list[PilotScore]]) -> dict[str, float]:
        """The features, from the pilots of all samples."""
        values: dict[str, float] = {}
        for place, name in enumerate(_PLACES):
            mine = [scores[place] for scores in of_samples]
            bits = 8.0 * sum(s.encoded_bytes for s in mine) / (sum(s.encoded_frames for s in mine) * self._pixels)
            values[f"pilot_vmaf_{name}"] = float(np.concatenate([s.frame_scores for s in mine]).mean())
            values[f"pilot_psnr_{name}"] = float(np.concatenate([s.frame_psnr for s in mine]).mean())
            values[f"pilot_log2_bits_per_pixel_{name}"] = float(np.log2(max(bits, _LEAST_BITS_PER_PIXEL)))
        return values

    def _graph(self, place: int) -> str:
        width, height = self._size
        common = f"{self._scored},scale={width}:{height}:flags=bicubic,format=yuv420p,settb=AVTB,setpts=N"
        log = filter_value(str(self._logs[place].absolute()))
        return (
            f"[dec:{place}]{common}[distorted{place}];[0:{self._stream}]{self._chain},{common}[reference{place}];"
            f"[distorted{place}][reference{place}]libvmaf=model=version={self._model}:feature=name=psnr"
            f":n_subsample=3:log_fmt=json:log_path={log}[scored{place}]"
        )
