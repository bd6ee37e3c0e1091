"""A fingerprint is of the content alone."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from vmaftune.media.fingerprint import fingerprint


def test_name_and_date_do_not_matter(tmp_path: Path) -> None:
    for name in ("a.mkv", "b.mp4"):
        (tmp_path / name).write_bytes(b"the same film")
    assert fingerprint(tmp_path / "a.mkv") == fingerprint(tmp_path / "b.mp4")


@settings(max_examples=50)
@given(st.binary(min_size=1, max_size=2000), st.data())
def test_any_byte_of_a_small_file_matters(tmp_path_factory, content: bytes, data: st.DataObject) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("film") / "film"
    path.write_bytes(content)
    before = fingerprint(path)
    place = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    assert fingerprint(path) != before


def test_a_large_file_is_read_in_blocks_over_all_of_it(tmp_path: Path) -> None:
    """32 MiB; the first and the last byte count, and so does the size."""
    path, size = tmp_path / "large", 32 * 1024 * 1024
    seen = set()
    for place in (None, 0, size - 1):
        with path.open("wb") as file:
            file.truncate(size)
            if place is not None:
                file.seek(place)
                file.write(b"x")
        seen.add(fingerprint(path))
    with path.open("wb") as file:
        file.truncate(size + 1)
    assert len(seen | {fingerprint(path)}) == 4
