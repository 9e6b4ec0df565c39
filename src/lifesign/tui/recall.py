"""What stood before the console was opened, for the strip of verdicts: one for each look that there must have been.

It is made of the first document and of the events that were told by then. Where nobody watched there was no look, and
of what no event tells there is no verdict. Pure. Not here: what is seen from then on (`memory`).
"""

from collections.abc import Mapping, Sequence

from lifesign.api.documents import Component, EventDocument, State
from lifesign.tui.memory import VERDICTS
from lifesign.tui.snapshot import wall_ns

_NS_PER_S = 1_000_000_000
_USUAL_NS, _LEAST_NS = 10 * _NS_PER_S, _NS_PER_S
_TOLD = {f"component.{state}": state for state in ("healthy", "degraded", "down", "unknown")}

_Gap = tuple[int, int]


def recalled(state: State, events: Sequence[EventDocument]) -> Mapping[str, tuple[str, ...]]:
    """By component its verdicts before `state` was made, oldest first. `events`: oldest first."""
    now_ns = wall_ns(state.generated_at)
    if now_ns is None:
        return {}
    told: dict[str, list[tuple[int, str]]] = {}
    for event in events:
        at_ns, word = wall_ns(event.ts), _word(event)
        if at_ns is not None and word is not None and event.component is not None:
            told.setdefault(event.component, []).append((at_ns, word))
    gaps = _gaps(events)
    return {one.name: _verdicts(one, told.get(one.name, []), gaps, now_ns) for one in state.components}


def _word(event: EventDocument) -> str | None:
    """The state that an event tells, None for an event that tells none."""
    if event.event == "operator.action":  # what stands once it is resumed is told when it is known
        return {"pause": "paused", "resume": "unknown"}.get(str((event.data or {}).get("action")))
    return _TOLD.get(event.event)


def _gaps(events: Sequence[EventDocument]) -> list[_Gap]:
    """When nobody watched: from one run's end, or from when it was killed, to the next one's start."""
    found: list[_Gap] = []
    ended_ns: int | None = None
    for event in events:
        at_ns = wall_ns(event.ts)
        if at_ns is None:
            continue
        if event.event == "monitor.stopped":
            ended_ns = at_ns
        elif event.event == "monitor.started":
            away_s = (event.data or {}).get("away_s")
            killed_ns = at_ns - int(away_s * _NS_PER_S) if isinstance(away_s, int | float) else 0
            found.append((ended_ns if ended_ns is not None else killed_ns, at_ns))
            ended_ns = None
    return found


def _verdicts(
    component: Component, told: Sequence[tuple[int, str]], gaps: Sequence[_Gap], now_ns: int
) -> tuple[str, ...]:
    since_ns, every_ns = wall_ns(component.since) or now_ns, _every_ns(component)
    oldest_ns = now_ns - (VERDICTS - 1) * every_ns
    if since_ns <= oldest_ns and all(end_ns <= oldest_ns for _, end_ns in gaps):  # nearly all of a thousand
        return (component.state,) * (VERDICTS - 1)
    found: list[str] = []
    for back in range(1, VERDICTS):
        at_ns = now_ns - back * every_ns
        if any(start_ns <= at_ns < end_ns for start_ns, end_ns in gaps):
            continue
        word = component.state if at_ns >= since_ns else _stood(told, at_ns)
        if word is None:
            break
        found.append(word)
    return tuple(reversed(found))


def _stood(told: Sequence[tuple[int, str]], at_ns: int) -> str | None:
    return next((word for since_ns, word in reversed(told) if since_ns <= at_ns), None)


def _every_ns(component: Component) -> int:
    """How often it is looked at, by its most watchful check."""
    spans = [(wall_ns(check.last_at), wall_ns(check.next_at)) for check in component.checks]
    every = [later - earlier for earlier, later in spans if earlier is not None and later is not None]
    return max(_LEAST_NS, min((span for span in every if span > 0), default=_USUAL_NS))
