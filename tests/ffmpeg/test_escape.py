"""Escaping, read back as ffmpeg reads it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from vmaftune.escape import file_url, filter_value, nested_value


def _token(text: str, ends: str) -> tuple[str, str]:
    """av_get_token of libavutil: one token and what follows, with its escapes, quotes and trimming undone."""
    text = text.lstrip(" \n\t\r")
    out: list[str] = []
    kept, place = 0, 0
    while place < len(text) and text[place] not in ends:
        if text[place] == "\\" and place + 1 < len(text):
            out.append(text[place + 1])
            place += 2
            kept = len(out)
        elif text[place] == "'":
            end = text.find("'", place + 1)
            end = len(text) if end < 0 else end
            out += text[place + 1 : end]
            place = end + 1
            kept = len(out)
        else:
            out.append(text[place])
            place += 1
    while len(out) > kept and out[-1] in " \n\t\r":
        out.pop()
    return "".join(out), text[place:]


@given(st.text(st.sampled_from("ab\\':,;[]=| \n\t%") | st.characters(exclude_characters="\0"), max_size=30))
def test_a_filter_value_comes_through_both_levels(text: str) -> None:
    argument, rest = _token(filter_value(text) + "[out]", "[],;")
    assert rest == "[out]"
    assert _token(argument + ":next=1", ":") == (text, ":next=1")


@given(st.text(st.sampled_from("ab\\':,;[]= \n\t%"), max_size=30))
def test_a_nested_value_comes_through_three(text: str) -> None:
    argument, _ = _token(filter_value(f"path={nested_value(text)}") + "[out]", "[],;")
    model, _ = _token(argument + ":next=1", ":")
    key, _, value = model.partition("=")
    assert key == "path" and _token(value, ":") == (text, "")


def test_a_file_is_absolute_and_of_the_file_protocol(tmp_path: Path) -> None:
    assert file_url(tmp_path / "-i") == f"file:{tmp_path}/-i"
    assert file_url(Path("concat:a|b")) == f"file:{Path.cwd()}/concat:a|b"
