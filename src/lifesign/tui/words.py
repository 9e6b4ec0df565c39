"""How a component stands, in words that say nothing twice: its diagnosis may begin with the very name of its state."""


def why(state: str, diagnosis: str) -> str:
    """`diagnosis` as it reads beside the name of `state`: `waiting for port`, `by the operator`."""
    rest = diagnosis.removeprefix(state)
    return diagnosis if rest == diagnosis else rest.lstrip(": ")


def standing(state: str, diagnosis: str) -> str:
    """`down: not ready: connection refused`; `paused by the operator`."""
    reason = why(state, diagnosis)
    if not reason:
        return state
    return f"{state} {reason}" if diagnosis.startswith(f"{state} ") else f"{state}: {reason}"
