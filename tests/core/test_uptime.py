"""Uptime from transcripts of events: every share and mean is worked out by hand beside it."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from lifesign.core.chronicle import Known, Standing, Story, chronicle
from lifesign.core.events import Event, EventName
from lifesign.core.model import ComponentState, JsonValue, Layer
from lifesign.core.uptime import Shares, shares, uptime

S = 1_000_000_000
LAYERS = {"beat": Layer.WORKING, "port": Layer.READY, "page": Layer.READY}


def event(line: str) -> Event:
    """`100 component.down mind detected_after_s=30`: the second, the name, the component or -, check=…, data."""
    at, name, component, *rest = line.split()
    data: dict[str, JsonValue] = {}
    check = None
    for word in rest:
        key, _, value = word.partition("=")
        if key == "check":
            check = value
        else:
            data[key] = float(value) if value.replace(".", "").replace("-", "").isdigit() else value
    return Event(EventName(name), int(at) * S, None if component == "-" else component, check, data=data)


def story(transcript: str, until: int, known: Mapping[str, Layer] = LAYERS) -> Story:
    lines = [line.strip() for line in transcript.strip().splitlines()]
    return chronicle(map(event, lines), {"mind": Known(known)}, until * S)["mind"]


def spans(told: Story) -> list[tuple[int, int, str]]:
    return [(span.start_ns // S, span.end_ns // S, str(span.standing)) for span in told.spans]


def test_down_lasts_from_its_telling_to_the_recovery_whatever_is_told_between() -> None:
    told = story(
        """
        0 monitor.started -
        10 component.healthy mind
        100 component.degraded mind
        130 component.down mind detected_after_s=42
        150 component.degraded mind
        160 component.unknown mind
        190 component.recovered mind down_s=60
        190 component.healthy mind
        """,
        until=310,
    )
    assert spans(told) == [(10, 130, "up"), (130, 190, "down"), (190, 310, "up")]
    seen = uptime(told, 10 * S, 310 * S)
    assert seen.shares == Shares(240, 60, 0, 0, 0)
    assert seen.shares.uptime == 0.8
    assert seen.shares.watched == 1
    assert (seen.incidents, seen.mean_detect_s, seen.mean_recover_s) == (1, 42, 60)


def test_a_stop_of_the_monitor_is_a_gap_and_what_stood_before_stands_after_it() -> None:
    told = story(
        """
        0 monitor.started -
        0 component.healthy mind
        100 monitor.stopped -
        400 monitor.started - away_s=299
        450 component.down mind
        480 monitor.stopped -
        500 monitor.started - away_s=20
        """,
        until=600,
    )
    assert spans(told) == [(0, 100, "up"), (400, 450, "up"), (450, 480, "down"), (500, 600, "down")]
    assert shares(told.spans, 0, 600 * S) == Shares(150, 130, 0, 0, 320)


def test_a_killed_monitor_watched_until_its_last_sign_of_life_or_else_until_the_last_it_told() -> None:
    start = "0 monitor.started -\n0 component.healthy mind\n50 check.passed mind check=port\n"
    assert spans(story(start + "400 monitor.started - away_s=100", 500)) == [(0, 300, "up"), (400, 500, "up")]
    assert spans(story(start + "400 monitor.started -", 500)) == [(0, 50, "up"), (400, 500, "up")]
    assert spans(story(start + "400 monitor.started - away_s=390", 500)) == [(0, 50, "up"), (400, 500, "up")]


def test_a_stall_is_a_gap_of_the_length_that_it_tells() -> None:
    told = story(
        """
        0 component.healthy mind
        100 monitor.stalled - stalled_s=30 suspended_s=0
        200 component.unknown mind
        """,
        until=300,
    )
    assert spans(told) == [(0, 70, "up"), (100, 200, "up"), (200, 300, "unknown")]
    assert shares(told.spans, 0, 300 * S) == Shares(170, 0, 100, 0, 30)
    assert shares(told.spans, 0, 300 * S).uptime == 1
    assert shares(told.spans, 0, 300 * S).watched == pytest.approx(170 / 300)


@pytest.mark.parametrize(
    ("at", "step", "spent"),
    [
        (3700, 3600, [(0, 100, "up"), (3700, 3800, "up")]),  # 100 s passed before the step, 100 s after it
        (1000, -3600, [(0, 4600, "up"), (1000, 3800, "up")]),  # 4,600 s before it, 2,800 s after it
    ],
)
def test_a_step_of_the_wall_clock_makes_no_time(at: int, step: int, spent: list[tuple[int, int, str]]) -> None:
    assert spans(story(f"0 component.healthy mind\n{at} clock.jumped - step_s={step}", 3800)) == spent


def test_a_pause_is_neither_up_nor_down_and_after_it_is_known_what_is_told() -> None:
    told = story(
        """
        0 component.healthy mind
        100 component.down mind
        150 operator.action mind action=pause
        250 operator.action mind action=resume
        270 component.recovered mind down_s=170
        """,
        until=300,
    )
    assert spans(told) == [
        (0, 100, "up"),
        (100, 150, "down"),
        (150, 250, "paused"),
        (250, 270, "down"),
        (270, 300, "up"),
    ]
    fine = story(
        "0 component.healthy mind\n10 operator.action mind action=pause\n20 operator.action mind action=resume", 30
    )
    assert spans(fine) == [(0, 10, "up"), (10, 20, "paused")]


def test_a_layer_is_down_while_one_of_its_checks_has_failed() -> None:
    told = story(
        """
        0 component.healthy mind
        100 check.failed mind check=port
        100 component.down mind
        120 check.failed mind check=page
        140 check.passed mind check=port
        150 check.unknown mind check=beat
        160 check.passed mind check=page
        170 check.passed mind check=beat
        180 component.recovered mind down_s=80
        """,
        until=200,
    )
    seen = uptime(told, 0, 200 * S)
    assert seen.layers[Layer.READY] == Shares(140, 60, 0, 0, 0)
    assert seen.layers[Layer.WORKING] == Shares(180, 0, 20, 0, 0)
    assert set(seen.layers) == {Layer.READY, Layer.WORKING}
    assert seen.shares == Shares(120, 80, 0, 0, 0)


def test_a_recovery_ends_what_failed_though_its_check_only_warns_since() -> None:
    told = story(
        "0 component.healthy mind\n10 check.failed mind check=port\n10 component.down mind\n"
        "20 component.recovered mind down_s=10\n20 component.degraded mind",
        until=40,
    )
    assert uptime(told, 0, 40 * S).layers[Layer.READY] == Shares(30, 10, 0, 0, 0)


def test_restarts_are_counted_and_the_first_work_after_them_is_meant() -> None:
    told = story(
        """
        0 component.down mind
        10 restart.sent mind
        70 restart.unproductive mind
        80 restart.sent mind
        90 restart.productive mind work_after_s=8
        200 restart.sent mind
        220 restart.productive mind work_after_s=12
        """,
        until=300,
    )
    seen = uptime(told, 0, 300 * S)
    assert (seen.restarts, seen.productive, seen.mean_first_work_s) == (3, 2, 10)
    late = uptime(told, 100 * S, 300 * S)
    assert (late.restarts, late.productive, late.mean_first_work_s) == (1, 1, 12)
    assert late.mean_recover_s is None


def test_nothing_is_known_before_the_first_word_and_nothing_is_said_of_nobody() -> None:
    told = story("0 monitor.started -\n60 component.down mind", 100)
    seen = uptime(told, 0, 100 * S).shares
    assert (seen.uptime, seen.watched, seen.unwatched_s) == (0.0, 0.4, 60)
    nothing = uptime(story("0 monitor.started -", 100), 0, 100 * S).shares
    assert (nothing.uptime, nothing.watched) == (None, 0.0)


def test_a_state_that_no_event_tells_any_more_is_held_since_it_began_and_gaps_are_still_gaps() -> None:
    events = [event("500 monitor.stopped -"), event("600 monitor.started - away_s=100")]
    known = Known(LAYERS, ComponentState.HEALTHY, 100 * S)
    told = chronicle(events, {"mind": known}, 1000 * S)["mind"]
    assert spans(told) == [(100, 500, "up"), (600, 1000, "up")]
    starting = chronicle(events, {"mind": replace(known, state=ComponentState.STARTING)}, 1000 * S)["mind"]
    assert spans(starting) == []
    spoken = chronicle([event("700 component.down mind")], {"mind": known}, 1000 * S)["mind"]
    assert spans(spoken) == [(700, 1000, "down")]


def test_runs_from_cron_after_a_daemon_was_stopped_are_watching_again() -> None:
    told = story("0 component.healthy mind\n10 monitor.stopped -\n50 component.down mind", 90)
    assert [(span.start_ns // S, span.standing) for span in told.spans] == [(0, Standing.UP), (50, Standing.DOWN)]


def test_each_component_has_a_story_of_its_own() -> None:
    events = map(event, ["0 component.healthy mind", "5 component.down port", "9 check.failed nobody check=x"])
    told = chronicle(events, {"mind": Known(), "port": Known(), "new": Known()}, 10 * S)
    assert [(name, spans(told[name])) for name in told] == [
        ("mind", [(0, 10, "up")]),
        ("port", [(5, 10, "down")]),
        ("new", []),
    ]


def test_what_stands_when_a_component_is_healthy_again_is_not_held_of_its_checks_any_more() -> None:
    told = story(
        "0 component.healthy mind\n10 check.unknown mind check=port\n10 component.degraded mind\n"
        "30 component.healthy mind",
        until=40,
    )
    assert uptime(told, 0, 40 * S).layers[Layer.READY] == Shares(20, 0, 20, 0, 0)


def test_a_layer_is_not_known_while_its_component_is_paused_or_nobody_can_see_it() -> None:
    told = story(
        "0 component.healthy mind\n10 operator.action mind action=pause\n20 operator.action mind action=resume\n"
        "30 component.healthy mind",
        until=40,
    )
    assert uptime(told, 0, 40 * S).layers[Layer.READY] == Shares(20, 0, 0, 10, 10)


def test_a_deed_at_the_edge_of_a_window_is_in_it_and_a_span_beyond_it_takes_nothing() -> None:
    told = story("0 component.healthy mind\n10 component.down mind\n20 component.recovered mind down_s=10", until=40)
    assert uptime(told, 10 * S, 20 * S).incidents == uptime(told, 0, 10 * S).incidents == 1
    assert uptime(told, 10 * S + 1, 20 * S).incidents == 0
    assert uptime(told, 0, 10 * S - 1).incidents == 0
    assert uptime(told, 20 * S, 40 * S).mean_recover_s == 10
    assert shares(told.spans, 30 * S, 31 * S) == Shares(1, 0, 0, 0, 0)


def test_seconds_of_a_pause_are_seconds() -> None:
    told = story("0 component.healthy mind\n10 operator.action mind action=pause", until=40)
    assert shares(told.spans, 0, 40 * S) == Shares(10, 0, 0, 30, 0)


def test_a_stall_or_a_step_of_unknown_length_takes_nothing() -> None:
    told = story("0 component.healthy mind\n10 monitor.stalled -\n20 clock.jumped -", until=40)
    assert spans(told) == [(0, 10, "up"), (10, 20, "up"), (20, 40, "up")]


def test_a_monitor_that_stopped_before_anything_else_was_told_has_not_watched_since() -> None:
    known = Known(LAYERS, ComponentState.HEALTHY, 100 * S)
    told = chronicle(
        [event("200 monitor.stopped -"), event("300 monitor.started - away_s=500")], {"mind": known}, 400 * S
    )
    assert spans(told["mind"]) == [(100, 200, "up"), (300, 400, "up")]
    killed = chronicle([event("300 monitor.started - away_s=100")], {"mind": known}, 400 * S)
    assert spans(killed["mind"]) == [(100, 200, "up"), (300, 400, "up")]


def test_a_story_of_many_events_holds_one_of_them_at_a_time() -> None:
    held: list[int] = []

    def told() -> Iterator[Event]:
        one = event("0 restart.sent mind")
        for _ in range(1000):
            held.append(sys.getrefcount(one))
            yield one

    assert len(chronicle(told(), {"mind": Known(LAYERS)}, 2000 * S)["mind"].restarts) == 1000
    assert max(held) <= held[0] + 1
