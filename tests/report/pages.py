"""Pages of every kind, from reports as the jobs give them, with names that mean harm."""

from __future__ import annotations

from collections.abc import Sequence

from vmaftune.jobs.compare import ComparedEncode, CompareReport
from vmaftune.jobs.encode_report import EncodeReport
from vmaftune.jobs.ladder import LadderCurve, LadderReport, Rung
from vmaftune.jobs.rates import RatePoint
from vmaftune.jobs.search_report import SearchReport
from vmaftune.report.batch import BatchFile, batch_page
from vmaftune.report.compare import compare_page
from vmaftune.report.encode import encode_page
from vmaftune.report.ladder import ladder_page
from vmaftune.report.look import Look
from vmaftune.report.page import Page

HOSTILE = '"><script>document.title="owned"<\\script><img src=x onerror=alert(1)>&amp;\u202egnp.exe\n{{7*7}} \udcff.mkv'


def points(kbps: float, crfs: Sequence[float], best: float = 98.0) -> list[RatePoint]:
    """A curve that falls as curves do."""
    made = [
        RatePoint(bitrate_kbps=40 * kbps * 2 ** (-crf / 6), score=best - 0.012 * max(0.0, crf - 10) ** 2.1, crf=crf)
        for crf in crfs
    ]
    return sorted(made)


def comparison(name: str = HOSTILE) -> Page:
    encodes = [
        ComparedEncode(
            encoder=encoder,
            preset=preset,
            target_met=True,
            crf=crf,
            score=93.1,
            bitrate_kbps=2.1 * kbps,
            encoded_percent=30.0,
            bitrate_at_target_kbps=2.05 * kbps,
            size_percent=kbps / 9.0,
            encode_fps=fps,
            time_percent=4100.0 / fps,
            bd_rate_percent=None if encoder == "libx264" else kbps / 9.0 - 99.0,
            points=points(kbps, (20.0, 24.0, 28.0, 33.0, 38.0)),
            probe_count=6,
        )
        for encoder, preset, crf, kbps, fps in (
            ("libx264", "slow", 23.5, 900.0, 41.0),
            ("libx265", "medium", 24.5, 640.0, 22.5),
            ("libsvtav1", "8", 35.25, 560.0, 61.2),
        )
    ]
    encodes.append(ComparedEncode(encoder="libvvenc", preset="faster", failure=f"libvvenc failed: {name}"))
    return compare_page(
        CompareReport(
            source=f"/films/{name}",
            target=93.0,
            tolerance=0.25,
            frames=300,
            encodes=encodes,
            ffmpeg="n9.0",
            vmaf_model="vmaf_v0.6.1",
            vmaf_size=(1920, 1080),
            pool="mean",
            total_seconds=312.0,
        )
    )


def ladder(name: str = HOSTILE) -> Page:
    sizes = ((1920, 1080, 1000.0, 98.0), (1280, 720, 620.0, 94.5), (960, 540, 430.0, 90.0), (640, 360, 260.0, 82.0))
    curves = [
        LadderCurve(width=width, height=height, points=points(kbps, (18.0, 24.0, 30.0, 36.0, 42.0), best))
        for width, height, kbps, best in sizes
    ]
    rungs = [
        Rung(
            width=curve.width,
            height=curve.height,
            crf=curve.points[at].crf,
            bitrate_kbps=curve.points[at].bitrate_kbps,
            score=curve.points[at].score,
            on_hull=True,
            command=f"ffmpeg -i 'file:{name}' -crf {curve.points[at].crf:g} file:out.mkv",
        )
        for curve, at in zip(curves, (4, 3, 2, 1), strict=True)
    ]
    return ladder_page(
        LadderReport(
            source=f"/films/{name}",
            encoder="libx265",
            preset="slow",
            rungs=rungs,
            curves=curves,
            probe_count=26,
            ffmpeg="n9.0",
            vmaf_model="vmaf_v0.6.1",
            vmaf_size=(1920, 1080),
            pool="mean",
            total_seconds=1212.0,
        )
    )


def batch(name: str = HOSTILE, count: int = 40) -> Page:
    files = []
    for n in range(count):
        named = f"season 1/episode {n:02} {name}"
        size = (3 + n * 7 % 13) * 10**8
        if n % 11 == 5:
            reason = f"{name} is damaged or cut short: 12 of its 240 frames can be read"
            files.append(BatchFile(name=named, state="failed", reason=reason, seconds=1.2, source_bytes=size))
        elif n == count - 1:
            files.append(BatchFile(name=named, state="queued"))
        else:
            percent = 28.0 + n * 17 % 31
            files.append(
                BatchFile(
                    name=named,
                    state="done",
                    crf=22.0 + n * 5 % 11,
                    score=93.0 + n * 37 % 100 / 400,
                    target=93.0,
                    source_bytes=size,
                    output_bytes=round(size * percent / 100),
                    encoded_percent=percent,
                    probes=1 + n % 4,
                    seconds=60.0 + 97 * n % 4000,
                )
            )
    return batch_page(files, 9000.0)


def encode(search: SearchReport | None, look: Look, name: str = HOSTILE, final_score: float | None = None) -> Page:
    return encode_page(
        EncodeReport(
            source=f"/films/{name}",
            output=f"/films/encoded {name}",
            search=search,
            crf=24.0,
            encoder="libx264",
            preset="ultrafast",
            pix_fmt="yuv420p",
            frames=60,
            duration_seconds=2.5,
            source_bytes=1_500_000,
            output_bytes=480_000,
            video_bytes=430_000,
            encoded_percent=31.4,
            streams=["video h264, encoded with libx264", f"subtitle subrip {name}, copied"],
            encode_seconds=1.2,
            total_seconds=9.9,
            checked=True,
            final_score=final_score,
            command=f"ffmpeg -i 'file:{name}' -crf 24 file:out.mkv",
        ),
        look,
    )
