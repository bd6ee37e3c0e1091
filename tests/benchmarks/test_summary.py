"""What the benchmark says of searches: its arithmetic."""

from __future__ import annotations

import math

import pytest
from summary import RULE, Tally, failures, groups, rows, table


def tally(
    method: str, clip: str = "a", encoder: str = "libx264:medium", target: float = 93.0, **fields: object
) -> Tally:
    given = {"verified": 2, "verify_seconds": 20.0, "last_seconds": 10.0, "crf": 23.0, "vmaf": target + 0.1, **fields}
    return Tally(encoder=encoder, target=target, clip=clip, method=method, **given)  # type: ignore[arg-type]


def test_a_row_of_each_method() -> None:
    searches = [
        tally("cold", verify_seconds=18.0, explore_seconds=6.0, feature_seconds=1.0, explored=1, predicted_crf=24.0),
        tally("cold", "b", verified=4, verify_seconds=35.0, predicted_crf=25.0, vmaf=93.3),
        tally(RULE, verified=5, verify_seconds=50.0, last_seconds=12.0),
        tally(RULE, "b", verified=6, verify_seconds=70.0, last_seconds=8.0),
    ]
    cold, rule = rows("all", searches)
    assert (cold.method, cold.searches, cold.verified, cold.most, cold.explored) == ("cold", 2, 3.0, 4, 0.5)
    assert cold.within_few == 0.5 and rule.within_few == 0.0
    assert cold.to_rule == pytest.approx(60 / 120) and rule.to_rule == 1.0
    assert cold.to_probe == pytest.approx(60 / 20) and rule.to_probe == pytest.approx(120 / 20)
    assert cold.away == pytest.approx(0.2)
    assert cold.near == 0.5 and math.isnan(rule.near)


def test_without_the_rule_there_is_no_ratio_to_it() -> None:
    (row,) = rows("all", [tally("cold")])
    assert math.isnan(row.to_rule) and row.to_probe == 2.0
    assert " - " in table([row])[-1]


def test_a_failure_is_a_result_below_the_target_or_none_where_another_method_found_one() -> None:
    searches = [
        tally("cold", vmaf=92.9),
        tally("cold", "b", crf=None, vmaf=None),
        tally(RULE, "b"),
        tally("cold", "c", crf=None, vmaf=None),
        tally(RULE, "c", crf=None, vmaf=None),
        tally("cold", "d", target=96.0, crf=None, vmaf=None),
        tally(RULE, "d", target=90.0),
    ]
    assert failures(searches) == searches[:2]
    assert [row.failed for row in rows("all", searches)] == [2, 0]


@pytest.mark.parametrize(
    ("encoder", "guess", "near"),
    [
        ("libx264:medium", 24.5, True),
        ("libx264:medium", 25.4, False),
        ("libsvtav1:8", 25.4, True),
        ("libx265", 21.0, False),
    ],
)
def test_how_near_a_first_guess_must_be(encoder: str, guess: float, near: bool) -> None:
    assert tally("cold", encoder=encoder, predicted_crf=guess).guess_is_near is near


def test_there_is_no_first_guess_without_a_result_or_of_a_rule() -> None:
    assert tally("cold", predicted_crf=23.0, crf=None, vmaf=None).guess_is_near is None
    assert tally(RULE).guess_is_near is None


def test_no_group_stands_twice_under_two_names() -> None:
    one = [tally("cold")]
    two = [*one, tally("cold", target=96.0)]
    three = [*two, tally("cold", encoder="libsvtav1:8")]
    assert list(groups(one)) == ["libx264:medium 93"]
    assert list(groups(two)) == ["libx264:medium 93", "libx264:medium 96", "libx264:medium"]
    assert list(groups(three)) == [*groups(two), "libsvtav1:8 93", "all"]
    assert len(groups(three)["all"]) == 3


def test_a_line_of_the_table_of_searches_has_all_there_is() -> None:
    fields = tally("cold", explore_seconds=2.0, feature_seconds=1.0, steps=" 23~93.1 23=93.10").fields
    assert fields["seconds"] == 23.0 and fields["steps"] == "23~93.1 23=93.10"
