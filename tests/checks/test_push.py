"""The `push` check: beats by schedule, and what is remembered over a restart of ours."""

import time
from datetime import datetime, timedelta

import pytest

from lifesign.checks.due import DueTimes
from lifesign.checks.push import PushProbe
from lifesign.config.cron import five_fields, longest_gap
from lifesign.core.model import Observation, Verdict, WorkSignal


def unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def beat() -> Observation:
    return Observation(Verdict.OK, "done", signal=WorkSignal(time.time_ns()))


@pytest.mark.parametrize(
    ("fields", "tz", "after", "due"),
    [
        ("0 3 * * *", "UTC", "2026-11-27T03:10:00+00:00", "2026-11-28T03:00:00+00:00"),
        ("0 3 * * *", "UTC", "2026-11-27T02:59:30+00:00", "2026-11-28T03:00:00+00:00"),  # it came a little early
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T02:31:00+01:00", "2026-03-29T03:00:00+02:00"),  # 02:30 is left out
        ("0 9 * * 1-5", "Europe/Berlin", "2026-11-27T09:05:00+01:00", "2026-11-30T09:00:00+01:00"),
    ],
)
def test_the_next_beat_is_due_by_the_schedule_and_its_zone(fields: str, tz: str, after: str, due: str) -> None:
    found = DueTimes(fields, tz, 300.0).after(unix(after), beat=True)
    assert found.at.timestamp() == unix(due)


def test_a_beat_that_was_due_and_did_not_come_fails_until_one_comes() -> None:
    minutes = DueTimes("* * * * *", "UTC", 0.0)
    probe = PushProbe(stale_after_s=3600, due=minutes)
    assert probe.look_at_once(0).verdict is Verdict.OK
    probe._due = minutes.after(time.time() - 120, beat=False)
    found = probe.look_at_once(0)
    assert found.verdict is Verdict.FAIL
    assert found.message.startswith("the beat that was due at 20")
    assert found.message.endswith(" UTC has not come")
    probe.accept(Observation(Verdict.FAIL, "it failed"))
    assert probe.look_at_once(0).message.endswith(" has not come")
    probe.accept(beat())
    assert (probe.look_at_once(0).verdict, probe.look_at_once(0).message) == (Verdict.OK, "done")


def test_a_remembered_beat_is_the_newest_until_another_comes() -> None:
    old = Observation(Verdict.OK, signal=WorkSignal(time.time_ns() - 10**9))
    probe = PushProbe(stale_after_s=60, remembered=old)
    assert probe.look_at_once(0) is old
    daily = DueTimes("0 3 * * *", "UTC", 300.0)
    two_days_ago = Observation(Verdict.OK, signal=WorkSignal(time.time_ns() - 2 * 86400 * 10**9))
    assert PushProbe(stale_after_s=1e9, due=daily, remembered=two_days_ago).look_at_once(0).verdict is Verdict.FAIL


def test_the_longest_gap_is_that_of_the_week_and_of_the_clock() -> None:
    assert longest_gap("0 9 * * 1-5", "UTC") == timedelta(days=3)
    assert longest_gap(five_fields("@daily"), None) == timedelta(days=1)
    assert longest_gap("0 12 * * *", "Europe/Berlin") == timedelta(hours=25)
    for bad in ("61 * * * *", "hello", "0 0 30 2 *"):
        with pytest.raises(ValueError, match=r"."):
            longest_gap(five_fields(bad), None)
