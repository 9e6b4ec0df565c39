"""For how long what a component shows is right: who has its view asks for no more than what became of it since.

Three things change a view. Something happens to the component: its `revision` grows then. A moment comes that is known
beforehand, as when a look falls due. The clock goes on: of ages and words with ages in them (`Ages`), which are told
anew each time. Not here: what a view shows (`showing`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from lifesign.core.component import worst_check
from lifesign.core.governor import Governor
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import ComponentState, Instant
from lifesign.core.restart import Phase
from lifesign.core.showing import check_views, component_ages, component_view
from lifesign.core.signal import age_of
from lifesign.core.tracked import TrackedCheck
from lifesign.core.view import AGE, Ages, Beat, Change, Fresh, Looked, Standing

FOR_EVER_NS = 1 << 62
_LONGEST = 1_000  # characters; what is longer may be cut where it is shown


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
            found[name] = _changed(component, held, now, parent)
    return found


def _changed(component: TrackedComponent, held: Standing | None, now: Instant, parent: str | None) -> Fresh | Looked:
    """The component as it stands, of which somebody has seen what `held` tells of."""
    until_ns, (beat, told) = stands_until_ns(component, now), _beat(component, now)
    told = told or component_ages(component, now)
    ages = beat is None and (told.next_step != "" or _has_signal(component))
    face = None if ages else _face(component, beat, told, parent)
    ahead = now.wall_ns - now.mono_ns, now.boot_ns - now.mono_ns
    standing = Standing(component.revision, until_ns, *ahead, parent, ages, beat, face)
    if held is not None and face is not None and held.face == face:
        return Looked(told.last_work_wall_ns, check_views(component, now, told), standing)
    return Fresh(component_view(component, now, parent, told), standing)


def _face(component: TrackedComponent, beat: Beat | None, told: Ages, parent: str | None) -> tuple[object, ...] | None:
    """What is shown of a component on which nothing is laid and which just works, but for what looks find."""
    laid = component.operations
    if component.state is not ComponentState.HEALTHY or component.governor or component.incident or component.flapping:
        return None
    if laid.silence is not None or laid.hold is not None or laid.acknowledged is not None:
        return None
    checks = list(component.checks.values())
    return (
        component.spec,
        component.since_wall_ns,
        parent,
        told.diagnosis if beat is None else beat.diagnosis,
        told.stale_after_s,
        beat is None,
        component.process.identity,
        component.process.incarnation,
        worst_check(checks).machine.consecutive_failures,
        [check.state for check in checks],
    )


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


def _has_signal(component: TrackedComponent) -> bool:
    return any(check.judge is not None for check in component.checks.values())


def _beat(component: TrackedComponent, now: Instant) -> tuple[Beat | None, Ages | None]:
    """How it beats, and its ages of now, which are told by that.

    None where it does not just work, where more than one age is shown, or where others may say what is one.
    """
    now_ns, judges = now.mono_ns, [check.judge for check in component.checks.values() if check.judge is not None]
    if component.state is not ComponentState.HEALTHY or len(judges) != 1:
        return None, None
    [judge] = judges
    if not (judge.has_signal and judge.is_fine(now_ns) and judge.ages_alike):
        return None, None
    if any(check.last is not None and AGE in check.last.message for check in component.checks.values()):
        return None, None
    marked = component_ages(component, now, AGE)
    if marked.next_step or max(map(len, (marked.diagnosis, *marked.messages))) > _LONGEST:
        return None, None
    worked_ns = now_ns - judge.staleness_ns(now_ns)
    rested_ns, _ = judge.nearest_limit_ns(now_ns)
    age = age_of(now_ns - worked_ns)
    messages = tuple(message.replace(AGE, age) for message in marked.messages)
    told = marked._replace(diagnosis=marked.diagnosis.replace(AGE, age), messages=messages)
    return Beat(worked_ns, now_ns - rested_ns, marked.diagnosis, marked.messages), told
