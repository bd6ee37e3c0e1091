"""``manifest.json`` in a corpus: what file names cannot say. Every field may be left out, and so may the file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from vmaftune.errors import UserError
from vmaftune.media.facts import shown
from vmaftune.media.raw import Geometry
from vmaftune.state import atomic
from vmaftune.state.regular import read_regular

FILE = "manifest.json"


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How ``tiny make-corpus`` was told to make a corpus; options as they were given."""

    frames: int
    max_height: int | None
    encoders: tuple[str, ...]
    heights: tuple[str, ...]
    crfs: int
    raw: bool


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known of a corpus.

    Attributes:
        raw: geometry of all raw files that ``files`` does not name.
        files: geometry of a raw file by its path in the corpus, such as ``ref/Tennis_24fps.yuv``.
        sources: source of a clip by the name that its files begin with; a clip that is not there is a source of its own. What
            is of one film is of one source: a split must not part it.
        recipe: how the corpus was made; None for one that was not made here.
    """

    raw: Geometry | None = None
    files: dict[str, Geometry] = {}
    sources: dict[str, str] = {}
    recipe: Recipe | None = None


def read_manifest(corpus: Path) -> Manifest:
    """The manifest of a corpus; an empty one where it has none.

    Raises:
        UserError: it cannot be read or is wrong.
    """
    path = corpus / FILE
    try:
        manifest = msgspec.json.decode(read_regular(path), type=Manifest)
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise UserError(f"cannot open {shown(path)}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{shown(path)} is no manifest of a corpus: {error}") from error
    for clip, source in manifest.sources.items():
        if not source or "/" in source or source.startswith("."):
            raise UserError(
                f"{shown(path)}: {shown(source)!r} cannot be the source of {shown(clip)}; it is to name a folder"
            )
    return manifest


def write_manifest(corpus: Path, manifest: Manifest) -> None:
    """Write a manifest whole.

    Raises:
        OSError: it could not be written.
    """
    atomic.write(corpus / FILE, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
