"""From what is held of a component to the frozen view that the surfaces get. Words and figures; it decides nothing."""

from lifesign.core.component import layers, nearest_to_its_limit, worst_check
from lifesign.core.diagnosis import diagnose, next_step, what_they_say
from lifesign.core.governor import Governor
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import NS_PER_S, Instant
from lifesign.core.operations import Notice
from lifesign.core.restart import Phase
from lifesign.core.view import Ages, CheckView, ComponentGlance, ComponentView, IncidentView, RestartView
from lifesign.text import format_duration, format_until


def component_glance(component: TrackedComponent, now: Instant) -> ComponentGlance:
    """The least of the component as it stands."""
    return ComponentGlance(component.spec, component.state, component.since_wall_ns, component.diagnosis(now))


def component_view(
    component: TrackedComponent, now: Instant, suppressed_by: str | None, ages: Ages | None = None
) -> ComponentView:
    """The component as it stands. `ages`: what goes on with the clock alone, where somebody has told that already."""
    checks = list(component.checks.values())
    ages = ages or component_ages(component, now)
    return ComponentView(
        spec=component.spec,
        state=component.state,
        since_wall_ns=component.since_wall_ns,
        diagnosis=ages.diagnosis,
        next_step=ages.next_step,
        layers=layers(checks),
        last_work_wall_ns=ages.last_work_wall_ns,
        staleness_s=ages.staleness_s,
        stale_after_s=ages.stale_after_s,
        consecutive_failures=worst_check(checks).machine.consecutive_failures if checks else 0,
        flapping=component.flapping,
        suppressed_by=suppressed_by,
        incident=IncidentView(component.incident.id, component.incident.opened.wall_ns) if component.incident else None,
        incarnation=component.process.incarnation,
        checks=check_views(component, now, ages),
        process=component.process.identity,
        silence=component.operations.silence.view(now) if component.operations.silence else None,
        hold=component.operations.hold.view(now) if component.operations.hold else None,
        acknowledged=component.operations.acknowledged.view(now) if component.operations.acknowledged else None,
        restart=_restart_view(component.governor, now) if component.governor else None,
    )


def check_views(component: TrackedComponent, now: Instant, ages: Ages) -> tuple[CheckView, ...]:
    """Its checks as they stand."""
    checks = component.checks.values()
    return tuple([check.view(now, message) for check, message in zip(checks, ages.messages, strict=True)])


def component_ages(component: TrackedComponent, now: Instant, age: str = "") -> Ages:
    """What of the component goes on with the clock alone; `age` stands for how long ago its work was, if given."""
    now_ns = now.mono_ns
    said = what_they_say(component.checks.values(), now_ns, age)
    signal = nearest_to_its_limit(said, now_ns)
    staleness_s, stale_after_s = signal.staleness_s(now_ns) if signal else (None, None)
    return Ages(
        diagnose(component.state, said, crash_loop=component.crash_loop),
        _next_line(component, now),
        signal.judge.work_wall_ns if signal and signal.judge else None,
        staleness_s,
        stale_after_s,
        tuple(said.values()),
    )


def _restart_view(governor: Governor, now: Instant) -> RestartView:
    due = governor.phase in (Phase.WAITING, Phase.BACKOFF)
    history = tuple(governor.attempts.history)
    wait_ns = governor.budget.wait_ns(now.boot_ns)
    return RestartView(
        phase=governor.phase,
        unproductive=governor.unproductive,
        budget_left=governor.budget.left(now.boot_ns),
        budget_at_wall_ns=now.wall_ns + wait_ns if wait_ns > 0 else None,
        last_at_wall_ns=history[-1].at_wall_ns if history else None,
        next_at_wall_ns=now.wall_ns + max(0, governor.next_due_ns() - now.mono_ns) if due else None,
        withheld=governor.withheld,
        history=history,
    )


def _next_line(component: TrackedComponent, now: Instant) -> str:
    """What happens next, and what an operator has laid upon it: the line of console.md."""
    restart = next_restart(component.governor, now.mono_ns) if component.governor is not None else ""
    step, laid = restart or next_step(component.state, component.checks.values(), now.mono_ns), component.operations
    if laid.hold is None and laid.silence is None:
        return step
    words = [step]
    words += [f"held by {notice_words(laid.hold, now)}"] if laid.hold else []
    words += [f"silenced by {notice_words(laid.silence, now)}"] if laid.silence else []
    return " · ".join(filter(None, words))


def next_restart(governor: Governor, now_ns: int) -> str:
    """What comes next of its restarts, in words; empty where nothing does."""
    match governor.phase:
        case Phase.IDLE:
            return ""
        case Phase.WAITING | Phase.BACKOFF:
            if governor.withheld:
                again_ns = governor.retry_ns - now_ns
                again = f"; looked into again in {_wait(again_ns)}" if again_ns > 0 else ""
                return f"restart withheld: {governor.withheld}{again}"
            left_ns = governor.next_due_ns() - now_ns
            return f"restart {f'in {_wait(left_ns)}' if left_ns > 0 else 'now'} ({governor.ordinal})"
        case Phase.RESTARTING:
            return "restarting"
        case Phase.VERIFYING:
            left_ns = governor.attempts.last.verify_until_ns - now_ns
            return f"restarted, work must resume within {_wait(left_ns)}"
        case Phase.EXHAUSTED:
            return f"gave up after {governor.unproductive} unproductive restarts · R to re-arm"


def _wait(left_ns: int) -> str:
    """`41 s`, and from a minute on `5m 3s`."""
    seconds = max(1, -(-left_ns // NS_PER_S))
    return f"{seconds} s" if seconds < 60 else format_duration(seconds)


def notice_words(notice: Notice, now: Instant) -> str:
    """`root until 04:10 UTC: vendor outage`."""
    until_ns = notice.view(now).until_wall_ns
    until = f" until {format_until(until_ns, now.wall_ns)}" if until_ns is not None else ""
    return f"{notice.author}{until}{f': {notice.reason}' if notice.reason else ''}"
