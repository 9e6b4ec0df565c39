"""Looking at targets: one look of one check, guarded, so that nothing a check does can hurt the engine.

A look that does not come back is ended half a second after its timeout, and its worker is replaced
(T4); so is one whose check crashed. Both are told as `unknown`: it is our trouble, not the target's.
"""

from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from lifesign.core.model import NS_PER_S, CheckId, Instant, JsonValue, Observation, Verdict
from lifesign.engine.clock import read_clocks
from lifesign.text import REDACTED, clean, is_secret_name, redact

if TYPE_CHECKING:
    import logging

LATE_S = 0.5  # past its timeout a look is ended (reliability.md, T4)


class Looker(Protocol):
    """What the engine needs of a check."""

    async def look(self, now_wall_ns: int) -> Observation:
        """One look at the target."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


AtOnce: TypeAlias = Callable[[int], Observation | None]
"""A looker's `look_at_once`, if it has one: the answer where it needs no waiting, None where `look` is to be awaited.

It never blocks, and leaves nothing behind where it gives None.
"""

Rest: TypeAlias = Coroutine[Any, Any, Observation]

Begin: TypeAlias = Callable[[int, Callable[[Callable[[], Observation | Rest]], None]], bool]
"""A looker's `begin`, if it has one: a look without a task. False where `look` is to be awaited.

Else it calls back once by its own timeout, with a function that gives the answer, or what is to be awaited for it;
never before `begin` has returned, and never after the next `begin` or `close`.
"""

Listen: TypeAlias = Callable[[Callable[[], None]], None]
"""A looker's `listen`, if it has one: it calls what it is given when its target has changed by itself."""


