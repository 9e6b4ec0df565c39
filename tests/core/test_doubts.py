"""Why a restart that is due is not made: each reason by itself, in its words, and the order of telling (R1, R7, R8)."""

from typing import Any

import pytest

from lifesign.core.doubts import clock, first_doubt
from lifesign.core.model import NS_PER_S
from lifesign.core.sight import Sight

REASONS: list[tuple[dict[str, Any], str]] = [
    ({"held_by": "ann until 04:10 UTC: deploy"}, "held by ann until 04:10 UTC: deploy"),
    ({"suppressed_by": "gateway"}, "it depends on gateway, which has not recovered"),
    ({"common_cause": "most went down at once"}, "most went down at once"),
    ({"stalled": True}, "we had stalled ourselves: failures are not evidence"),
    ({"jumped": True}, "the wall clock was just stepped"),
    ({"grace_left_ns": 1}, "grace 0:01"),
    ({"flapping": True}, "it flaps, which a restart does not cure"),
]


@pytest.mark.parametrize(("seen", "words"), REASONS)
def test_each_reason_keeps_a_restart_back_by_itself_and_is_told_in_its_words(seen: dict[str, Any], words: str) -> None:
    found = first_doubt(Sight(down=True, **seen))
    assert found is not None
    assert found[1] == words


def test_of_several_reasons_the_first_is_told_each_under_a_key_of_its_own() -> None:
    keys = []
    for number in range(len(REASONS)):
        seen = {name: value for one, _ in REASONS[number:] for name, value in one.items()}
        found = first_doubt(Sight(down=True, **seen))
        assert found is not None
        assert found[1] == REASONS[number][1]
        keys.append(found[0])
    assert len(set(keys)) == len(REASONS)


def test_where_no_reason_is_left_there_is_no_doubt() -> None:
    assert first_doubt(Sight(down=True)) is None
    assert first_doubt(Sight(down=True, grace_left_ns=-NS_PER_S)) is None


@pytest.mark.parametrize(
    ("left_ns", "words"),
    [
        (1, "0:01"),
        (NS_PER_S, "0:01"),
        (NS_PER_S + 1, "0:02"),
        (42 * NS_PER_S, "0:42"),
        (59 * NS_PER_S + 1, "1:00"),
        (61 * NS_PER_S, "1:01"),
        (3_725 * NS_PER_S, "62:05"),
    ],
)
def test_what_is_left_is_told_in_minutes_and_begun_seconds(left_ns: int, words: str) -> None:
    assert clock(left_ns) == words
