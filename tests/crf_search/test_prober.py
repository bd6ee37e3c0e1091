"""Probes of a real clip: what an exploring one gives, costs and leaves in the cache."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from vmaftune_plugins.encoders import vmaftune_encoders

from tests.conftest import Clips
from vmaftune.crf_search.prober import Prober
from vmaftune.crf_search.source import EncodeRequest, PreparedSource, prepare
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.samples import SampleRule
from vmaftune.quality.settings import ScoreSettings
from vmaftune.state.store import Store

X264 = next(spec for spec in vmaftune_encoders() if spec.name == "libx264")
REQUEST = EncodeRequest(encoder=X264, preset="superfast", score=ScoreSettings(size="none"))


def _nothing(share: float) -> None:
    pass


@pytest.fixture
def clip(clips: Clips) -> Path:
    source = "mandelbrot=size=160x90:rate=25,noise=alls=12:allf=t:all_seed=1,trim=end_frame=240"
    return clips.lavfi("mandelbrot.mkv", source, ["-c:v", "libx264", "-qp", "10", "-g", "25"])


@pytest.fixture
def source(ffmpeg: Ffmpeg, clip: Path, tmp_path: Path) -> PreparedSource:
    return prepare(ffmpeg, clip, REQUEST, Store(None), tmp_path)


def _prober(
    ffmpeg: Ffmpeg, source: PreparedSource, folder: Path, store: Store, pool: str = "mean", explore: bool = True
) -> Prober:
    scale = msgspec.structs.replace(source.scale, pool=pool)
    source = msgspec.structs.replace(source, scale=scale)
    return Prober(ffmpeg, source, threads=2, store=store, folder=folder, explore=explore)


@pytest.mark.parametrize("pool", ["mean", "harmonic_mean"])
def test_an_exploring_probe_is_of_the_same_encode_and_near_its_score(
    pool: str, ffmpeg: Ffmpeg, source: PreparedSource, tmp_path: Path
) -> None:
    prober = _prober(ffmpeg, source, tmp_path, Store(None), pool)
    explored, verified = prober.explore(34.0, _nothing), prober.probe(34.0, _nothing)
    assert (explored.purpose, verified.purpose) == ("explore", "verify")
    assert (explored.frames, verified.frames) == (35, 240)
    assert explored.encoded_percent == verified.encoded_percent and explored.bitrate_kbps == verified.bitrate_kbps
    assert verified.deviation == 0.0 < explored.deviation < 1.0
    assert abs(explored.score - verified.score) < 3 * explored.deviation


def test_samples_are_put_together(ffmpeg: Ffmpeg, clip: Path, tmp_path: Path) -> None:
    request = msgspec.structs.replace(REQUEST, rule=SampleRule(samples=2, duration_seconds=3.0))
    source = prepare(ffmpeg, clip, request, Store(None), tmp_path)
    assert len(source.frames) == 2
    prober = _prober(ffmpeg, source, tmp_path, Store(None))
    explored, verified = prober.explore(34.0, _nothing), prober.probe(34.0, _nothing)
    assert verified.frames == sum(source.frames) > 5 * explored.frames
    assert abs(explored.score - verified.score) < 3 * explored.deviation


def test_the_cache_keeps_explored_scores_apart_from_verified_ones(
    ffmpeg: Ffmpeg, source: PreparedSource, tmp_path: Path
) -> None:
    store = Store(None)
    first = _prober(ffmpeg, source, tmp_path, store)
    explored, verified = first.explore(34.0, _nothing), first.probe(30.0, _nothing)
    again = _prober(ffmpeg, source, tmp_path, store)
    assert again.explored() == {34.0: msgspec.structs.replace(explored, cached=True)}
    assert again.cached() == {30.0: msgspec.structs.replace(verified, cached=True)}
    of_another_pool = _prober(ffmpeg, source, tmp_path, store, "harmonic_mean").explored()[34.0]
    assert of_another_pool.score < explored.score
    assert _prober(ffmpeg, source, tmp_path, store, explore=False).explored() == {}


@pytest.mark.parametrize(("pool", "explore"), [("min", True), ("p5", True), ("mean", False)])
def test_what_cannot_be_explored_or_shall_not(
    pool: str, explore: bool, ffmpeg: Ffmpeg, source: PreparedSource, tmp_path: Path
) -> None:
    prober = _prober(ffmpeg, source, tmp_path, Store(None), pool, explore)
    assert prober.exploring_share is None and prober.explored() == {}


def test_a_short_source_cannot_be_explored(ffmpeg: Ffmpeg, clips: Clips, tmp_path: Path) -> None:
    short = clips.lavfi("short.mkv", "testsrc2=size=160x90:rate=25:duration=2")
    source = prepare(ffmpeg, short, REQUEST, Store(None), tmp_path)
    assert _prober(ffmpeg, source, tmp_path, Store(None)).exploring_share is None


def test_exploring_costs_the_less_the_more_of_a_probe_is_scoring(
    ffmpeg: Ffmpeg, source: PreparedSource, clip: Path, tmp_path: Path
) -> None:
    shares = []
    for cost in (0.0, X264.encode_cost, 4.0):
        spec = msgspec.structs.replace(X264, encode_cost=cost)
        settings = msgspec.structs.replace(source.settings, spec=spec)
        dearer = msgspec.structs.replace(source, settings=settings)
        shares.append(_prober(ffmpeg, dearer, tmp_path, Store(None)).exploring_share or 0.0)
    assert 0.1 < shares[0] < shares[1] < shares[2] < 1.0
    enlarged = prepare(ffmpeg, clip, EncodeRequest(encoder=X264), Store(None), tmp_path)
    assert enlarged.comparison.size == (1920, 1080)
    assert (_prober(ffmpeg, enlarged, tmp_path, Store(None)).exploring_share or 1.0) < shares[1]
