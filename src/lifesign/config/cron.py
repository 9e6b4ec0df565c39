"""Cron expressions, by a library that knows daylight saving. Imported only where a config has one."""

from datetime import datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_LOOKED_AT = 400  # occurrences: a year of days, and every gap that a week or a change of the clock makes
_FROM = datetime(2026, 1, 1)  # noqa: DTZ001 - a fixed day, so that one expression always has one gap; the zone follows


def five_fields(text: str) -> str:
    """`text` without the words that stand for an expression. Raises ValueError where it is none."""
    fields = _WORDS.get(text.strip(), text.strip())
    try:
        CronSim(fields, _FROM)
    except CronSimError as error:
        raise ValueError(str(error)) from None
    return fields


def longest_gap(fields: str, tz: str | None) -> timedelta:
    """The longest time between two occurrences that follow each other. Raises ValueError where there are none."""
    begin = _FROM.replace(tzinfo=ZoneInfo(tz) if tz else None)
    try:
        moments = list(islice(CronSim(fields, begin), _LOOKED_AT))
    except CronSimError as error:
        raise ValueError(str(error)) from None
    if len(moments) < 2:
        raise ValueError("it hardly ever comes")
    return max(_elapsed(before, after) for before, after in pairwise(moments))


def _elapsed(before: datetime, after: datetime) -> timedelta:
    """Between two moments of one zone, by the clock on the wall of UTC."""
    if before.tzinfo is None:
        return after - before
    return timedelta(seconds=after.timestamp() - before.timestamp())
