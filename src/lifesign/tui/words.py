"""How a component stands and what comes next, in words that say nothing twice."""

from lifesign.api.documents import Component


def why(state: str, diagnosis: str) -> str:
    """`diagnosis`, which may begin with the very name of `state`, as it reads beside that: `waiting for port`."""
    rest = diagnosis.removeprefix(state)
    return diagnosis if rest == diagnosis else rest.lstrip(": ")


def standing(state: str, diagnosis: str) -> str:
    """`down: not ready: connection refused`; `paused by the operator`."""
    reason = why(state, diagnosis)
    if not reason:
        return state
    return f"{state} {reason}" if diagnosis.startswith(f"{state} ") else f"{state}: {reason}"


def next_alone(component: Component) -> str:
    """What comes next, without the notices that the daemon has put behind it: they stand by themselves."""
    text = component.next
    for laid, mark in ((component.hold, "held by "), (component.silence, "silenced by ")):
        if laid is not None:
            text = "" if text.startswith(mark) else text.partition(f" · {mark}")[0]
    return text
