"""A sweep as a table with a plot beside it, and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from lifesign.replay.sweeping import Point, recommended
from lifesign.text import format_duration

_BAR = 24


def as_table(key: str, paths: Sequence[str], points: Sequence[Point], brief: str) -> str:
    """False alarms as `#`, the median delay as `-`, each against the most of its column."""
    head = (key, "incidents", "false alarms", "missed", "delay", "longest", "")
    rows = [head, *(_row(point, points) for point in points)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if n in (0, 6) else cell.rjust(width) for n, (cell, width) in enumerate(pair)
        ).rstrip()
        for pair in (list(zip(row, widths, strict=True)) for row in rows)
    ]
    lines += [
        f"keys: {', '.join(paths)}",
        f"# false alarms (over by themselves within {brief} of the last good sign)   - median delay of the true ones",
        _advice(key, points),
    ]
    return "\n".join(lines) + "\n"


def _advice(key: str, points: Sequence[Point]) -> str:
    best = recommended(points)
    if len(points) > 1 and all(replace(point, value=best.value) == best for point in points):
        return "recommended: none of them before another, for nothing differs"
    told = "nothing was ever told" if best.median_delay_s is None else f"told after {_seconds(best.median_delay_s)}"
    return f"recommended: {key} = {best.value}: {best.false_alarms} false alarms, {best.missed} missed, {told}"


def _row(point: Point, points: Sequence[Point]) -> tuple[str, ...]:
    most_false = max(p.false_alarms for p in points) or 1
    most_delay_s = max((p.median_delay_s or 0.0 for p in points), default=0.0) or 1.0
    bars = "#" * round(_BAR * point.false_alarms / most_false)
    delay = "-" * round(_BAR * (point.median_delay_s or 0.0) / most_delay_s)
    plot = f"{bars:<{_BAR}} {delay}"
    counts = (str(point.incidents), str(point.false_alarms), str(point.missed))
    return (point.value, *counts, _seconds(point.median_delay_s), _seconds(point.longest_delay_s), plot)


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else format_duration(seconds)


def as_json(key: str, paths: Sequence[str], points: Sequence[Point], brief: str) -> str:
    """One document."""
    import msgspec

    document = {
        "schema": "lifesign.sweep/1",
        "key": key,
        "paths": list(paths),
        "brief": brief,
        "points": [asdict(point) for point in points],
        "recommended": recommended(points).value,
    }
    return msgspec.json.encode(document).decode() + "\n"
