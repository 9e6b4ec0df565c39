"""Each component as it was last shown, kept as bytes: what has not changed is neither looked at nor written again.

Not here: the document around them (`service`), and what stands in them (`render`).
"""

import asyncio
from collections.abc import Sequence

import msgspec

from lifesign.api.backend import Backend
from lifesign.api.documents import Component
from lifesign.api.forms import (
    Frame,
    aging_form,
    aging_values,
    beating_form,
    beating_frame,
    beating_values,
    encode,
    staleness_s,
)
from lifesign.api.render import check_document, component_document, rounded, time_of
from lifesign.api.sampled import Sampled
from lifesign.core.known import Known
from lifesign.core.view import Ages, Beat, Changes, CheckView, ComponentView, Looked

BATCH = 100  # so many components are looked at in one go
_STEP = 400  # so much is done before the loop may turn to its real work: an age is 1, a whole component 4
_WHOLE = 4
_MOST_PASSES = 3


class Copy:
    """One component as it was when it last changed, and what has gone on with the clock since then.

    `overdue`: how many of its checks are. `lines`: what it is in the metrics where it `is_sampled`, else what it was
    there before it changed, if anybody asked; kept by whoever writes those.
    """

    __slots__ = (
        "_beat",
        "_bytes",
        "_form",
        "_form_signal",
        "_frame",
        "ages",
        "document",
        "is_sampled",
        "lines",
        "overdue",
    )

    def __init__(self, view: ComponentView, beat: Beat | None = None, before: "Copy | None" = None) -> None:
        self.lines: Sampled | None = before.lines if before is not None else None
        self.ages: Ages | None = None
        self._frame: Frame | None = None
        self._take(component_document(view), view.checks, beat)

    def look(self, looked: Looked) -> None:
        """Takes what looks found."""
        checks, last_work_at = list(map(check_document, looked.checks)), time_of(looked.last_work_wall_ns)
        document = msgspec.structs.replace(self.document, checks=checks, last_work_at=last_work_at)
        self._take(document, looked.checks, looked.standing.beat)

    def _take(self, document: Component, checks: Sequence[CheckView], beat: Beat | None) -> None:
        self.document = document
        self.overdue = sum([check.overdue for check in checks])
        self.is_sampled = False
        self._beat = beat
        self._bytes: bytes | None = None
        self._form = b""
        self._form_signal: tuple[int | None, float | None] | None = None  # of that work signal

    def encoded(self, now_ns: int) -> bytes:
        """As JSON, with the ages of now (monotonic clock)."""
        beat, ages = self._beat, self.ages
        if beat is not None:
            if not self._form:
                self._frame = self._frame or beating_frame(self.document, beat)
                self._form = beating_form(self._frame, self.document, beat)
            return self._form % beating_values(beat, now_ns)
        if ages is None:
            if self._bytes is None:
                self._bytes = encode(self.document)
            return self._bytes
        signal = ages.last_work_wall_ns, ages.stale_after_s
        if self._form_signal != signal:
            self._form, self._form_signal, self._bytes = aging_form(self.document, ages), signal, None
        return self._form % aging_values(ages)

    def signal(self, now_ns: int) -> tuple[float | None, float | None]:
        """Its staleness now, and the limit of that, in seconds."""
        if self._beat is not None:
            return staleness_s(self._beat, now_ns), self.document.stale_after_s
        if self.ages is not None:
            return rounded(self.ages.staleness_s), rounded(self.ages.stale_after_s)
        return self.document.staleness_s, self.document.stale_after_s


class Copies:
    """Of all components of one monitor."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known = Known()
        self._held: dict[str, Copy] = {}

    async def renewed(self) -> tuple[Changes, Sequence[Copy]]:
        """Every component in the order of the config, and the instant of which they are, with its overall.

        The loop turns while they are brought up to date. What changes meanwhile is looked at again at last, so that
        every state is of one instant; an age may then be older by as long as it took.
        """
        ages = True  # are still to be told
        for _ in range(_MOST_PASSES):
            outdated = self._backend.outdated(self._known, ages=ages)
            if len(outdated) <= BATCH:
                break
            await self._approach(outdated, ages=ages)
            ages = False
        last = self._backend.changes(self._known, ages=ages)
        self._take(last)
        names = list(self._backend.states())
        for name in self._held.keys() - names:
            del self._held[name]
            self._known.forget(name)
        return last, [self._held[name] for name in names]

    async def _approach(self, names: Sequence[str], *, ages: bool) -> None:
        """Brings these up to date, in steps."""
        done = 0
        for first in range(0, len(names), BATCH):
            changes = self._backend.changes(self._known, names[first : first + BATCH], ages=ages)
            done += len(changes.components) + (_WHOLE - 1) * self._take(changes)
            if done >= _STEP:
                done = 0
                await asyncio.sleep(0)

    def _take(self, changes: Changes) -> int:
        """How many of them are made anew."""
        made = 0
        for name, change in changes.components.items():
            if isinstance(change, Ages):
                self._held[name].ages = change
                continue
            made += 1
            self._known.learn(name, change.standing)
            if isinstance(change, Looked):
                self._held[name].look(change)
            else:
                self._held[name] = Copy(change.view, change.standing.beat, self._held.get(name))
        return made


async def encoded(copies: Sequence[Copy], now_ns: int) -> list[msgspec.Raw]:
    """Each of them as JSON, with the ages of that moment. The loop turns meanwhile."""
    written: list[msgspec.Raw] = []
    for first in range(0, len(copies), _STEP):
        written += [msgspec.Raw(copy.encoded(now_ns)) for copy in copies[first : first + _STEP]]
        if len(copies) > _STEP:
            await asyncio.sleep(0)
    return written
