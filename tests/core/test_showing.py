"""What the surfaces are told of one component: the line of what comes next, its restart, and the glance."""

from dataclasses import replace

import pytest

from lifesign.core.governor import Governor
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import CheckState, Identity, Instant, Layer, Observation, WorkSignal
from lifesign.core.operations import Notice
from lifesign.core.restart import Phase, RestartRecord
from lifesign.core.showing import component_glance, component_view, next_restart, notice_words
from lifesign.core.spec import RestartSpec, SignalPolicy
from lifesign.core.view import ComponentGlance, IncidentView, NoticeView, RestartView
from tests.core.stage import FAIL, OK, S, Stage, check, component

SPEC = RestartSpec("signal", automatic=True, max_unproductive=3, max_restarts=2, window_ns=86_400 * S)
NOON = Instant(5_000 * S, 1_790_164_800 * S, 5_000 * S)  # 2026-09-23 12:00 UTC


def governor(phase: Phase, **held: object) -> Governor:
    made = Governor("mind", SPEC, NOON)
    made.phase = phase
    for name, value in held.items():
        setattr(made, name, value)
    return made


def ns(left_s: float) -> int:
    return NOON.mono_ns + round(left_s * S)


@pytest.mark.parametrize(
    ("phase", "held", "words"),
    [
        (Phase.IDLE, {}, ""),
        (Phase.WAITING, {"due_ns": ns(41)}, "restart in 41 s (1 of 3)"),
        (Phase.WAITING, {"due_ns": ns(0.1)}, "restart in 1 s (1 of 3)"),
        (Phase.WAITING, {"due_ns": ns(0)}, "restart now (1 of 3)"),
        (Phase.BACKOFF, {"due_ns": ns(59.5), "unproductive": 1}, "restart in 60s (2 of 3)"),
        (Phase.BACKOFF, {"due_ns": ns(58.5), "unproductive": 2}, "restart in 59 s (3 of 3)"),
        (Phase.BACKOFF, {"due_ns": ns(303), "unproductive": 1}, "restart in 5m03s (2 of 3)"),
        (Phase.WAITING, {"rest_until_ns": ns(20), "due_ns": ns(5)}, "restart in 20 s (1 of 3)"),
        (Phase.RESTARTING, {}, "restarting"),
        (Phase.EXHAUSTED, {"unproductive": 3}, "gave up after 3 unproductive restarts · R to re-arm"),
    ],
)
def test_what_comes_next_of_a_restart_is_told_in_one_line(phase: Phase, held: dict[str, object], words: str) -> None:
    assert next_restart(governor(phase, **held), NOON.mono_ns) == words


def test_a_restart_that_is_withheld_is_told_with_its_reason_and_when_it_is_looked_into_again() -> None:
    made = governor(Phase.WAITING, retry_ns=ns(12.2))
    made.announcer.withheld = "held by ann"
    assert next_restart(made, NOON.mono_ns) == "restart withheld: held by ann; looked into again in 13 s"
    assert next_restart(made, ns(12.2)) == "restart withheld: held by ann"


@pytest.mark.parametrize(("left_s", "words"), [(90, "90s"), (42, "42 s"), (0.5, "1 s"), (-3, "1 s")])
def test_a_restart_that_was_made_is_told_with_how_long_work_may_take_to_resume(left_s: float, words: str) -> None:
    made = governor(Phase.VERIFYING)
    made.attempts.last.verify_until_ns = ns(left_s)
    assert next_restart(made, NOON.mono_ns) == f"restarted, work must resume within {words}"


@pytest.mark.parametrize(
    ("reason", "lasts_s", "words"),
    [
        ("vendor outage", 3_600, "root until 13:00 UTC: vendor outage"),
        ("", 3_600, "root until 13:00 UTC"),
        ("deploy", None, "root: deploy"),
        ("", None, "root"),
        ("", 86_400, "root until 2026-09-24 12:00 UTC"),
    ],
)
def test_what_is_laid_upon_it_is_told_with_its_author_its_end_and_its_reason(
    reason: str, lasts_s: int | None, words: str
) -> None:
    notice = Notice.begun("root", reason, NOON, None if lasts_s is None else lasts_s * S)
    assert notice_words(notice, NOON) == words


def held(restart: RestartSpec | None = None) -> tuple[TrackedComponent, Instant]:
    """Its heartbeat was last at 20 s of 100; now it is 90 s."""
    spec = component(
        "mind",
        check("process", Layer.ALIVE, "process", grace_ns=0),
        check("beat", Layer.WORKING, "heartbeat", grace_ns=0, failure_threshold=1, signal=SignalPolicy(100 * S)),
        restart=restart,
    )
    stage = Stage(spec)
    stage.world["mind", "process"] = Observation(OK, "one", identity=Identity(100, 1.0))
    begun_ns = stage.now.wall_ns
    stage.world["mind", "beat"] = lambda now: Observation(OK, signal=WorkSignal(min(now.wall_ns, begun_ns + 20 * S)))
    stage.run(90)
    return stage.monitor.components["mind"], stage.now


