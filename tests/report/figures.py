"""The pictures of reports in docs/: real jobs on generated clips, photographed in a real browser (``make figures``).

Usage: python -m tests.report.figures FOLDER DOCS
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg

from tests.report.browser import Browser, browsing, find_browser

LARGEST_BYTES = 200_000
_NOISE = "noise=alls=8:allf=t:all_seed=1,format=yuv420p"
FILM = f"mandelbrot=size=1280x720:rate=25:start_scale=0.6:end_scale=0.05,{_NOISE}"
CLIPS = {
    "fractal.mkv": f"mandelbrot=size=640x360:rate=25:start_scale=0.4:end_scale=0.02,{_NOISE}",
    "cards.mkv": f"testsrc2=size=640x360:rate=25,{_NOISE}",
    "life.mkv": f"life=size=320x180:rate=25:mold=10:ratio=0.2:seed=1:life_color=white:death_color=blue,scale=640:-2,{_NOISE}",
    "gradients.mkv": f"gradients=size=640x360:rate=25:seed=3:speed=0.05,{_NOISE}",
    "zoneplate.mkv": f"zoneplate=size=640x360:rate=25:kx2=60:ky2=60:kt=3,{_NOISE}",
    "sierpinski.mkv": f"sierpinski=size=640x360:rate=25:seed=2,{_NOISE}",
}


def main() -> None:
    folder, docs = Path(sys.argv[1]), Path(sys.argv[2])
    program = find_browser()
    if program is None:
        sys.exit("no headless browser: install chromium, or name one in VMAFTUNE_BROWSER")
    for old in ("cache", "encoded"):
        shutil.rmtree(folder / old, ignore_errors=True)
    films = folder / "films"
    films.mkdir(parents=True, exist_ok=True)
    film = made(folder / "film.mkv", FILM, 4)
    for name, source in CLIPS.items():
        made(films / name, source, 2)
    (films / "broken.mkv").write_bytes((films / "cards.mkv").read_bytes()[:5000])
    cache = ("--cache-dir", folder / "cache")
    quick = ("--vmaf-scale", "none", *cache)
    search = ("-i", film, "-e", "libsvtav1", "--min-vmaf", "88", "--plugin", "ridge-sidecar")
    run("crf-search", *search, "--report", folder / "search.html", *cache)
    into = ("-o", folder / "encoded", "--report", folder / "batch.html")
    run("batch", films, "-e", "libx264", "--min-vmaf", "90", *into, *quick)
    encoders = ("-e", "libx264:medium", "-e", "libx265:fast", "-e", "libsvtav1:8")
    small = ("-i", films / "fractal.mkv", "--min-vmaf", "90", *quick)
    run("compare", *small, *encoders, "--report", folder / "compare.html")
    rungs = ("--heights", "360,270,216,180", "--rungs", "5")
    run("ladder", *small, "-e", "libx264", *rungs, "--report", folder / "ladder.html")
    with browsing(program) as browser:
        browser.open(folder / "search.html", width=1100)
        keep(browser.photograph(clip=(0, 0, 1100, 1500)), docs / "report.png")
        phone(browser, folder / "search.html", docs / "report-phone.png")
        for kind, dark, height in (("batch", False, 1000), ("compare", True, 1230), ("ladder", False, 1210)):
            browser.open(folder / f"{kind}.html", width=1100, dark=dark)
            keep(browser.photograph(clip=(0, 0, 1100, height)), docs / f"report-{kind}.png")


def made(path: Path, source: str, seconds: float) -> Path:
    """The clip of a lavfi source."""
    if not path.exists():
        partial = path.with_suffix(".part.mkv")
        encode = ["-t", str(seconds), "-c:v", "libx264", "-preset", "veryfast", "-crf", "8", str(partial)]
        ffmpeg(["-f", "lavfi", "-i", source, *encode])
        partial.replace(path)
    return path


def run(*arguments: str | Path) -> None:
    """vmaf-tune; a batch with a broken file ends with 1."""
    done = subprocess.run([sys.executable, "-m", "vmaftune", *map(str, arguments)], check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"vmaf-tune {arguments[0]} ended with {done.returncode}")


def phone(browser: Browser, page: Path, picture: Path) -> None:
    """Three screens of one page, one below the other on the phone, side by side here."""
    browser.open(page, width=360, dark=True)
    parts = []
    for number in range(3):
        part = page.with_name(f"phone-{number}.png")
        part.write_bytes(browser.photograph(clip=(0, 980 * number, 360, 980)))
        parts.append(part)
    inputs = [argument for part in parts for argument in ("-i", str(part))]
    padded = ";".join(f"[{n}]pad=iw+24:ih:12:0:gray[p{n}]" for n in range(3))
    together = page.with_name("phone.png")
    ffmpeg(
        [*inputs, "-filter_complex", f"{padded};[p0][p1][p2]hstack=3", "-frames:v", "1", "-update", "1", str(together)]
    )
    keep(together.read_bytes(), picture)


def keep(png: bytes, picture: Path) -> None:
    """Write a photograph in as many colours as its size allows."""
    whole = picture.with_suffix(".whole.png")
    whole.write_bytes(png)
    try:
        for colours in (256, 128, 64, 32):
            few = f"split[a][b];[a]palettegen=max_colors={colours}[p];[b][p]paletteuse=dither=none"
            ffmpeg(["-i", str(whole), "-vf", few, "-frames:v", "1", "-update", "1", str(picture)])
            if picture.stat().st_size < LARGEST_BYTES:
                return
    finally:
        whole.unlink()
    sys.exit(f"{picture} is larger than {LARGEST_BYTES} bytes")


def ffmpeg(arguments: Sequence[str]) -> None:
    """The embedded ffmpeg."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-nostdin", "-loglevel", "error", *arguments]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
