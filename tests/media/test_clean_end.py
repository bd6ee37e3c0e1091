"""Where a copy of packets may end: nothing left out is shown before anything taken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vmaftune.media.samples import _clean_end


def _decoding_order(groups: list[int]) -> list[int]:
    """Show times in decoding order of groups of so many B-frames: each group's anchor is decoded before its B-frames."""
    times, shown = [0], 0
    for b_frames in groups:
        times.append(shown + b_frames + 1)
        times += range(shown + 1, shown + b_frames + 1)
        shown += b_frames + 1
    return times


_GROUPS = st.lists(st.integers(0, 4), min_size=20, max_size=40)


@given(_GROUPS, st.integers(1, 15))
def test_what_is_kept_is_shown_before_what_is_left_out(groups: list[int], wanted: int) -> None:
    times = _decoding_order(groups)
    length = _clean_end(times, wanted)
    assert wanted <= length < len(times)
    assert max(times[:length]) < min(times[length:])
    assert sorted(times[:length]) == list(range(length)), "no hole"


@given(_GROUPS, st.integers(1, 15))
def test_it_is_the_first_such_place(groups: list[int], wanted: int) -> None:
    times = _decoding_order(groups)
    length = _clean_end(times, wanted)
    assert all(max(times[:n]) > min(times[n:]) for n in range(wanted, length))


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=100), st.data())
def test_any_times_give_a_length_within(times: list[int], data: st.DataObject) -> None:
    """Broken time stamps may have no clean place; then the wanted length stands."""
    wanted = data.draw(st.integers(1, len(times) - 1))
    assert wanted <= _clean_end(times, wanted) <= len(times)


def test_without_b_frames_the_wanted_length_stands() -> None:
    assert _clean_end(list(range(100)), 40) == 40
