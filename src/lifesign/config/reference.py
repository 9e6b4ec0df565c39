"""What README and `lifesign validate --schema` say of the keys, from the classes that read them. Not here: reading."""

from collections.abc import Sequence
from typing import Any

import msgspec

from lifesign.config.alert_types import ALERT_TYPES, Alert, Tracker
from lifesign.config.check_types import CommonKeys
from lifesign.config.collect import unwrap
from lifesign.config.model import Component, ConfigFile, Console, Http, Monitor
from lifesign.config.probe_types import CHECK_TYPES, Disk
from lifesign.config.restart_types import RESTART_METHODS, Backoff, Restart
from lifesign.config.sections import shared_keys

_SECTIONS: tuple[tuple[str, type[Any]], ...] = (
    ("[monitor]", Monitor),
    ("[http]", Http),
    ("every check, and [defaults]", CommonKeys),
    ("[components.NAME]", Component),
    ("[components.NAME.restart]", Restart),
    ("backoff of a restart", Backoff),
    ("disk of a host check", Disk),
    ("[alerts.NAME]", Alert),
    ("[console]", Console),
)


def check_type_table() -> str:
    """A Markdown table of the check types: layer, keys of their own, when each is ok."""
    lines = ["| type | default layer | keys of its own | ok when |", "|---|---|---|---|"]
    for name, kind in CHECK_TYPES.items():
        keys = ", ".join(_own_key(field) for field in _own_fields(kind, CommonKeys))
        lines.append(f"| `{name}` | {kind.default_layer} | {keys} | {kind.ok_when} |")
    return "\n".join(lines) + "\n"


def key_tables() -> str:
    """Markdown tables of the keys: one of the sections, one of what each type of check, restart and alert adds."""
    sections = [(f"`{title}`", msgspec.structs.fields(cls)) for title, cls in _SECTIONS]
    checks = [(f"check `{name}`", _own_fields(kind, CommonKeys)) for name, kind in CHECK_TYPES.items()]
    methods = [(f"restart `{name}`", _own_fields(kind, Restart)) for name, kind in RESTART_METHODS.items()]
    trackers = ", ".join(f"`{name}`" for name, kind in ALERT_TYPES.items() if issubclass(kind, Tracker))
    sinks = [(f"alert {trackers}", _own_fields(Tracker, Alert))]
    sinks += [
        (f"alert `{name}`", _own_fields(kind, Tracker if issubclass(kind, Tracker) else Alert))
        for name, kind in ALERT_TYPES.items()
    ]
    return "\n".join(map(_table, (sections, checks + methods + sinks)))


def _own_fields(kind: type[Any], base: type[Any]) -> tuple[msgspec.structs.FieldInfo, ...]:
    inherited = set(base.__struct_fields__)
    return tuple(field for field in msgspec.structs.fields(kind) if field.name not in inherited)


def _own_key(field: msgspec.structs.FieldInfo) -> str:
    default = _default(field)
    return f"`{field.encode_name}`" + (f" ({default})" if default not in ("", "required") else "")


def _table(groups: Sequence[tuple[str, tuple[msgspec.structs.FieldInfo, ...]]]) -> str:
    rows = [f"| {title} | {'<br>'.join(map(_explained, fields))} |" for title, fields in groups if fields]
    return "\n".join(["| of | keys (their defaults) |", "|---|---|", *rows]) + "\n"


def _explained(field: msgspec.structs.FieldInfo) -> str:
    meaning = next((meta.description for meta in unwrap(field.type)[1] if meta.description), "")
    default = _default(field)
    return f"`{field.encode_name}`" + (f" ({default})" if default else "") + (f": {meaning}" if meaning else "")


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    for meta in unwrap(field.type)[1]:
        if meta.extra and "default" in meta.extra:
            return str(meta.extra["default"])
    default = field.default
    if default is msgspec.NODEFAULT and field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    match default:
        case bool():
            return "true" if default else "false"
        case tuple():
            return ", ".join(default)
        case str() | int() | float():
            return str(default)
        case _:
            return ""


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the whole file, for editors. The rules between keys are in `load` alone."""
    made: dict[str, Any] = _without_null(msgspec.json.schema(ConfigFile, schema_hook=_schema_of))
    definitions = made["$defs"]
    shared, _ = shared_keys()
    for kind in CHECK_TYPES.values():
        own = {key: item for key, item in definitions[kind.__name__]["properties"].items() if key in shared}
        definitions["Defaults"]["properties"] |= own
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "lifesign.toml"} | made


def _schema_of(kind: type[Any]) -> dict[str, Any]:
    return dict(getattr(kind, "schema", {"type": "string", "minLength": 1}))


def _without_null(node: Any) -> Any:
    """TOML has no null: an absent key is all there is."""
    if isinstance(node, list):
        return [_without_null(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _without_null(item) for key, item in node.items() if not (key == "default" and item is None)}
    choices = node.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        kept = [choice for choice in choices if choice != {"type": "null"}]
        node = {key: item for key, item in node.items() if key != "anyOf"} | (
            kept[0] if len(kept) == 1 else {"anyOf": kept}
        )
    return node
