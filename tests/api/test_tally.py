"""The tally: what is counted, under which labels, and that a histogram of it adds up."""

from lifesign.api.documents import EventDocument
from lifesign.api.tally import BOUNDS_S, Looks, Tally
from lifesign.core.model import CheckId, Layer, Observation, Verdict
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec, RestartSpec


def spec(name: str, *types: str, restart: bool = False) -> ComponentSpec:
    checks = tuple(CheckSpec(name=kind, type=kind, layer=Layer.READY) for kind in types)
    return ComponentSpec(name, checks, restart=RestartSpec("signal", False) if restart else None)


def told(name: str, component: str | None = None, **data: object) -> EventDocument:
    return EventDocument(ts="2026-11-21T14:03:22.123Z", level="INFO", event=name, component=component, data=data)


def look(tally: Tally, check: str, latency_s: float) -> None:
    tally.look(CheckId("mind", check), Observation(Verdict.OK, latency_s=latency_s))


def test_each_look_falls_into_the_first_bound_that_holds_it() -> None:
    tally = Tally()
    tally.follow(MonitorSpec((spec("mind", "tcp", "http"),)))
    for latency_s in (0.0, 0.0001, 0.00011, 30.0, 31.0):
        look(tally, "tcp", latency_s)
    look(tally, "unheard-of", 1.0)
    seen = tally.frozen().looks
    assert seen["tcp"].counts == (2, 1, *[0] * (len(BOUNDS_S) - 3), 1, 1)
    assert round(seen["tcp"].sum_s, 6) == 61.00021
    assert seen["http"] == Looks((0,) * (len(BOUNDS_S) + 1), 0.0)


def test_restarts_are_counted_by_outcome_and_begin_with_nothing() -> None:
    tally = Tally()
    tally.follow(MonitorSpec((spec("mind", "tcp", restart=True), spec("gateway", "tcp"))))
    for name in ("restart.sent", "restart.sent", "restart.unproductive", "restart.productive", "restart.nonsense"):
        tally.tell(told(name, "mind"))
    tally.tell(told("restart.sent", "gone"))
    found = tally.frozen()
    assert found.restarts == {
        ("mind", "sent"): 2,
        ("mind", "productive"): 1,
        ("mind", "unproductive"): 1,
        ("mind", "withheld"): 0,
        ("mind", "exhausted"): 0,
    }
    assert found.events["restart.sent"] == 3


def test_alerts_are_counted_by_sink() -> None:
    tally = Tally()
    for name, sink in (("alert.sent", "ops"), ("alert.sent", "ops"), ("alert.failed", "ops"), ("alert.sent", "forge")):
        tally.tell(told(name, sink=sink))
    found = tally.frozen()
    assert found.alerts == {("ops", "sent"): 2, ("ops", "failed"): 1, ("forge", "sent"): 1}


def test_what_is_frozen_stays_as_it_was() -> None:
    tally = Tally()
    tally.follow(MonitorSpec((spec("mind", "tcp"),)))
    before = tally.frozen()
    look(tally, "tcp", 1.0)
    tally.tell(told("component.down", "mind"))
    assert sum(before.looks["tcp"].counts) == 0
    assert before.events == {}
