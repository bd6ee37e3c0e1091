"""Make a short clip that no camera shot: a moving fractal with grain, whose VMAF(CRF) curve is a real one.

Usage: python examples/make_clip.py OUTPUT [SECONDS]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg


def main() -> None:
    output = Path(sys.argv[1])
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 4.0
    output.parent.mkdir(parents=True, exist_ok=True)
    picture = (
        "mandelbrot=size=640x360:rate=25:start_scale=0.6:end_scale=0.05,noise=alls=8:allf=t:all_seed=1,format=yuv420p"
    )
    partial = output.with_suffix(".part.mkv")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", "-f", "lavfi", "-i", picture]
    command += ["-t", str(seconds), "-c:v", "libx264", "-preset", "veryfast", "-crf", "8", str(partial)]
    subprocess.run(command, check=True)
    partial.replace(output)


if __name__ == "__main__":
    main()