class Looks:
    """The lookers of all checks. `make` builds one anew when its predecessor died."""

    def __init__(
        self,
        make: Mapping[CheckId, Callable[[], Looker]],
        timeouts_ns: Mapping[CheckId, int],
        secrets: Sequence[str] = (),
        *,
        clocks: Callable[[], Instant] = read_clocks,
    ) -> None:
        self._make = make
        self._timeouts_ns = timeouts_ns
        self._secrets = tuple(secrets)
        self._clocks = clocks
        self._lookers: dict[CheckId, Looker] = {}
        self._at_once: dict[CheckId, AtOnce | None] = {}
        self._cleaned: dict[CheckId, tuple[Observation, Observation]] = {}
        self._changed: Callable[[CheckId], None] | None = None

    def listen(self, changed: Callable[[CheckId], None]) -> None:
        """Calls `changed` for a check whose target tells by itself that it has changed. Before the first look."""
        self._changed = changed

    async def look(self, check: CheckId) -> Observation:
        """Looks once. Never raises but for a cancellation; ends by the check's timeout + 0.5 s."""
        return await self._guarded(check, None, self._timeouts_ns[check] / NS_PER_S + LATE_S)

    async def _guarded(self, check: CheckId, rest: Rest | None, left_s: float) -> Observation:
        """A whole look, or the `rest` of one, in at most `left_s` seconds."""
        from asyncio import timeout  # not before a look must wait: it is the heaviest import of a one-shot

        try:
            async with timeout(left_s):
                seen = await (self._looker(check).look(self._clocks().wall_ns) if rest is None else rest)
                return self._without_secrets(seen)
        except TimeoutError:
            self._replace(check)
            limit_s = self._timeouts_ns[check] / NS_PER_S + LATE_S
            return Observation(Verdict.UNKNOWN, f"the check itself did not come back in {limit_s:g} s")
        except Exception as error:  # noqa: BLE001 - the adapter's border: a check that dies is told and begun anew
            _logger().exception("the check %s of %s died and is begun anew", check.check, check.component)
            return self._died(check, error)

    def begin(self, check: CheckId, now: Instant, done: Callable[[Observation | Rest], None]) -> bool:
        """Begins a look that takes no task; False where `look` must be awaited. Never raises.

        `done` is called once with the answer, or with what is to be awaited for it; not before this returns.
        """
        try:
            begin: Begin | None = getattr(self._looker(check), "begin", None)
            return begin is not None and begin(now.wall_ns, partial(self._landed, check, now, done))
        except Exception:  # noqa: BLE001 - the adapter's border: the look that follows tells of it
            _logger().exception("the check %s of %s could not be begun", check.check, check.component)
            self._replace(check)
            return False

    def _landed(
        self,
        check: CheckId,
        began: Instant,
        done: Callable[[Observation | Rest], None],
        find: Callable[[], Observation | Rest],
    ) -> None:
        found: Observation | Rest
        try:
            found = find()
        except Exception as error:  # noqa: BLE001 - the adapter's border, as in `look`
            _logger().exception("the check %s of %s died and is begun anew", check.check, check.component)
            found = self._died(check, error)
        if isinstance(found, Observation):
            done(self._cleaned_of(check, found))
            return
        past_ns = self._clocks().mono_ns - began.mono_ns
        left_s = (self._timeouts_ns[check] - past_ns) / NS_PER_S + LATE_S
        done(self._guarded(check, found, max(0.0, left_s)))

    def look_at_once(self, check: CheckId, now_wall_ns: int) -> Observation | None:
        """The answer of a check that has it without waiting; None where `look` must be awaited. Never raises."""
        try:
            look = self._at_once.get(check)
            if look is None and check not in self._at_once:
                look = self._find_at_once(check)
            if look is None:
                return None
            found = look(now_wall_ns)
        except Exception as error:  # noqa: BLE001 - the adapter's border, as in `look`
            _logger().exception("the check %s of %s died and is begun anew", check.check, check.component)
            return self._died(check, error)
        return None if found is None else self._cleaned_of(check, found)

    def _cleaned_of(self, check: CheckId, found: Observation) -> Observation:
        """Without secrets. The same object as the last time is so once more, and so are words that held none then."""
        known, data = self._cleaned.get(check), None
        if known is not None:
            before, cleaned = known
            if before is found:
                return cleaned
            if found.message == before.message == cleaned.message and not (found.data or found.lines):
                return found
            data = cleaned.data if found.data is before.data else None
        known = self._cleaned[check] = found, self._without_secrets(found, data)
        return known[1]

    def _find_at_once(self, check: CheckId) -> AtOnce | None:
        look: AtOnce | None = getattr(self._looker(check), "look_at_once", None)
        self._at_once[check] = look
        return look

    def _died(self, check: CheckId, error: Exception) -> Observation:
        self._replace(check)
        words = clean(f"the check itself died: {type(error).__name__}: {error}", 300)
        return self._without_secrets(Observation(Verdict.UNKNOWN, words))

    def _without_secrets(self, seen: Observation, data: Mapping[str, JsonValue] | None = None) -> Observation:
        """No secret goes on from here, of the config or by its looks, wherever the target had it from (P3).

        `data`: what that of `seen` is without secrets, where it is known.
        """
        message = redact(seen.message, self._secrets) if seen.message else ""
        if data is None:
            data = self._redacted_items(seen.data) if seen.data else seen.data
        if seen.lines:
            lines = tuple(redact("\n".join(seen.lines), self._secrets).split("\n"))
            return replace(seen, message=message, data=data, lines=lines)
        return seen if message == seen.message and data == seen.data else replace(seen, message=message, data=data)

    def _redacted_items(self, items: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Of a text that bears the name of a secret nothing is left."""
        return {
            redact(key, self._secrets): REDACTED
            if isinstance(value, str) and is_secret_name(key)
            else self._redacted(value)
            for key, value in items.items()
        }

    def _redacted(self, value: JsonValue) -> JsonValue:
        match value:
            case str():
                return redact(value, self._secrets)
            case list():
                return [self._redacted(item) for item in value]
            case dict():
                return self._redacted_items(value)
            case _:
                return value

    def _looker(self, check: CheckId) -> Looker:
        if check not in self._lookers:
            looker = self._lookers[check] = self._make[check]()
            listen: Listen | None = getattr(looker, "listen", None)
            if listen is not None and self._changed is not None:
                listen(partial(self._changed, check))
        return self._lookers[check]

    def _replace(self, check: CheckId) -> None:
        self._at_once.pop(check, None)
        looker = self._lookers.pop(check, None)
        if looker is not None:
            close_looker(looker)

    def follow(
        self,
        make: Mapping[CheckId, Callable[[], Looker]],
        timeouts_ns: Mapping[CheckId, int],
        secrets: Sequence[str],
        changed: Collection[CheckId],
    ) -> dict[CheckId, Looker]:
        """Looks as it is told from now on. The lookers of what is `changed` or gone: the caller closes them."""
        left = {check: looker for check, looker in self._lookers.items() if check in changed or check not in make}
        for check in left:
            del self._lookers[check]
            self._at_once.pop(check, None)
        self._make, self._timeouts_ns, self._secrets = make, timeouts_ns, tuple(secrets)
        self._cleaned.clear()
        return left

    def close(self) -> None:
        """Closes every looker."""
        for looker in self._lookers.values():
            close_looker(looker)
        self._lookers.clear()
        self._at_once.clear()


def close_looker(looker: Looker) -> None:
    """Closes it. Never raises."""
    try:
        looker.close()
    except Exception:  # noqa: BLE001 - the adapter's border: closing is best effort
        _logger().exception("a check could not be closed")


def _logger() -> "logging.Logger":
    import logging  # only where something goes wrong

    return logging.getLogger(__name__)
