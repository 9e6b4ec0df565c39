"""What a component is in the metrics, as text kept with its copy. Not here: how it is written (`metric_lines`)."""

from typing import NamedTuple, TypeAlias

Key: TypeAlias = tuple[str | float | None, ...]


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
