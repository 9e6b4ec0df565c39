"""Comparing what was decided then with what would be decided now: by component, and where both part first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from lifesign.records import dataclass
from lifesign.replay.marks import Kind, Mark

Clock: TypeAlias = Callable[[int], str]
Standing: TypeAlias = Mapping[tuple[int, str], str]
"""How a component stood in the replay at a moment (microseconds, component), in words."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where both part. One of `then` and `now` is None where there was nothing like it."""

    then: Mark | None
    now: Mark | None
    words: str

    @property
    def wall_ns(self) -> int:
        """The earlier of both."""
        return min(mark.wall_ns for mark in (self.then, self.now) if mark is not None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of one component."""

    component: str
    then: Sequence[Mark]
    now: Sequence[Mark]
    difference: Difference | None

    def counts(self, kind: Kind) -> tuple[int, int]:
        """How many then and now."""
        return sum(mark.kind is kind for mark in self.then), sum(mark.kind is kind for mark in self.now)


def compare(
    names: Iterable[str],
    then: Mapping[str, Sequence[Mark]],
    now: Mapping[str, Sequence[Mark]],
    standing: Standing,
    clock: Clock,
) -> list[Comparison]:
    """Of all components of these names. `clock` tells a moment of the wall clock in words."""
    found = []
    for name in names:
        before, after = then.get(name, ()), now.get(name, ())
        found.append(Comparison(name, before, after, _first_difference(before, after, standing, clock)))
    return found


def _first_difference(then: Sequence[Mark], now: Sequence[Mark], standing: Standing, clock: Clock) -> Difference | None:
    for number in range(max(len(then), len(now))):
        before = then[number] if number < len(then) else None
        after = now[number] if number < len(now) else None
        if before is not None and after is not None and before.is_same(after):
            continue
        return Difference(before, after, _explained(before, after, then[:number], standing, clock))
    return None


def _explained(
    before: Mark | None, after: Mark | None, shared: Sequence[Mark], standing: Standing, clock: Clock
) -> str:
    if after is None or (before is not None and before.wall_ns <= after.wall_ns):
        assert before is not None
        stood = standing.get((before.mono_us, before.component), "nothing of the kind")
        words = f"then {before.words}; now {stood}"
        if after is not None:
            words += f", {after.words} at {clock(after.wall_ns)}"
        return words + (": what was seen after it is what that restart did" if before.kind is Kind.RESTART else "")
    words = f"now {after.words}; then "
    if before is not None:
        return f"{words}{before.words} at {clock(before.wall_ns)}"
    return f"{words}nothing of the kind" + (
        f" after {shared[-1].words} at {clock(shared[-1].wall_ns)}" if shared else ""
    )
