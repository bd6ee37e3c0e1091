"""What a CRF for each shot saves against one CRF for the film, at the same measured VMAF; both measured on the full result.

    python benchmarks/per_shot.py [--clips DIR] [--films 2] [--frames 60] [--size 640x360] [--encoder libx264]

A film is joined without loss from clips of different kinds, each scaled to one size. Without a folder of clips, films are made
of ffmpeg's own sources. The one CRF is found by encoding and scoring the whole at two CRFs around that VMAF, not more than 1
apart, and its size lies between theirs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg

_RATE = 25
_FILMS = (
    (
        "screen__decky",
        "nature__graxono__waterfall",
        "talking-head__liveportrait",
        "game__tinyarena",
        "people__pbls__woman",
    ),
    ("animation__jetplay", "sport__sam2", "low-light__track", "screen__openh264", "city__object"),
    ("nature__assets-for-api-docs__bee", "film__interactive", "animation__graxono", "ugc__pbls", "game__myrkur"),
)
_MADE = (
    ("testsrc2=s={}:r=25", "mandelbrot=s={}:r=25", "smptehdbars=s={}:r=25", "life=s={}:r=25:mold=10:ratio=0.1"),
    ("mandelbrot=s={}:r=25:start_scale=0.5", "testsrc=s={}:r=25", "cellauto=s={}:r=25", "rgbtestsrc=s={}:r=25"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, default=Path(__file__).parents[2] / "shared" / "clips")
    parser.add_argument("--films", type=int, default=2)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--encoder", action="append")
    parser.add_argument("--preset", action="append")
    parser.add_argument("--min-vmaf", type=float, default=92.0)
    parser.add_argument("--more", nargs=argparse.REMAINDER, default=[], help="further options of vmaf-tune encode")
    chosen = parser.parse_args()
    encoders = chosen.encoder or ["libx264", "libsvtav1"]
    presets = chosen.preset or [None] * len(encoders)
    print(chosen, flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(chosen.films):
            film = _film(folder, number, chosen)
            for encoder, preset in zip(encoders, presets, strict=True):
                given = ["-e", encoder, "--min-vmaf", str(chosen.min_vmaf), "--cache-dir", str(folder / "cache")]
                given += [*(["--preset", preset] if preset else []), *chosen.more]
                _compare(film, number, encoder, given)


def _compare(film: Path, number: int, encoder: str, given: Sequence[str]) -> None:
    output = film.with_name(f"{number}.{encoder}.mkv")
    command = [sys.executable, "-m", "vmaftune", "encode", "-i", str(film), "-o", str(output), "--overwrite"]
    done = subprocess.run(
        [*command, "--per-shot", "--compare-one-crf", "--json", *given], capture_output=True, text=True
    )
    if done.returncode not in (0, 3) or not done.stdout:
        print(f"film {number} {encoder}: exit {done.returncode}: {done.stderr.strip()[-400:]}", flush=True)
        return
    report = json.loads(done.stdout)
    by_shot: dict[str, Any] = report["per_shot"]
    print(f"film {number} {encoder} preset {report['preset']}: {report['frames']} frames, {_sameness(film, output)}")
    for shot in by_shot["shots"]:
        print(
            f"  frame {shot['start_frame']:4d}  crf {shot['crf']:5.2f}  VMAF {shot['vmaf']:6.2f}  {shot['bytes']:8d} bytes"
        )
    rounds = f"{by_shot['rounds']} rounds, {by_shot['probe_count']} probes of {by_shot['probe_frames']} frames"
    print(f"  VMAF {report['final_vmaf']:.3f} in {report['video_bytes']} bytes; {rounds}")
    one = by_shot["one_crf"]
    if one is None:
        print("  no two encodes at one CRF lie around it", flush=True)
        return
    for which in ("above", "below"):
        print(f"  one CRF {one[which]['crf']:5.2f}: VMAF {one[which]['vmaf']:.3f} in {one[which]['bytes']} bytes")
    print(f"  one CRF at that VMAF: {one['bytes']} bytes; per shot saves {one['saved_percent']:.1f} %", flush=True)


def _sameness(film: Path, output: Path) -> str:
    one, other = _shown(film), _shown(output)
    return (
        "each shown when the source's is" if one == other else f"NOT AS THE SOURCE: {len(one)} and {len(other)} frames"
    )


def _shown(file: Path) -> list[int]:
    """Milliseconds at which frames are shown."""
    with av.open(str(file)) as container:
        return [round(frame.time * 1000) for frame in container.decode(video=0)]


def _film(folder: Path, number: int, chosen: argparse.Namespace) -> Path:
    """The clips of one film, joined without loss."""
    film = folder / f"film-{number}.mkv"
    width, height = chosen.size.split("x")
    same = f"trim=end_frame={chosen.frames},scale={width}:{height}:flags=bicubic,setsar=1"
    same += f",settb=1/{_RATE},setpts=N,fps={_RATE},format=yuv420p"
    if chosen.clips.is_dir():
        names = _FILMS[number % len(_FILMS)]
        inputs = [part for name in names for part in ("-i", str(next(iter(sorted(chosen.clips.glob(f"{name}*"))))))]
    else:
        names = _MADE[number % len(_MADE)]
        inputs = [part for name in names for part in ("-f", "lavfi", "-i", name.format(chosen.size))]
    graph = ";".join(f"[{n}:v:0]{same}[v{n}]" for n in range(len(names)))
    graph += ";" + "".join(f"[v{n}]" for n in range(len(names))) + f"concat=n={len(names)}[v]"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y"]
    encode = ["-c:v", "libx264", "-qp", "0", "-preset", "ultrafast"]
    subprocess.run([*ffmpeg, *inputs, "-filter_complex", graph, "-map", "[v]", *encode, str(film)], check=True)
    return film


if __name__ == "__main__":
    main()
