"""Reads the whole file section by section into the model. Not here: rules between sections (`rules`)."""

import re
from typing import Any

import msgspec

from lifesign.config.alert_types import ALERT_TYPES
from lifesign.config.check_types import CommonKeys, Defaults
from lifesign.config.collect import BAD, Collector
from lifesign.config.model import NAME_PATTERN, NAME_RULE, Component, ConfigFile
from lifesign.config.probe_types import CHECK_TYPES
from lifesign.config.problems import KeyPath
from lifesign.config.restart_types import RESTART_METHODS

_NAME = re.compile(NAME_PATTERN.removeprefix("^").removesuffix("$"))


def read_file(raw: dict[str, Any], collector: Collector) -> ConfigFile | None:
    """The model of a whole file; None where a mistake was found. Every mistake is left in `collector`."""
    sections: dict[str, Any] = {"components": {}, "alerts": {}}
    shared: dict[str, Any] = {}
    if "defaults" in raw:
        sections["defaults"], shared = _defaults(raw["defaults"], collector)
    if "components" in raw:
        sections["components"] = _components(raw["components"], collector, shared)
    elif not any(_is_like_components(key) for key in raw):
        collector.complain((), "nothing is watched: there is no component", "add [components.NAME.checks.NAME]")
    if "alerts" in raw:
        table = _named(raw["alerts"], ("alerts",), collector)
        sections["alerts"] = {
            name: collector.tagged(ALERT_TYPES, alert, ("alerts", name)) for name, alert in table.items()
        }
    return collector.struct(ConfigFile, raw, (), skip=sections)


def _defaults(value: object, collector: Collector) -> tuple[Defaults | None, dict[str, Any]]:
    """The keys of every check, and the values of those keys that only some types have."""
    path: KeyPath = ("defaults",)
    table = collector.table(value, path)
    kinds, required = shared_keys()
    for key in required & table.keys():
        collector.complain((*path, key), "says what one check looks at: it is set on the check itself")
    read = {key: collector.value(kinds[key], item, (*path, key)) for key, item in table.items() if key in kinds}
    rest = {key: item for key, item in table.items() if key not in kinds and key not in required}
    defaults = collector.struct(Defaults, rest, path, also_valid=list(kinds))
    return defaults, {key: item for key, item in read.items() if item is not BAD}


def shared_keys() -> tuple[dict[str, Any], set[str]]:
    """The keys of single check types that `[defaults]` may hold, with their kind; and those that some type requires."""
    fields = [field for kind in CHECK_TYPES.values() for field in msgspec.structs.fields(kind)]
    own = [field for field in fields if field.name not in CommonKeys.__struct_fields__]
    required = {field.encode_name for field in own if field.required}
    return {field.encode_name: field.type for field in own if field.encode_name not in required}, required


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


def _components(value: object, collector: Collector, shared: dict[str, Any]) -> dict[str, Component | None]:
    table = _named(value, ("components",), collector)
    if isinstance(value, dict) and not table:
        collector.complain(
            ("components",), "nothing is watched: there is no component", "add [components.NAME.checks.NAME]"
        )
    return {name: _component(item, ("components", name), collector, shared) for name, item in table.items()}


def _component(value: object, path: KeyPath, collector: Collector, shared: dict[str, Any]) -> Component | None:
    table = collector.table(value, path)
    if table is not value:
        return None
    parts: dict[str, Any] = {"checks": {}, "restart": None}
    if "checks" in table:
        checks = _named(table["checks"], (*path, "checks"), collector)
        parts["checks"] = {
            name: collector.tagged(CHECK_TYPES, check, (*path, "checks", name), shared)
            for name, check in checks.items()
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
