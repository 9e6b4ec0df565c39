"""Strips of one sign each: the last verdicts, and latencies as a sparkline. No state rests on its colour alone."""

from collections.abc import Sequence

from lifesign.tui.drawing.glyphs import Glyphs
from lifesign.tui.drawing.spans import Span

_LEAST = 2  # one alone is no history
_SIGNS = {"healthy": "▁", "degraded": "▄", "down": "█", "unknown": "?", "starting": "◌", "paused": "‖"}
_PLAIN = {"healthy": ".", "degraded": "!", "down": "X", "unknown": "?", "starting": "o", "paused": "="}
_STEPS, _PLAIN_STEPS = "▁▂▃▄▅▆▇█", "_.:-=+*#"


def verdict_spans(verdicts: Sequence[str], most: int, glyphs: Glyphs) -> list[Span]:
    """The newest `most` verdicts, newest at the right; empty where there is no history yet."""
    if len(verdicts) < _LEAST or most < _LEAST:
        return []
    signs = _PLAIN if glyphs.plain else _SIGNS
    spans: list[Span] = []
    for verdict in verdicts[-most:]:
        _, role = glyphs.of_state(verdict)
        sign = signs[role]
        if spans and spans[-1][1] == role:
            spans[-1] = (spans[-1][0] + sign, role)
        else:
            spans.append((sign, role))
    return spans


def sparkline(values: Sequence[float], most: int, glyphs: Glyphs) -> str:
    """The newest `most` values between 0 and the largest of them; empty where there is no history yet."""
    if len(values) < _LEAST or most < _LEAST:
        return ""
    steps = _PLAIN_STEPS if glyphs.plain else _STEPS
    shown = values[-most:]
    largest = max(shown) or 1.0
    return "".join(steps[min(int(max(value, 0.0) / largest * len(steps)), len(steps) - 1)] for value in shown)
