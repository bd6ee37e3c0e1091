"""What can be known to be wrong with options before any source is looked at."""

from __future__ import annotations

from vmaftune.encoders.spec import settings_for
from vmaftune.errors import UserError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.jobs.search import goal_of, limit_of
from vmaftune.jobs.session import Session
from vmaftune.jobs.shots import check_options
from vmaftune.quality.metric import Pictures

_SIZE = (640, 360)  # any size that metrics take: what is checked here holds whatever the pictures are


def check_wanted(session: Session, ffmpeg: Ffmpeg, *, encode: bool) -> None:
    """Look at the options of a job that is done later, perhaps for many sources.

    Args:
        encode: whether the whole is encoded, and not only searched.

    Raises:
        UserError: one cannot be met by any source.
    """
    spec = session.encoder(ffmpeg)
    session.grid(spec)
    goal_of(session)
    limit_of(session)
    request = session.encode_request(spec)
    settings_for(
        spec,
        preset=request.preset,
        pix_fmt=request.pix_fmt,
        video_filter=None,
        extra=(),
        source_pix_fmt=spec.pix_fmts[0],
        source_size=_SIZE,
    )
    request.score.decide(Pictures(width=_SIZE[0], height=_SIZE[1]))
    session.plugin_run(session.option("plugins", ()))
    if encode:
        check_options(session, spec)
        session.given_crf(spec)
        audio = session.option("acodec", None)
        if audio is not None and audio != "copy":
            _check_audio_encoder(ffmpeg, audio)


def _check_audio_encoder(ffmpeg: Ffmpeg, name: str) -> None:
    if not process.query(ffmpeg.path, ["-h", f"encoder={name}"]).startswith("Encoder "):
        raise UserError(f"--acodec {name}: {ffmpeg.path} has no encoder of that name")
