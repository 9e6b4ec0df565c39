"""One round of looks after another, each by a run of its own that only the memory connects: cron's way to watch.

Between two runs nobody looks, and that is no stall of ours: else nothing could ever fail. So the time between counts
like the time between two looks of one long run. Streaks go on, `failure_for` and ages are measured from run to run,
and no start begins a grace (contract, section 4, `lifesign check`): that of a new process does. As in any run of one
round, what cannot be found out is unknown at once. What changes is told once the whole round is known. What is
remembered of restarts goes on too; whether one is made is the business of `round_restarts`. Not here: looking, and
where the memory is kept.
"""

from collections.abc import Mapping
from dataclasses import replace

from lifesign.core.component import component_state
from lifesign.core.events import Event
from lifesign.core.incident import TrackedComponent
from lifesign.core.memory import ComponentMemory
from lifesign.core.model import CheckId, Instant, Observation, Verdict
from lifesign.core.recollection import aged
from lifesign.core.recollection import go_on as go_on_restarting
from lifesign.core.reincarnation import begin_restart
from lifesign.core.restart import Phase
from lifesign.core.spec import ComponentSpec
from lifesign.core.supervision import end_what_is_over


def take_round(
    spec: ComponentSpec, memory: ComponentMemory | None, found: Mapping[CheckId, Observation], now: Instant
) -> tuple[TrackedComponent, list[Event]]:
    """The component after `found`, with what is to be told; `memory` is that of the run before.

    A component that is paused takes nothing.
    """
    component = TrackedComponent(spec, now, seed=0, one_shot=True)
    for check in component.checks.values():
        check.machine.grace_ends_ns = now.mono_ns  # of what is remembered, that of its memory holds
    if memory is not None:
        _go_on(component, memory, now)
    events = end_what_is_over(component, now)
    if component.operations.paused is not None:
        return component, events
    seen = [(check, found[check.id]) for check in component.checks.values() if check.id in found]
    for check, observation in seen:  # whose work the others found is known before it is judged
        if observation.identity is not None:
            events += component.see_identity(check, observation.identity, now)
    for check, observation in seen:
        check.observe(observation, now, now.mono_ns)
    return component, [*events, *component.refresh(now)]


def _go_on(component: TrackedComponent, memory: ComponentMemory, now: Instant) -> None:
    """Recalls as of the moment `memory` was taken, on the clocks of now, and takes back what excuses a stall."""
    away_ns = memory.away_ns(now)
    then = now.after(-away_ns)
    kept = None if component.governor is not None else memory.restart and aged(memory.restart, away_ns)
    component.recall(replace(memory, restart=kept), then)
    for name, check in component.checks.items():
        held = memory.checks.get(name)
        if held is None or held.type != check.spec.type:
            continue
        check.machine.go_on(held.machine, then.mono_ns, knew=held.last_verdict is not Verdict.UNKNOWN)
        if check.judge is not None and held.signal is not None:
            check.judge.recall(held.signal, then, 0, held.signal.grace_left_ns)
        if component.operations.paused is None:
            check.state = check.machine.state(then.mono_ns)
    if component.governor is not None and memory.restart is not None:
        governor = component.governor
        go_on_restarting(governor, memory.restart, then, memory.least_away_ns(now) - away_ns)
        if memory.restart.phase is Phase.RESTARTING:  # the run before died over it: it counts as sent (R12)
            begin_restart(component, governor, then)
    if component.operations.paused is None:
        component.state = component_state(component.checks.values(), crash_loop=component.crash_loop)
    component.since_wall_ns = memory.since_wall_ns if component.state is memory.state else now.wall_ns
