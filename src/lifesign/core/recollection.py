"""What survives us of a governor: the record that is written before a deed, and how the next monitor goes on from it.

A restart that was in flight counts as sent, since nobody knows whether it was: it is not made again for that decision,
but verified, with its grace counted from the record (R12). That is never over before our own start has had its grace:
nothing has been looked at till then.
"""

from dataclasses import replace

from lifesign.core.attempts import Attempt
from lifesign.core.governor import Governor
from lifesign.core.model import Instant
from lifesign.core.phases import IN_FLIGHT
from lifesign.core.restart import Phase, RestartMemory


def remember(governor: Governor, now: Instant) -> RestartMemory:
    """What must survive. A dry run leaves none: what it told was not done."""
    now_ns, attempt = now.mono_ns, governor.attempts.last
    return RestartMemory(
        phase=governor.phase,
        attempt=attempt.number,
        unproductive=governor.unproductive,
        backoff_ns=governor.backoff_ns,
        gap_ns=governor.gap_ns,
        spent_ages_ns=governor.budget.ages_ns(now.boot_ns),
        due_left_ns=governor.due_ns - now_ns,
        rest_left_ns=max(governor.rest_until_ns, governor.retry_ns) - now_ns,
        verify_left_ns=attempt.verify_until_ns - now_ns,
        began_age_ns=now_ns - attempt.began.mono_ns,
        began_wall_ns=attempt.began.wall_ns,
        automatic=attempt.automatic,
        before=attempt.before,
        after=attempt.after,
        blamed=attempt.blamed,
        common_left_ns=None if governor.common_until_ns is None else governor.common_until_ns - now_ns,
        calm_age_ns=None if governor.calm_ns is None else now_ns - governor.calm_ns,
        told=governor.announcer.told,
        history=tuple(governor.attempts.history),
    )


def recall(governor: Governor, memory: RestartMemory, now: Instant, away_ns: int, boot_away_ns: int) -> None:
    """Goes on after `away_ns`; `boot_away_ns` is the least that can have gone by, for the budget.

    The caller sees to it that no verification ends before the grace of our own start.
    """
    now_ns, grace_ns = now.mono_ns, governor.spec.grace_ns
    governor.phase = Phase.VERIFYING if memory.phase in IN_FLIGHT else memory.phase
    governor.unproductive, governor.backoff_ns = memory.unproductive, memory.backoff_ns
    governor.gap_ns = memory.gap_ns
    governor.budget.recall(memory.spent_ages_ns, now.boot_ns, boot_away_ns)
    governor.due_ns = now_ns + memory.due_left_ns
    governor.rest_until_ns = now_ns + max(0, memory.rest_left_ns)
    began_ns = now_ns - memory.began_age_ns - away_ns
    sent = memory.phase is Phase.VERIFYING
    left_ns = memory.verify_left_ns - away_ns if sent else began_ns + grace_ns - now_ns
    governor.attempts.history.extend(memory.history)
    governor.attempts.last = Attempt(
        number=memory.attempt,
        began=Instant(began_ns, memory.began_wall_ns, now.boot_ns - memory.began_age_ns - boot_away_ns),
        automatic=memory.automatic,
        before=memory.before,
        after=memory.after,
        blamed=memory.blamed,
        since_ns=now_ns + 1,  # nobody has looked since our own start
        verify_until_ns=now_ns + left_ns,
    )
    if memory.common_left_ns is not None:
        governor.common_until_ns = now_ns + memory.common_left_ns
    if memory.phase in IN_FLIGHT:
        governor.rest_until_ns = max(governor.rest_until_ns, now_ns + grace_ns)


def go_on(governor: Governor, memory: RestartMemory, then: Instant, boot_away_ns: int) -> None:
    """Goes on as one run of one round does after another: as if `memory` had been taken just `then`, by ourselves.

    `boot_away_ns`: as for `recall`, counted from `then`. What was in flight is over when it would have been.
    """
    recall(governor, memory, then, 0, boot_away_ns)
    governor.rest_until_ns = then.mono_ns + max(0, memory.rest_left_ns)
    governor.calm_ns = None if memory.calm_age_ns is None else then.mono_ns - memory.calm_age_ns
    governor.announcer.recall(memory.told)


def aged(memory: RestartMemory, by_ns: int) -> RestartMemory:
    """The same, taken so much later: nothing was done meanwhile."""
    return replace(
        memory,
        spent_ages_ns=tuple(age_ns + by_ns for age_ns in memory.spent_ages_ns),
        due_left_ns=memory.due_left_ns - by_ns,
        rest_left_ns=memory.rest_left_ns - by_ns,
        verify_left_ns=memory.verify_left_ns - by_ns,
        began_age_ns=memory.began_age_ns + by_ns,
        common_left_ns=None if memory.common_left_ns is None else memory.common_left_ns - by_ns,
        calm_age_ns=None if memory.calm_age_ns is None else memory.calm_age_ns + by_ns,
    )
