"""What a search is expected to take yet."""

from __future__ import annotations

import pytest

from vmaftune.cli.remaining import Remaining


def test_the_rest_of_a_sure_probe_is_the_rest_of_the_search() -> None:
    remaining = Remaining()
    remaining.probing(100.0, 1.0, explore=False)
    assert remaining.seconds(101.0, 0.01) is None
    assert remaining.seconds(110.0, 0.25) == pytest.approx(30.0)


def test_a_doubtful_probe_is_followed_by_others() -> None:
    remaining = Remaining()
    remaining.probing(0.0, 0.0, explore=False)
    assert remaining.seconds(10.0, 0.5) == pytest.approx(10.0 + 1.5 * 20.0)


def test_an_exploring_probe_is_followed_by_a_verifying_one() -> None:
    remaining = Remaining()
    remaining.probing(0.0, None, explore=True)
    assert remaining.seconds(5.0, 0.5) == pytest.approx(5.0 + 2.0 * 10.0)
    remaining.probed(10.0)
    remaining.probing(10.0, 0.5, explore=False)
    remaining.probed(40.0)
    remaining.probing(40.0, None, explore=True)
    assert remaining.seconds(45.0, 0.5) == pytest.approx(5.0 + 30.0)
