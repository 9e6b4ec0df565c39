"""For how long what a component shows is right: who has its view asks for no more than what became of it since.

Three things change a view. Something happens to the component: its `revision` grows then. A moment comes that is known
beforehand, as when a look falls due. The clock goes on: of ages and words with ages in them (`Ages`), which are told
anew each time. Not here: what a view shows (`showing`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from lifesign.core.governor import Governor
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import ComponentState, Instant
from lifesign.core.restart import Phase
from lifesign.core.showing import component_ages, component_view
from lifesign.core.tracked import TrackedCheck
from lifesign.core.view import Change, Fresh, Standing

FOR_EVER_NS = 1 << 62
_COUNTED_DOWN = (ComponentState.STARTING, ComponentState.DOWN, ComponentState.DEGRADED)
_COUNTED_DOWN_PHASES = (Phase.WAITING, Phase.BACKOFF, Phase.VERIFYING)


def component_changes(
    components: Iterable[TrackedComponent],
    known: Mapping[str, Standing],
    now: Instant,
    suppressed_by: Callable[[TrackedComponent], str | None],
    *,
    ages: bool,
) -> dict[str, Change]:
    """What became of `components` for somebody who has the views of which `known` tells.

    One whose view is right as it is is left out. `ages`: whether what goes on with the clock alone is told.
    """
    now_ns = now.mono_ns
    wall_ahead_ns, boot_ahead_ns = now.wall_ns - now_ns, now.boot_ns - now_ns
    found: dict[str, Change] = {}
    for component in components:
        name = component.spec.name
        parent = suppressed_by(component) if component.spec.depends_on else None
        held = known.get(name)
        if (
            held is not None
            and held.revision == component.revision
            and now_ns < held.until_ns
            and held.wall_ahead_ns == wall_ahead_ns
            and held.boot_ahead_ns == boot_ahead_ns
            and held.suppressed_by == parent
        ):
            if ages and held.ages:
                found[name] = component_ages(component, now)
        else:
            until_ns = stands_until_ns(component, now)
            stands = Standing(component.revision, until_ns, wall_ahead_ns, boot_ahead_ns, parent, _ages(component))
            found[name] = Fresh(component_view(component, now, parent), stands)
    return found


def stands_until_ns(component: TrackedComponent, now: Instant) -> int:
    """When it next shows something else though nothing happens to it, its ages apart; `now` where it does always."""
    moments: list[int] = []
    for check in component.checks.values():
        if not check.paused:
            moments += _moments_of(check, now.mono_ns)
    if component.governor is not None:
        moments += _moments_of_restarts(component.governor, now)
    return min(moments, default=FOR_EVER_NS)


def _moments_of(check: TrackedCheck, now_ns: int) -> Iterator[int]:
    """A look that is due is shown as one of now until a tick begins it."""
    yield max(check.schedule.due_ns, now_ns)
    overdue_ns = check.schedule.overdue_ns()
    for moment_ns in (check.machine.next_change_ns(now_ns), overdue_ns):
        if moment_ns is not None and moment_ns > now_ns:
            yield moment_ns


def _moments_of_restarts(governor: Governor, now: Instant) -> Iterator[int]:
    if governor.phase in (Phase.WAITING, Phase.BACKOFF):
        yield max(governor.next_due_ns(), now.mono_ns)
    more_ns = governor.budget.next_change_ns(now.boot_ns)
    if more_ns is not None:
        yield now.mono_ns + more_ns - now.boot_ns


def _ages(component: TrackedComponent) -> bool:
    """Whether its view has ages or words with ages in them."""
    laid, governor = component.operations, component.governor
    if laid.silence is not None or laid.hold is not None or component.state in _COUNTED_DOWN:
        return True
    if governor is not None and governor.phase in _COUNTED_DOWN_PHASES:
        return True
    return any(check.judge is not None for check in component.checks.values())
