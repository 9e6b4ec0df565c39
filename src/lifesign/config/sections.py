"""Reads the whole file section by section into the model. Not here: rules between sections (`rules`)."""

import re
from typing import Any

from lifesign.config.alert_types import ALERT_TYPES
from lifesign.config.collect import Collector
from lifesign.config.model import NAME_PATTERN, NAME_RULE, Component, ConfigFile
from lifesign.config.probe_types import CHECK_TYPES
from lifesign.config.problems import KeyPath
from lifesign.config.restart_types import RESTART_METHODS

_NAME = re.compile(NAME_PATTERN.removeprefix("^").removesuffix("$"))


def read_file(raw: dict[str, Any], collector: Collector) -> ConfigFile | None:
    """The model of a whole file; None where a mistake was found. Every mistake is left in `collector`."""
    sections: dict[str, Any] = {"components": {}, "alerts": {}}
    if "components" in raw:
        sections["components"] = _components(raw["components"], collector)
    elif not any(_is_like_components(key) for key in raw):
        collector.complain((), "nothing is watched: there is no component", "add [components.NAME.checks.NAME]")
    if "alerts" in raw:
        table = _named(raw["alerts"], ("alerts",), collector)
        sections["alerts"] = {
            name: collector.tagged(ALERT_TYPES, alert, ("alerts", name)) for name, alert in table.items()
        }
    return collector.struct(ConfigFile, raw, (), skip=sections)


def _is_like_components(key: str) -> bool:
    from lifesign.config.problems import nearest

    return nearest(key, ["components"]) is not None


def _named(value: object, path: KeyPath, collector: Collector) -> dict[str, Any]:
    """A table whose keys are names that can stand in a URL and on a command line."""
    table = collector.table(value, path)
    for name in table:
        if not _NAME.fullmatch(name):
            collector.complain((*path, name), "is no name", NAME_RULE)
    return table


def _components(value: object, collector: Collector) -> dict[str, Component | None]:
    table = _named(value, ("components",), collector)
    if isinstance(value, dict) and not table:
        collector.complain(
            ("components",), "nothing is watched: there is no component", "add [components.NAME.checks.NAME]"
        )
    return {name: _component(item, ("components", name), collector) for name, item in table.items()}


def _component(value: object, path: KeyPath, collector: Collector) -> Component | None:
    table = collector.table(value, path)
    if table is not value:
        return None
    parts: dict[str, Any] = {"checks": {}, "restart": None}
    if "checks" in table:
        checks = _named(table["checks"], (*path, "checks"), collector)
        parts["checks"] = {
            name: collector.tagged(CHECK_TYPES, check, (*path, "checks", name)) for name, check in checks.items()
        }
        if isinstance(table["checks"], dict) and not checks:
            collector.complain(
                (*path, "checks"), "a component needs a check", f"add [{'.'.join(map(str, path))}.checks.NAME]"
            )
    elif not any(_is_like_checks(key) for key in table):
        collector.complain(path, "a component needs a check", f"add [{'.'.join(map(str, path))}.checks.NAME]")
    if "restart" in table:
        parts["restart"] = collector.tagged(RESTART_METHODS, table["restart"], (*path, "restart"))
    return collector.struct(Component, table, path, skip=parts)


def _is_like_checks(key: str) -> bool:
    from lifesign.config.problems import nearest

    return nearest(key, ["checks"]) is not None and key not in ("title", "tags", "optional", "depends_on", "grace")
