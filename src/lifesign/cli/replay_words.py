"""A backtest as a table, and as JSON."""

from typing import TYPE_CHECKING

from lifesign.replay.marks import Kind, Mark
from lifesign.text import clean, format_timestamp

if TYPE_CHECKING:
    from lifesign.bootstrap.replaying import Backtest, Source
    from lifesign.replay.comparing import Comparison


def as_table(found: "Backtest", source: "Source") -> str:
    """One line a component that differs."""
    differing = [one for one in found.comparisons if one.difference is not None]
    same = [one for one in found.comparisons if one.difference is None]
    many = len(found.comparisons)
    lines = [f"replayed {found.observations:,} observations of {many} component{'s' if many != 1 else ''}"]
    shown = differing if differing or len(same) > _FEW else same
    if shown:
        rows = [("component", "down", "alerts", "restarts", "first difference"), *(_row(c, source) for c in shown)]
        widths = [max(len(row[column]) for row in rows) for column in range(4)] + [0]
        lines += ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    if not found.observations and not differing:
        lines.append("there is nothing to compare: no look of then was recorded")
    elif not differing:
        lines.append("nothing differs: every alert and restart comes at the same moment")
    elif same:
        lines.append(f"{len(same)} other component{'s' if len(same) > 1 else ''}: nothing differs")
    return "\n".join(lines) + "\n"


_FEW = 20


def _row(one: "Comparison", source: "Source") -> tuple[str, ...]:
    counts = (_counted(*one.counts(kind)) for kind in (Kind.DOWN, Kind.ALERT, Kind.RESTART))
    words = ""
    if one.difference is not None:
        words = clean(f"{source.clock(one.difference.wall_ns)}: {one.difference.words}", 400)
    return (one.component, *counts, words)


def _counted(then: int, now: int) -> str:
    return str(then) if then == now else f"{then} → {now}"


def as_json(found: "Backtest", source: "Source") -> str:
    """One document."""
    import msgspec

    document = {
        "schema": "lifesign.replay/1",
        "observations": found.observations,
        "begins_at": None if source.begins_wall_ns is None else format_timestamp(source.begins_wall_ns),
        "components": [
            {
                "name": one.component,
                "then": [_mark(mark) for mark in one.then],
                "now": [_mark(mark) for mark in one.now],
                "first_difference": None
                if one.difference is None
                else {"at": format_timestamp(one.difference.wall_ns), "words": one.difference.words},
            }
            for one in found.comparisons
        ],
    }
    return msgspec.json.encode(document).decode() + "\n"


def _mark(mark: Mark) -> dict[str, str]:
    return {"at": format_timestamp(mark.wall_ns), "kind": mark.kind, "words": mark.words}
