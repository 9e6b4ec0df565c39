"""Uptime of one component in words: up over up or down, and beside it what nobody knows of."""

from collections.abc import Sequence

from lifesign.api.report_documents import Window
from lifesign.text import format_duration, format_share

SHOWN = ("24h", "7d")


def uptime_words(windows: Sequence[Window]) -> str:
    """`24h 99.958 %, down 36s, not watched 1h02m`, and the same of a week; what is nothing is left out."""
    told = [_window(window) for name in SHOWN for window in windows if window.window == name]
    return "   ".join(told) or "not known"


def _window(window: Window) -> str:
    spent = (
        ("down", window.down_s),
        ("unknown", window.unknown_s),
        ("paused", window.paused_s),
        ("not watched", window.unwatched_s),
    )
    parts = [f"{what} {format_duration(seconds)}" for what, seconds in spent if seconds >= 1]
    return f"{window.window} {', '.join([format_share(window.uptime), *parts])}"
