"""What each component is in the metrics: its lines of each family, kept with its copy (`sampled`) until they change.

Labels are names from the config and closed sets. Not here: the form of a line (`exposition`), and what tells of the
monitor itself (`metrics`).
"""

from collections.abc import Mapping, Sequence

from lifesign.api.copies import Copy
from lifesign.api.documents import Component
from lifesign.api.exposition import escaped, head, line, number, start, state_lines
from lifesign.api.sampled import Sampled, Steady, joined
from lifesign.core.model import CheckState, ComponentState

_STATES, _LAYERS = "lifesign_component_state", "lifesign_layer_state"
_STALENESS, _STALE_AFTER = "lifesign_staleness_seconds", "lifesign_stale_after_seconds"
_LATENCY, _MEASURED = "lifesign_check_latency_seconds", "lifesign_check_metric"
_WORDS: Mapping[str, str] = {  # the families, in their order; what ages comes first
    _STALENESS: "Time since the work signal last advanced.",
    _STALE_AFTER: "Limit of the staleness.",
    _STATES: "1 for the component's state, 0 for all others.",
    _LAYERS: "1 for the layer's state, 0 for all others.",
    "lifesign_consecutive_failures": "Failures in a row of the worst check.",
    "lifesign_incident_open": "1 from going down to the recovery.",
    "lifesign_flapping": "1 while it changes too often.",
    "lifesign_silenced": "1 while no alert goes out.",
    "lifesign_held": "1 while neither an alert nor an automatic restart is made.",
    "lifesign_acknowledged": "1 while somebody has taken the incident.",
    "lifesign_incarnation": "Lives of the supervised process that began under our eyes.",
    "lifesign_restart_unproductive": "Restarts in a row that brought no work back.",
    "lifesign_restart_budget_left": "Automatic restarts left in the window.",
    _LATENCY: "How long the newest look took.",
    _MEASURED: "What the check measured, in its own unit.",
}
_COMPONENT_STATES, _CHECK_STATES = tuple(map(str, ComponentState)), tuple(map(str, CheckState))


def components_text(copies: Sequence[Copy], now_ns: int, kept: Steady) -> list[bytes]:
    """All families of components, each with the lines of every one of `copies` at that moment, to be joined.

    `kept`: where what stays is kept. Not joined here: it is a megabyte of a thousand components, each copy of which
    costs as much as to write it.
    """
    if not copies:
        return [head(name, words).encode() for name, words in _WORDS.items()]
    lines = [_lines_of(copy) for copy in copies]
    aging = joined([_aging(copy, one, now_ns) for copy, one in zip(copies, lines, strict=True)])
    steady = kept.joined([one.steady for one in lines])
    measured = joined([one.measured for one in lines])
    parts: list[bytes] = []
    for (name, words), column in zip(
        _WORDS.items(), [*zip(aging), *zip(*steady, strict=True), *zip(measured)], strict=True
    ):
        parts += [head(name, words).encode(), *column]
    return parts


def _lines_of(copy: Copy) -> Sampled:
    if copy.lines is None or not copy.is_sampled:
        copy.lines = sampled(copy.document, copy.lines)
        copy.is_sampled = True
    return copy.lines


def _aging(copy: Copy, lines: Sampled, now_ns: int) -> tuple[str, str]:
    staleness_s, stale_after_s = copy.signal(now_ns)
    if stale_after_s is None:
        return "", ""
    staleness = "" if staleness_s is None else f"{lines.stale}{number(staleness_s)}\n"
    return staleness, f"{lines.limit}{number(stale_after_s)}\n"


def sampled(component: Component, before: Sampled | None = None) -> Sampled:
    """Its lines but for those of what ages; those that are as they were `before` are not written again."""
    layers = component.layers
    numbers = _numbers_of(component)
    key = (component.state, layers.startable, layers.alive, layers.ready, layers.working, *numbers)
    if before is not None and before.key == key:
        return Sampled(key, before.stale, before.limit, before.steady, _check_lines(component))
    label = (("component", component.name),)
    steady = (
        before.steady[0]
        if before is not None and before.key[0] == key[0]
        else state_lines(_STATES, label, component.state, _COMPONENT_STATES),
        before.steady[1] if before is not None and before.key[1:5] == key[1:5] else _layer_lines(component),
        *(_line(name, component.name, value) for name, value in zip(list(_WORDS)[4:-2], numbers, strict=True)),
    )
    starts = start(_STALENESS, label), start(_STALE_AFTER, label)
    return Sampled(key, *starts, steady, _check_lines(component))


def _line(family: str, name: str, value: float | None) -> str:
    return "" if value is None else line(family, (("component", name),), float(value))


def _layer_lines(component: Component) -> str:
    held = {layer: getattr(component.layers, layer) for layer in ("startable", "alive", "ready", "working")}
    label = ("component", component.name)
    blocks = [
        state_lines(_LAYERS, (label, ("layer", layer)), state, _CHECK_STATES)
        for layer, state in held.items()
        if state is not None
    ]
    return "".join(blocks)


def _numbers_of(component: Component) -> Sequence[float | None]:
    restart = component.restart
    return (
        component.consecutive_failures,
        component.incident is not None,
        component.flapping,
        component.silence is not None,
        component.hold is not None,
        component.acknowledged is not None,
        restart.incarnation if restart else None,
        restart.unproductive if restart else None,
        restart.budget_left if restart else None,
    )


def _check_lines(component: Component) -> tuple[str, str]:
    """Its latencies and what was measured; the labels in the order of the alphabet."""
    latencies, measured, name = "", "", escaped(component.name)
    for check in component.checks:
        labels = f'check="{escaped(check.name)}",component="{name}"'
        if check.latency_ms is not None:
            latencies += f"{_LATENCY}{{{labels}}} {number(check.latency_ms / 1000)}\n"
        for metric, value in check.metrics.items():
            measured += f'{_MEASURED}{{{labels},metric="{escaped(metric)}"}} {number(value)}\n'
    return latencies, measured
