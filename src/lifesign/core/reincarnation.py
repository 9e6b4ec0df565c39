"""What a restart of ours means for the component: a new incarnation, of which nothing done before is evidence (R3)."""

from typing import TYPE_CHECKING

from lifesign.core.events import Event, EventName
from lifesign.core.governor import Governor
from lifesign.core.memory import ComponentMemory
from lifesign.core.model import Instant
from lifesign.core.recollection import recall
from lifesign.core.restart import Phase

if TYPE_CHECKING:
    from lifesign.core.incident import TrackedComponent


def begin_restart(component: "TrackedComponent", governor: Governor, now: Instant) -> None:
    """We have restarted its process. What failed has a grace, until the verification ends."""
    attempt = governor.attempts.last
    component.process.incarnation += 1
    start_ns = min(attempt.since_ns, now.mono_ns) if attempt.after else attempt.began.mono_ns
    for check in component.checks.values():
        check.begin_incarnation(start_ns, now.mono_ns, attempt.verify_until_ns)
        check.flaps.forgive()


def lose_restart(component: "TrackedComponent", governor: Governor, now: Instant) -> list[Event]:
    """Nothing was restarted: a process that was taken for the new one has come by itself."""
    attempt = governor.attempts.last
    if attempt.after is None:
        return []
    component.process.count(now)
    return [component.event(EventName.PROCESS_REPLACED, now, f"pid {attempt.after.pid} is a new process")]


def go_on_restarting(component: "TrackedComponent", governor: Governor, memory: ComponentMemory, now: Instant) -> None:
    """Goes on from the record. A verification lasts at least until our own start has had its grace (T2)."""
    restart = memory.restart
    if restart is None:
        return
    recall(governor, restart, now, memory.away_ns(now), memory.least_away_ns(now))
    attempt = governor.attempts.last
    longest_ns = max((check.spec.grace_ns for check in component.checks.values()), default=0)
    attempt.verify_until_ns = max(attempt.verify_until_ns, now.mono_ns + longest_ns)
    if restart.phase is Phase.RESTARTING:
        begin_restart(component, governor, now)
    elif restart.phase is Phase.VERIFYING:
        for check in component.checks.values():
            check.prolong_grace(now.mono_ns, attempt.verify_until_ns)
