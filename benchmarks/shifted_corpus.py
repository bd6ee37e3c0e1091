"""Measures what benchmarks/learning.py streams besides the shipped corpus: content and settings that no predictor was told of.

    grain      the clips with film grain added (ffmpeg's noise filter, seeded, per frame), then stored as x264 at CRF 12
    superfast  the clips as they are, encoded with x264's preset superfast
    ultrafast  the same with its preset ultrafast

Rows are measured in the scratch folder, resumable as any corpus, and packed into benchmarks/shifted/ at the end. Takes a
quarter of an hour on two cores. Clips default to every third one of ../shared/clips whose longest side is at most 1280 pixels.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from search import SHARED

from vmaftune.corpus.rows import packed, read_rows
from vmaftune.errors import VmafTuneError
from vmaftune.ffmpeg.locate import locate
from vmaftune.media.facts import read_facts
from vmaftune.state.store import Store

FOLDER = Path(__file__).parent / "shifted"
_FRAMES = 60
_LARGEST_SIDE = 1280
_GRAIN = "crop=trunc(iw/2)*2:trunc(ih/2)*2,noise=alls=6:allf=t:all_seed=1,format=yuv420p,setpts=N/25/TB"
_CURVES = {
    "grain": "libx264:medium=14,18,22,27,32",
    "superfast": "libx264:superfast=16,21,26,31,37",
    "ultrafast": "libx264:ultrafast=14,18,23,28,34",
}


def with_grain(ffmpeg: Path, clips: Sequence[Path], folder: Path) -> list[Path]:
    """The clips with grain, made where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for clip in clips:
        target = folder / f"{clip.stem}.mkv"
        if not target.exists():
            part = target.with_suffix(".part.mkv")
            # Pictures of an odd size lose a row or column; times count for nothing here, frames are paired by index.
            source = [
                "-i",
                str(clip),
                "-map",
                "0:v:0",
                "-frames:v",
                str(_FRAMES),
                "-vf",
                _GRAIN,
                "-fps_mode",
                "passthrough",
            ]
            encode = ["-c:v", "libx264", "-crf", "12", "-x264-params", "sync-lookahead=0", str(part)]
            subprocess.run([str(ffmpeg), "-loglevel", "error", "-y", *source, *encode], check=True)
            part.replace(target)
        made.append(target)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="clips")
    parser.add_argument("--scratch", type=Path, default=Path("out/shifted"), help="folder of clips with grain")
    arguments = parser.parse_args()
    clips = arguments.files or sorted(p for p in SHARED.glob("*__*") if _small(p))[::3]
    if not clips:
        parser.error("no clips: name some (../shared/clips is not there)")
    arguments.scratch.mkdir(parents=True, exist_ok=True)
    ffmpeg = Path(locate(None, Store(arguments.scratch / "cache.sqlite", print)).path)
    sources = {"grain": with_grain(ffmpeg, clips, arguments.scratch / "grain"), "superfast": clips, "ultrafast": clips}
    FOLDER.mkdir(exist_ok=True)
    for name, files in sources.items():
        rows = arguments.scratch / f"{name}.rows.jsonl"
        command = [sys.executable, "-m", "vmaftune", "corpus", "measure", "-o", str(rows), "--curve", _CURVES[name]]
        subprocess.run([*command, "--max-frames", str(_FRAMES), *map(str, files)], check=False)
        target = FOLDER / f"{name}.rows.jsonl.gz"
        target.write_bytes(packed(read_rows(rows)))
        print(target)


def _small(clip: Path) -> bool:
    try:
        facts = read_facts(clip)
    except VmafTuneError:
        return False
    return max(facts.width, facts.height) <= _LARGEST_SIDE


if __name__ == "__main__":
    main()
