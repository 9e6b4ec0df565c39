"""The description of the API (OpenAPI 3.1), made from the table of routes and from the wire documents."""

from typing import Any

import msgspec

from lifesign.api.bodies import MAX_DURATION_S
from lifesign.api.documents import Component, ComponentStatus, Events, Problem, State, Status
from lifesign.api.past import Past
from lifesign.api.past_incidents import PastIncidents
from lifesign.api.report_documents import Report
from lifesign.api.routes import NEEDS_REASON_AND_DURATION, ROUTES, Access, Answer, Route

_DOCUMENTS = (State, Status, ComponentStatus, Events, Report, Past, PastIncidents, Component, Problem)
_REFERENCE = "#/components/schemas/{name}"
_MAY_BE_503 = (Answer.STATUS, Answer.COMPONENT_STATUS)


def describe(version: str) -> dict[str, Any]:
    """The document that `/api/v1/openapi.json` answers."""
    _, schemas = msgspec.json.schema_components(_DOCUMENTS, ref_template=_REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "lifesign", "version": version},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": route.summary, "responses": _responses(route)}
    if parameters := _parameters(route):
        operation["parameters"] = parameters
    if route.method == "POST":
        operation["requestBody"] = {"content": {"application/json": {"schema": _body(route)}}}
    if route.access is not Access.OPEN:
        operation["security"] = [{"token": []}, {}]
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    text = {"type": "string"}
    found = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": text}
        for part in route.path.split("/")
        if part.startswith("{")
    ]
    return found + [{"name": name, "in": "query", "required": False, "schema": text} for name in route.query]


def _body(route: Route) -> dict[str, Any]:
    if route.access is Access.PUSH:
        return {"type": "object", "description": "the keys of a heartbeat; all may be left out"}
    words: dict[str, dict[str, Any]] = {"author": {"type": "string"}, "reason": {"type": "string"}}
    required = ["reason", "duration_s"] if route.action in NEEDS_REASON_AND_DURATION else []
    if required:
        words["duration_s"] = {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_DURATION_S}
    return {"type": "object", "properties": words, "required": required, "additionalProperties": False}


def _responses(route: Route) -> dict[str, Any]:
    failure = {
        "description": "an error",
        "content": {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(name="Problem")}}},
    }
    schema: dict[str, Any] = {"type": "object"}
    if route.answer in {document.__name__ for document in _DOCUMENTS}:
        schema = {"$ref": _REFERENCE.format(name=route.answer)}
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if route.answer is Answer.METRICS:
        content = {"text/plain": {"schema": {"type": "string"}}}
    if "follow" in route.query:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    success = {"description": route.summary, "content": content}
    unavailable = {"503": success} if route.answer in _MAY_BE_503 else {}
    return {"202" if route.action == "restart" else "200": success, **unavailable, "default": failure}
