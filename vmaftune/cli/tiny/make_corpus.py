"""``vmaf-tune tiny make-corpus``: a corpus in the Netflix layout, made from any clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vmaftune.cli.options import host_options

_PATH = click.Path(path_type=Path)


@click.command("make-corpus")
@click.argument("clips", nargs=-1, type=_PATH)
@click.option("-o", "--output", required=True, type=_PATH, help="Folder of the corpus; resumed if it exists.")
@click.option(
    "--encoders",
    default="libx264:veryfast,libx265:superfast,libsvtav1:10",
    show_default=True,
    metavar="NAME[:PRESET],…",
    help="Encoders, with their presets.",
)
@click.option(
    "--heights",
    default="native,1/2,1/3",
    show_default=True,
    metavar="native|SHARE|PIXELS,…",
    help="Short side of what is encoded: the reference's, a share of it, or pixels.",
)
@click.option(
    "--crfs",
    type=click.IntRange(1, 50),
    default=3,
    show_default=True,
    help="CRFs of each encoder at the native height; a third as many at the others.",
)
@click.option("--frames", type=click.IntRange(2), default=48, show_default=True, help="Frames of each reference.")
@click.option(
    "--max-height", type=click.IntRange(16), help="Pixels that the short side of a reference is scaled to at most."
)
@click.option("--manifest", type=_PATH, metavar="FILE.csv", help="Clips, with columns file,source,kind.")
@click.option("--raw", is_flag=True, help="Raw YUV throughout, as Netflix's own corpus is; takes much room.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="ffmpeg processes at a time.")
@host_options
def command(
    clips: tuple[Path, ...],
    output: Path,
    encoders: str,
    heights: str,
    crfs: int,
    frames: int,
    max_height: int | None,
    manifest: Path | None,
    raw: bool,
    jobs: int,
    **options: Any,
) -> int:
    """Make references from the middle of CLIPS, and encodes of them from near lossless to very coarse.

    CLIPS are video files or folders of them. Clips of one film are to be given one source in the --manifest.

    \b
    vmaf-tune tiny make-corpus clips/ -o corpus
    """
    from vmaftune.cli.output import say
    from vmaftune.cli.tiny.screen import WorkScreen
    from vmaftune.corpus.sources import list_sources
    from vmaftune.encoders.spec import check_preset, find_encoder
    from vmaftune.jobs.session import Session
    from vmaftune.tiny.corpus.make import make_corpus
    from vmaftune.tiny.corpus.manifest import Recipe

    sources = list_sources(clips, manifest, (None,))
    session = Session(options)
    ffmpeg = session.ffmpeg()
    chosen = []
    for text in _listed(encoders):
        name, _, preset = text.partition(":")
        spec = find_encoder(name, session.manager.encoders, ffmpeg, "--encoders")
        check_preset(spec, preset or None, f"--encoders {name}: preset")
        chosen.append((spec, preset or None))
    recipe = Recipe(
        frames=frames, max_height=max_height, encoders=_listed(encoders), heights=_listed(heights), crfs=crfs, raw=raw
    )
    screen = WorkScreen("clips")
    try:
        with screen:
            make_corpus(ffmpeg, sources, output, recipe, chosen, jobs=jobs, watcher=screen)
    except (KeyboardInterrupt, SystemExit):
        say(f"{output}: {screen.done_now} clips made now; the same command goes on from there")
        raise
    click.echo(f"{output}: {screen.result()}")
    return 1 if screen.failures else 0


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
