"""Each component as it was last shown, kept as bytes: what has not changed is neither looked at nor written again.

Not here: the document around them (`service`), and what stands in them (`render`).
"""

import asyncio
from collections.abc import Sequence

import msgspec

from lifesign.api.backend import Backend
from lifesign.api.documents import Component
from lifesign.api.render import aging_values, component_document, rounded, time_of
from lifesign.core.view import Ages, Changes, ComponentView, Fresh, Standing

BATCH = 100  # so many components are looked at in one go
_STEP = 400  # so much is done before the loop may turn to its real work: an age is 1, a whole component 4
_WHOLE = 4
_MOST_PASSES = 3
_HOLE = b"\0"  # never in JSON: there it is written as an escape

_encode, _encode_lines = msgspec.json.Encoder().encode, msgspec.json.Encoder().encode_lines


class Copy:
    """One component. `document`: as it was when it last changed; `ages`: what has gone on with the clock since then.

    `overdue`: how many of its checks are. `lines`: what it is in the metrics, kept by whoever writes those.
    """

    __slots__ = ("_bytes", "_form", "_form_signal", "ages", "document", "lines", "overdue")

    def __init__(self, view: ComponentView) -> None:
        self.document = component_document(view)
        self.overdue = sum(check.overdue for check in view.checks)
        self.ages: Ages | None = None
        self.lines: tuple[str, ...] | None = None
        self._bytes: bytes | None = None
        self._form = b""
        self._form_signal: tuple[int | None, float | None] | None = None  # of that work signal

    def encoded(self) -> bytes:
        """As JSON, with the ages of now."""
        if self.ages is None:
            if self._bytes is None:
                self._bytes = _encode(self.document)
            return self._bytes
        signal = self.ages.last_work_wall_ns, self.ages.stale_after_s
        if self._form_signal != signal:
            self._form, self._form_signal, self._bytes = _form(self.document, self.ages), signal, None
        values = _encode_lines(aging_values(self.ages)).split(b"\n")
        values.pop()  # nothing, behind the last line
        return self._form % tuple(values)


def _form(document: Component, ages: Ages) -> bytes:
    """The document as JSON, with a hole for each of its aging values, in their order."""
    hole = msgspec.Raw(_HOLE)
    checks = [msgspec.structs.replace(check, message=hole) for check in document.checks]
    holed = msgspec.structs.replace(
        document,
        diagnosis=hole,
        next=hole,
        last_work_at=time_of(ages.last_work_wall_ns),
        staleness_s=hole,
        stale_after_s=rounded(ages.stale_after_s),
        checks=checks,
    )
    return _encode(holed).replace(b"%", b"%%").replace(_HOLE, b"%b")


class Copies:
    """Of all components of one monitor."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known: dict[str, Standing] = {}
        self._held: dict[str, Copy] = {}

    async def renewed(self) -> tuple[Changes, Sequence[Copy]]:
        """Every component in the order of the config, and the instant of which they are, with its overall.

        The loop turns while they are brought up to date. What changes meanwhile is looked at again at last, so that
        every state is of one instant; an age may then be older by as long as it took.
        """
        names = list(self._backend.states())
        if len(names) > BATCH:
            for number in range(_MOST_PASSES):
                if await self._approached(names, ages=number == 0) <= BATCH:
                    break
        last = self._backend.changes(self._known, ages=len(names) <= BATCH)
        self._take(last)
        names = list(self._backend.states())
        for name in self._held.keys() - names:
            del self._held[name], self._known[name]
        return last, [self._held[name] for name in names]

    async def _approached(self, names: Sequence[str], *, ages: bool) -> int:
        """How many are made anew, in steps."""
        made = done = 0
        for first in range(0, len(names), BATCH):
            changes = self._backend.changes(self._known, names[first : first + BATCH], ages=ages)
            fresh = self._take(changes)
            made += fresh
            done += len(changes.components) + (_WHOLE - 1) * fresh
            if done >= _STEP:
                done = 0
                await asyncio.sleep(0)
        return made

    def _take(self, changes: Changes) -> int:
        """How many of them are made anew."""
        made = 0
        for name, change in changes.components.items():
            if isinstance(change, Fresh):
                self._held[name], self._known[name] = Copy(change.view), change.standing
                made += 1
            else:
                self._held[name].ages = change
        return made


async def encoded(copies: Sequence[Copy]) -> list[msgspec.Raw]:
    """Each of them as JSON. The loop turns meanwhile."""
    written: list[msgspec.Raw] = []
    for first in range(0, len(copies), _STEP):
        written += [msgspec.Raw(copy.encoded()) for copy in copies[first : first + _STEP]]
        if len(copies) > _STEP:
            await asyncio.sleep(0)
    return written
