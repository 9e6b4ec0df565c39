"""The JSON Schema of the state document, made of the classes that write it, with the closed sets that they hold.

It says what must be there and what it may be; more keys may come in a later version of the same schema.
"""

from typing import Any

import msgspec

from lifesign.api.documents import STATE_SCHEMA, State
from lifesign.core.model import CheckState, ComponentState, Layer
from lifesign.core.restart import Outcome, Phase


def state_schema() -> dict[str, Any]:
    """A schema of draft 2020-12 that a validator takes as it is."""
    made: dict[str, Any] = msgspec.json.schema(State)
    definitions: dict[str, dict[str, Any]] = made["$defs"]
    closed: dict[tuple[str, str], Any] = {
        ("State", "overall"): ComponentState,
        ("Component", "state"): ComponentState,
        ("Check", "state"): CheckState,
        ("Check", "layer"): Layer,
        ("Restart", "phase"): Phase,
        ("RestartMade", "outcome"): Outcome,
    }
    for (owner, key), values in closed.items():
        definitions[owner]["properties"][key] = {"enum": [str(value) for value in values]}
    for layer in Layer:
        definitions["Layers"]["properties"][str(layer)] = {"enum": [None, *(str(value) for value in CheckState)]}
    for definition in definitions.values():
        for key, schema in definition.get("properties", {}).items():
            if key in ("at", "since", "until", "last_work_at") or key.endswith("_at"):
                _mark_moment(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{STATE_SCHEMA.replace('/', ':')}",
        "title": STATE_SCHEMA,
    } | made


def _mark_moment(schema: dict[str, Any]) -> None:
    """A text becomes a time: UTC, RFC 3339, milliseconds."""
    pattern = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
    for kind in [schema, *schema.get("anyOf", [])]:
        if kind.get("type") == "string":
            kind |= {"format": "date-time", "pattern": pattern}
