"""What was seen of a component last, in lines, for whoever is told that it is down: a log says more than a state.

The newest lines of its logs; where it has none, what its heartbeats say; else what happened to it. Not here: redaction
(`alert_of.without_secrets`).
"""

import json
from collections.abc import Callable, Iterable, Iterator

from lifesign.core.view import CheckView, ComponentView
from lifesign.text import clean

MOST_LINES = 20
MOST_BYTES = 4096
_LONGEST_LINE = 250


def last_lines(view: ComponentView, told: Callable[[str], Iterable[str]]) -> list[str]:
    """At most twenty lines and 4 KiB, oldest first. `told`: what happened to a component, a line each."""
    logs = [check for check in view.checks if check.lines]
    if logs:
        each = max(1, MOST_LINES // len(logs))
        lines = [_named(line, check, logs) for check in logs for line in check.lines[-each:]]
        return _capped(lines)
    beats = [check for check in view.checks if check.spec.signal is not None and check.data]
    if beats:
        return _capped([_named(line, check, beats) for check in beats for line in _entries(check)])
    return _capped(told(view.spec.name))


def _named(line: str, check: CheckView, among: list[CheckView]) -> str:
    """`line`, with whose it is where there are several."""
    return line if len(among) == 1 else f"{check.spec.name}: {line}"


def _entries(check: CheckView) -> Iterator[str]:
    for key, value in check.data.items():
        yield f"{key}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"


def _capped(lines: Iterable[str]) -> list[str]:
    kept: list[str] = []
    size = 0
    for line in reversed([clean(line, _LONGEST_LINE) for line in lines][-MOST_LINES:]):
        size += len(line.encode()) + 1
        if size > MOST_BYTES:
            break
        kept.append(line)
    return kept[::-1]
