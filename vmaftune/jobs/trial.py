"""One probe of a clip that ffmpeg makes: proof that this host can read, encode and score a video."""

from __future__ import annotations

from collections.abc import Iterable

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.records import ProbeRecord
from vmaftune.crf_search.prober import Prober
from vmaftune.crf_search.source import EncodeRequest, prepare
from vmaftune.errors import UserError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import Output, command, generated
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.samples import SampleRule
from vmaftune.quality.settings import ScoreSettings
from vmaftune.state.store import Store
from vmaftune.state.workspace import workspace

_CLIP = "testsrc2=size=160x90:rate=25:duration=0.4"


def run_trial(ffmpeg: Ffmpeg, encoders: Iterable[EncoderSpec]) -> ProbeRecord:
    """Make a clip of ten frames, and probe it as a search does; nothing of it is kept.

    Args:
        encoders: the least costly one that ``ffmpeg`` has is used.

    Raises:
        UserError: ``ffmpeg`` has none of them.
        VmafTuneError: a step failed; the text says which.
    """
    here = [spec for spec in encoders if not spec.hardware and spec.name in ffmpeg.encoders]
    if not here:
        raise UserError("this ffmpeg has no software encoder that vmaf-tune knows")
    spec = min(here, key=lambda spec: spec.encode_cost)
    store, request = Store(None), EncodeRequest(encoder=spec, rule=SampleRule(), score=ScoreSettings())
    with workspace() as folder:
        clip = folder / "trial.mkv"
        output = Output([generated(_CLIP)["v"]], clip, {"pix_fmt": "yuv420p", "c:v": "mpeg4"})
        process.run(ffmpeg.path, command(output))
        source = prepare(ffmpeg, clip, request, store, folder)
        prober = Prober(ffmpeg, source, threads=1, store=store, folder=folder, explore=False)
        return prober.probe(spec.search_range[0], lambda share: None)
