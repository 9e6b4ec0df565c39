"""What the wire documents say, held against the words of the contract, not against the code."""

import json
import math
from dataclasses import replace

import msgspec

from lifesign.api.documents import EventDocument, State
from lifesign.api.render import event_document, state_document, status_document
from lifesign.core.events import Event, EventName
from lifesign.core.model import ComponentState
from lifesign.core.view import CheckView
from tests.api.fakes import AT_WALL_NS, check, component, info, mind_down, monitor


def _encoded(*views: CheckView) -> dict[str, object]:
    document = state_document(monitor(component(checks=views)), info())
    loaded = json.loads(msgspec.json.encode(document))
    first = loaded["components"][0]["checks"][0]
    assert isinstance(first, dict)
    return first


def test_the_state_document_is_the_contracts_example_key_by_key() -> None:
    view = monitor(mind_down(), component(), overall=ComponentState.DOWN)
    found = json.loads(msgspec.json.encode(state_document(view, info())))
    assert list(found) == ["schema", "generated_at", "monitor", "overall", "counts", "components"]
    assert found["schema"] == "lifesign.state/1"
    assert found["generated_at"] == "2026-11-21T14:03:22.123Z"
    assert found["overall"] == "down"
    assert found["counts"] == {"healthy": 1, "degraded": 0, "down": 1, "unknown": 0, "starting": 0, "paused": 0}
    assert found["components"][0] == {
        "name": "mind",
        "title": "Consciousness loop",
        "tags": ["nexus"],
        "optional": False,
        "state": "down",
        "since": "2026-11-21T14:02:22.123Z",
        "diagnosis": "alive and ready, but not working: no new work for 612 s (limit 300 s)",
        "next": "restart in 41 s (1 of 3)",
        "layers": {"startable": None, "alive": None, "ready": None, "working": "failed"},
        "last_work_at": "2026-11-21T13:53:10.123Z",
        "staleness_s": 612.0,
        "stale_after_s": 300.0,
        "consecutive_failures": 61,
        "flapping": False,
        "suppressed_by": None,
        "silence": None,
        "hold": None,
        "acknowledged": None,
        "incident": {"id": "inc-1", "opened_at": "2026-11-21T13:58:22.123Z", "url": None},
        "restart": {
            "method": "signal",
            "automatic": True,
            "phase": "idle",
            "incarnation": 1,
            "unproductive": 0,
            "max_unproductive": 3,
            "budget_left": 5,
            "last_at": None,
            "next_at": None,
            "max_restarts": 5,
        },
        "checks": [
            {
                "name": "heartbeat",
                "type": "heartbeat",
                "layer": "working",
                "optional": False,
                "state": "failed",
                "consecutive_failures": 61,
                "consecutive_successes": 0,
                "last_at": "2026-11-21T14:03:21.123Z",
                "next_at": "2026-11-21T14:03:31.123Z",
                "latency_ms": 12.346,
                "message": "no new work for 612 s",
                "metrics": {"age_s": 612.0},
                "data": {"model": "m"},
            }
        ],
    }
    assert found["components"][1]["restart"] is None


def test_every_state_document_can_be_read_back() -> None:
    document = state_document(monitor(mind_down(), component()), info())
    assert msgspec.json.decode(msgspec.json.encode(document), type=State) == document


def test_numbers_that_json_cannot_carry_are_dropped_and_break_nothing() -> None:
    found = _encoded(
        replace(
            check(),
            latency_s=math.inf,
            metrics={"good": 1.5, "nan": math.nan, "huge": -math.inf},
            data={"nan": math.nan, "wide": 10**30, "wider": 10**400, "kept": 2**63 - 1},
        )
    )
    assert found["latency_ms"] is None
    assert found["metrics"] == {"good": 1.5}
    assert found["data"] == {"nan": None, "wide": "1e+30", "wider": None, "kept": 9223372036854775807}


def test_escape_sequences_and_lone_surrogates_in_data_do_not_leave_the_daemon() -> None:
    found = _encoded(
        replace(check(), message="\x1b]52;c;x\x07", data={"k\x1b[2J": ["\ud800", {"a\u202eb": "\x9b31m"}]})
    )
    encoded = json.dumps(found, ensure_ascii=False)
    assert not any(ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0 or sign == "\u202e" for sign in encoded)


def test_data_nested_without_end_is_cut() -> None:
    nested: list[object] = []
    for _ in range(500):
        nested = [nested]
    assert len(json.dumps(_encoded(replace(check(), data={"deep": nested}))["data"])) < 100  # type: ignore[dict-item]


def test_the_status_document_tells_five_things_of_each_component() -> None:
    view = monitor(mind_down(), component("tools", optional=True), overall=ComponentState.DOWN)
    expected = {
        "overall": "down",
        "components": [
            {
                "name": "mind",
                "state": "down",
                "optional": False,
                "since": "2026-11-21T14:02:22.123Z",
                "diagnosis": "alive and ready, but not working: no new work for 612 s (limit 300 s)",
            },
            {
                "name": "tools",
                "state": "healthy",
                "optional": True,
                "since": "2026-11-21T14:02:22.123Z",
                "diagnosis": "tools is healthy",
            },
        ],
    }
    assert msgspec.to_builtins(status_document(view)) == expected
    assert msgspec.to_builtins(status_document(state_document(view, info()))) == expected


def test_an_event_carries_the_keys_that_apply_and_no_other() -> None:
    down = Event(EventName.COMPONENT_DOWN, AT_WALL_NS, component="mind", incident="inc-1", message="not working")
    assert json.loads(msgspec.json.encode(event_document(down, "prod"))) == {
        "ts": "2026-11-21T14:03:22.123Z",
        "level": "ERROR",
        "event": "component.down",
        "monitor": "prod",
        "component": "mind",
        "incident": "inc-1",
        "message": "not working",
    }
    assert event_document(Event(EventName.MONITOR_STARTED, AT_WALL_NS), None) == EventDocument(
        ts="2026-11-21T14:03:22.123Z", level="INFO", event="monitor.started"
    )


def test_a_time_beyond_every_calendar_is_the_nearest_that_can_be_written() -> None:
    late = event_document(Event(EventName.MONITOR_STARTED, 10**30), None)
    assert late.ts.startswith("9999-12-31T23:59:59.")
    assert len(late.ts) == len("2026-11-21T14:03:22.123Z")
