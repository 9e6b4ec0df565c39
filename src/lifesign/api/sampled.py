"""What a component is in the metrics, as text kept with its copy. Not here: how it is written (`metric_lines`)."""

from collections.abc import Sequence
from operator import is_
from typing import NamedTuple, TypeAlias

Key: TypeAlias = tuple[str | float | None, ...]

_GROUP = 100


class Sampled(NamedTuple):
    """Lines of a component, but for those of what ages.

    `stale`, `limit`: how the lines of its staleness and of the limit of that begin. `steady`: the other lines of the
    component itself, family by family, which are right while its `key` is the same; `measured`: those of its checks.
    """

    key: Key
    stale: str
    limit: str
    steady: tuple[str, ...]
    measured: tuple[str, str]


class Steady:
    """The `steady` lines of all components, joined family by family and group by group until one of a group changes."""

    def __init__(self) -> None:
        self._groups: list[tuple[Sequence[tuple[str, ...]], tuple[bytes, ...]]] = []

    def joined(self, steady: Sequence[tuple[str, ...]]) -> Sequence[tuple[bytes, ...]]:
        """For each group of components, in their order, its text of each family."""
        groups = [steady[first : first + _GROUP] for first in range(0, len(steady), _GROUP)]
        held = [*self._groups, *[((), ())] * len(groups)]
        self._groups = [
            old if len(old[0]) == len(group) and all(map(is_, old[0], group)) else (group, joined(group))
            for group, old in zip(groups, held, strict=False)
        ]
        return [texts for _, texts in self._groups]


def joined(group: Sequence[tuple[str, ...]]) -> tuple[bytes, ...]:
    """The text of each family."""
    return tuple(["".join(lines).encode() for lines in zip(*group, strict=True)])
