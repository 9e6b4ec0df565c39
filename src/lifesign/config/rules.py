"""Rules between the parts of a config: names that must exist, dependencies without a circle, a pid to signal.

They read the raw tables, so that they are told together with every other mistake. Not here: rules
within one section, which stand with its class.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from lifesign.config.collect import Collector
from lifesign.config.command_ids import COMMAND_IDS
from lifesign.config.problems import KeyPath, show_path, suggestion


def check_references(raw: Mapping[str, Any], collector: Collector) -> None:
    """Complain of every dangling name."""
    components = dict(_tables(raw.get("components")))
    _check_dependencies(components, collector)
    _check_audiences(raw, components, collector)
    for name, component in components.items():
        _check_signal_target(name, component, collector)
    _check_notify_sockets(components, collector)
    _check_console_keys(raw, collector)


def _tables(value: object) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield from ((name, item) for name, item in value.items() if isinstance(item, dict))


def _texts(value: object) -> list[tuple[int, str]]:
    return (
        [(index, item) for index, item in enumerate(value) if isinstance(item, str)] if isinstance(value, list) else []
    )


def _check_dependencies(components: Mapping[str, dict[str, Any]], collector: Collector) -> None:
    graph: dict[str, list[str]] = {}
    for name, component in components.items():
        path: KeyPath = ("components", name, "depends_on")
        graph[name] = []
        for index, parent in _texts(component.get("depends_on")):
            if parent == name:
                collector.complain((*path, index), "a component cannot depend on itself")
            elif parent not in components:
                hint = suggestion(parent, [other for other in components if other != name], "components")
                collector.complain((*path, index), f'there is no component "{parent}"', hint)
            elif parent in graph[name]:
                collector.complain((*path, index), f'"{parent}" is named twice')
            else:
                graph[name].append(parent)
    for circle in circles(graph):
        collector.complain(
            ("components", circle[0], "depends_on"),
            f"the dependencies go in a circle: {' → '.join([*circle, circle[0]])}",
        )


def circles(graph: Mapping[str, list[str]]) -> list[list[str]]:
    """The circles in a graph of names, one for each edge that closes one. A walk in depth, without recursion."""
    found: list[list[str]] = []
    done: set[str] = set()
    for start in graph:
        trail = [] if start in done else [start]
        open_edges = [iter(graph[start])]
        while trail:
            parent = next(open_edges[-1], None)
            if parent is None:
                done.add(trail.pop())
                open_edges.pop()
            elif parent in trail:
                found.append(trail[trail.index(parent) :])
            elif parent not in done:
                trail.append(parent)
                open_edges.append(iter(graph[parent]))
    return found


def _check_audiences(raw: Mapping[str, Any], components: Mapping[str, dict[str, Any]], collector: Collector) -> None:
    tags = {tag for item in components.values() for _, tag in _texts(item.get("tags"))}
    for name, alert in _tables(raw.get("alerts")):
        for key in ("only", "except"):
            for index, pattern in _texts(alert.get(key)):
                word, names = pattern, set(components)
                if pattern.startswith("tag:"):
                    word, names = pattern.removeprefix("tag:"), tags
                if pattern != "*" and not any(fnmatchcase(candidate, word) for candidate in names):
                    kind = "tag" if names is tags else "component"
                    hint = suggestion(word, sorted(names), f"{kind}s")
                    collector.complain(("alerts", name, key, index), f'there is no {kind} "{word}"', hint)


def _check_signal_target(name: str, component: Mapping[str, Any], collector: Collector) -> None:
    restart = component.get("restart")
    if not isinstance(restart, dict) or restart.get("method") != "signal" or "pidfile" in restart:
        return
    kinds = [check.get("type") for _, check in _tables(component.get("checks"))]
    if kinds and "process" not in kinds and "heartbeat" not in kinds:
        collector.complain(
            ("components", name, "restart"),
            "nothing tells the pid to signal",
            "set pidfile, or add a process or a heartbeat check",
        )


def _check_notify_sockets(components: Mapping[str, dict[str, Any]], collector: Collector) -> None:
    """Each push check has a socket of its own, called by both names with a dot between; a dot may stand in them too."""
    first: dict[str, KeyPath] = {}
    for name, component in components.items():
        for check, table in _tables(component.get("checks")):
            path: KeyPath = ("components", name, "checks", check)
            if table.get("type") != "push" or (other := first.setdefault(f"{name}.{check}", path)) is path:
                continue
            reason = f"its socket would be notify/{name}.{check}, which is that of {show_path(other)}"
            collector.complain(path, reason, "give one of them another name")


def _check_console_keys(raw: Mapping[str, Any], collector: Collector) -> None:
    console = raw.get("console")
    keys = console.get("keys") if isinstance(console, dict) else None
    first: dict[str, str] = {}
    for command, pressed in keys.items() if isinstance(keys, dict) else ():
        if not isinstance(pressed, str):
            continue
        if command not in COMMAND_IDS:
            collector.complain(
                ("console", "keys", command), "the console has no such command", suggestion(command, COMMAND_IDS)
            )
        if pressed in first:
            collector.complain(("console", "keys", command), f'"{pressed}" is the key of {first[pressed]} already')
        first.setdefault(pressed, command)
