"""Every parser of what others wrote, a minute each: the properties that the ordinary run tries a few hundred times."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import test_text
from tests.api import test_fuzz as api
from tests.checks import test_fuzz as checks
from tests.checks import test_heartbeat_formats as heartbeats
from tests.config import test_fuzz as config
from tests.figures import Figures
from tests.fuzzing import for_seconds

SECONDS = 60.0
PARSERS: dict[str, list[Callable[..., Any]]] = {
    "a heartbeat": [heartbeats.test_no_bytes_are_a_beat_unless_they_hold_a_strict_timestamp],
    "heartbeat lines": [heartbeats.test_no_lines_are_a_beat_unless_a_whole_one_holds_a_strict_timestamp],
    "a config": [config.test_values_put_where_others_belong_are_accepted_or_refused],
    "a target of watch": [config.test_any_text_is_a_target_or_is_refused],
    "a push body": [api.test_a_push_body_is_an_observation_or_422],
    "an operator's body": [api.test_an_operators_body_is_understood_or_422],
    "a state document": [api.test_a_damaged_state_is_a_clean_state_or_a_bad_answer],
    "an HTTP answer": [checks.test_any_bytes_are_an_http_answer_or_trouble_however_they_are_cut],
    "a WebSocket": [checks.test_any_bytes_are_websocket_messages_or_trouble_however_they_are_cut],
    "strict JSON": [checks.test_any_bytes_are_one_strict_json_object_or_malformed],
    "a duration": [test_text.test_any_text_is_a_duration_by_its_units_or_refused],
}
FIXTURES: dict[str, dict[str, object]] = {"a heartbeat": {"format_": "auto"}}


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(300)
@pytest.mark.parametrize("parser", PARSERS)
def test_a_minute_of_whatever_comes(parser: str, figures: Figures, tmp_path: Path) -> None:
    fixtures: dict[str, object] = {"folder": tmp_path} if parser == "a config" else dict(FIXTURES.get(parser, {}))
    examples = sum(for_seconds(SECONDS / len(PARSERS[parser]), test, **fixtures) for test in PARSERS[parser])
    assert examples > 100
    figures(f"fuzzed, {parser}", examples=examples)


@given(st.integers(0, 10**6))
def small(number: int) -> None:
    assert number < 1_000


def test_the_driver_runs_for_its_time_on_new_examples_and_finds_what_breaks() -> None:
    assert for_seconds(0.5, test_text.test_any_text_is_a_duration_by_its_units_or_refused) >= 1
    with pytest.raises(AssertionError, match="1000 < 1000"):
        for_seconds(60, small)
