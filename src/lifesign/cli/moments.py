"""Moments as a user writes them: an RFC 3339 time, or how long ago."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lifesign.replay.recorded import Range


def range_of(since: str | None, until: str | None) -> "Range":
    """From when to when. Raises UsageError."""
    from lifesign.replay.recorded import Range

    since_ms = 0 if since is None else _moment_ms("--since", since)
    if until is None:
        return Range(since_ms)
    until_ms = _moment_ms("--until", until)
    if until_ms < since_ms:
        raise click.UsageError(f"--until {until} lies before --since {since}: there is no time between them")
    return Range(since_ms, until_ms)


def _moment_ms(option: str, text: str) -> int:
    return moment_ns(option, text) // 1_000_000


def moment_ns(option: str, text: str) -> int:
    """Nanoseconds since the epoch of what `option` was given. Raises UsageError."""
    import time

    from lifesign.text import clean, parse_duration, parse_timestamp

    is_time = text[:4].isdecimal() and text[4:5] == "-"
    try:
        return parse_timestamp(text) if is_time else time.time_ns() - round(parse_duration(text) * 1_000_000_000)
    except ValueError as error:
        if is_time:
            raise click.UsageError(f"{option} {error}: write it as 2026-11-21T14:03:22Z") from None
        words = f"{option} {clean(text, 40)!r}: write a time (2026-11-21T14:03:22Z), or how long ago (10m, 1h30m)"
        raise click.UsageError(words) from None
