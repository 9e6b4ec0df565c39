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
from lifesign.core.signal import SignalJudge
from lifesign.core.tracked import TrackedCheck
from lifesign.core.view import AGE, Beat, Change, Fresh, Standing

FOR_EVER_NS = 1 << 62
_LONGEST = 1_000  # characters; what is longer may be cut where it is shown
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
            until_ns, ages_on = stands_until_ns(component, now), _ages(component)
            judged, beat = _only_judged(component) if ages_on else None, None
            if judged is not None and (change_ns := judged.next_change_ns(now_ns)) is not None:
                beat, until_ns = _beat(component, judged, now), min(until_ns, change_ns)
            clocks = wall_ahead_ns, boot_ahead_ns
            stands = Standing(component.revision, until_ns, *clocks, parent, ages_on and beat is None, beat)
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
    return _counts_down(component) or any(check.judge is not None for check in component.checks.values())


def _counts_down(component: TrackedComponent) -> bool:
    """Whether its view tells how long something will last yet."""
    laid, governor = component.operations, component.governor
    if laid.silence is not None or laid.hold is not None or component.state in _COUNTED_DOWN:
        return True
    return governor is not None and governor.phase in _COUNTED_DOWN_PHASES


def _only_judged(component: TrackedComponent) -> SignalJudge | None:
    """The judge of the one work signal of a component of which nothing else ages."""
    judged = [check for check in component.checks.values() if check.judge is not None]
    if len(judged) != 1 or _counts_down(component) or component.state is not ComponentState.HEALTHY:
        return None
    return judged[0].judge


def _beat(component: TrackedComponent, judge: SignalJudge, now: Instant) -> Beat | None:
    """None where more than one age is shown, or where that cannot be told apart from what others say."""
    now_ns = now.mono_ns
    if not (judge.has_signal and judge.is_fine(now_ns) and judge.ages_alike):
        return None
    if any(check.last is not None and AGE in check.last.message for check in component.checks.values()):
        return None
    marked = component_ages(component, now, AGE)
    if max(map(len, (marked.diagnosis, *marked.messages))) > _LONGEST:
        return None
    rested_ns, _ = judge.nearest_limit_ns(now_ns)
    return Beat(now_ns - judge.staleness_ns(now_ns), now_ns - rested_ns, marked.diagnosis, marked.messages)
