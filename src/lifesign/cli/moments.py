"""Moments as a user writes them: an RFC 3339 time, or how long ago."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lifesign.replay.recorded import Range


def range_of(since: str | None, until: str | None) -> "Range":
    """From when to when. Raises UsageError."""
    from lifesign.replay.recorded import Range

    since_ms = 0 if since is None else _moment_ms("--since", since)
    return Range(since_ms) if until is None else Range(since_ms, _moment_ms("--until", until))


def _moment_ms(option: str, text: str) -> int:
    import time

    from lifesign.text import parse_duration, parse_timestamp

    try:
        if text[:4].isdecimal() and text[4:5] == "-":
            return parse_timestamp(text) // 1_000_000
        return time.time_ns() // 1_000_000 - round(parse_duration(text) * 1_000)
    except ValueError as error:
        raise click.UsageError(f"{option} {error}") from None