def test_the_view_has_the_work_signal_its_limit_and_every_layer() -> None:
    made, now = held()
    view = component_view(made, now, "gateway")
    assert (view.spec, view.state, view.since_wall_ns) == (made.spec, made.state, made.since_wall_ns)
    assert view.diagnosis == made.diagnosis(now)
    assert view.last_work_wall_ns is not None
    assert (now.wall_ns - view.last_work_wall_ns, view.staleness_s, view.stale_after_s) == (70 * S, 70.0, 100.0)
    assert view.layers[Layer.ALIVE] is view.layers[Layer.WORKING] is CheckState.PASSING
    assert (view.layers[Layer.READY], view.layers[Layer.STARTABLE]) == (None, None)
    assert [shown.spec.name for shown in view.checks] == ["process", "beat"]
    assert (view.process, view.incarnation, view.suppressed_by) == (Identity(100, 1.0), 0, "gateway")
    assert (view.flapping, view.consecutive_failures) == (False, 0)
    assert (view.incident, view.silence, view.hold, view.acknowledged, view.restart) == (None, None, None, None, None)
    later = component_view(made, now.after(5 * S), None)
    assert (later.staleness_s, later.suppressed_by) == (75.0, None)


def test_the_view_has_what_is_wrong_and_what_is_laid_upon_it() -> None:
    stage = Stage(component("mind", check(grace_ns=0)))
    stage.world["mind", "port"] = Observation(FAIL, "refused")
    stage.run(60)
    made, now = stage.monitor.components["mind"], stage.now
    made.flapping, made.process.incarnation = True, 4
    made.operations.silence = Notice.begun("ann", "a", now, 10 * S)
    made.operations.hold = Notice.begun("bob", "b", now, 20 * S)
    made.operations.acknowledged = Notice.begun("eve", "c", now)
    view = component_view(made, now, None)
    assert made.incident is not None
    assert view.incident == IncidentView(made.incident.id, made.incident.opened.wall_ns)
    assert view.consecutive_failures == made.checks["port"].machine.consecutive_failures > 3
    assert (view.flapping, view.incarnation, view.process) == (True, 4, None)
    assert view.silence == NoticeView("ann", "a", now.wall_ns, now.wall_ns + 10 * S)
    assert view.hold == NoticeView("bob", "b", now.wall_ns, now.wall_ns + 20 * S)
    assert view.acknowledged == NoticeView("eve", "c", now.wall_ns, None)
    assert (view.last_work_wall_ns, view.staleness_s, view.stale_after_s) == (None, None, None)
    hold, silence = notice_words(made.operations.hold, now), notice_words(made.operations.silence, now)
    assert view.next_step.endswith(f" · held by {hold} · silenced by {silence}")


def test_a_component_without_a_check_is_shown_too() -> None:
    made = Stage(component("empty")).monitor.components["empty"]
    view = component_view(made, NOON, None)
    assert (view.checks, view.consecutive_failures, view.staleness_s) == ((), 0, None)


def test_what_comes_next_of_its_restart_goes_before_what_comes_next_of_its_checks() -> None:
    made, now = held(SPEC)
    assert made.governor is not None
    plain = component_view(made, now, None).next_step
    made.governor.phase = Phase.RESTARTING
    made.operations.hold = Notice.begun("ann", "", now)
    shown = component_view(made, now, None).next_step
    assert shown == "restarting · held by ann"
    assert "restarting" not in plain


def test_the_restart_is_shown_with_its_budget_its_history_and_when_the_next_one_is_due() -> None:
    made, now = held(SPEC)
    assert made.governor is not None
    made.governor.due_ns = now.mono_ns + 500 * S
    empty = component_view(made, now, None).restart
    assert empty == RestartView(Phase.IDLE, 0, 2, None, None), "idle: none is due"
    made.governor.budget.spend(now.boot_ns - 400 * S)
    made.governor.budget.spend(now.boot_ns)
    made.governor.unproductive, made.governor.phase = 1, Phase.BACKOFF
    made.governor.due_ns = now.mono_ns + 30 * S
    made.governor.announcer.withheld = "held"
    records = (RestartRecord(1, now.wall_ns - 400 * S, True), RestartRecord(2, now.wall_ns - 60 * S, True))
    made.governor.attempts.history.extend(records)
    full = RestartView(
        phase=Phase.BACKOFF,
        unproductive=1,
        budget_left=0,
        last_at_wall_ns=now.wall_ns - 60 * S,
        next_at_wall_ns=now.wall_ns + 30 * S,
        withheld="held",
        history=records,
        budget_at_wall_ns=now.wall_ns + (86_400 - 400) * S,
    )
    assert component_view(made, now, None).restart == full
    made.governor.phase, made.governor.due_ns = Phase.WAITING, now.mono_ns - 5 * S
    waiting = component_view(made, now, None).restart
    assert waiting == replace(full, phase=Phase.WAITING, next_at_wall_ns=now.wall_ns), "due already: now"


def test_a_health_check_is_told_the_state_since_when_and_why() -> None:
    made, now = held()
    assert component_glance(made, now) == ComponentGlance(
        made.spec, made.state, made.since_wall_ns, made.diagnosis(now)
    )
    assert made.diagnosis(now) != made.diagnosis(now.after(30 * S)), "as of now"
