"""One row a measure, and the table of all of them. Not here: measuring."""

from collections.abc import Iterable
from dataclasses import dataclass

_HEAD = ("measure", "lifesign", "Monit", "ratio", "goal", "")


@dataclass(frozen=True, slots=True)
class Row:
    """One measure. `most_ratio`: of ours to Monit's; `most` and `least`: of ours alone; None where no goal is set."""

    measure: str
    ours: float | None
    unit: str = ""
    monit: float | None = None
    most_ratio: float | None = None
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours to Monit's."""
        return self.ours / self.monit if self.ours is not None and self.monit else None

    @property
    def has_goal(self) -> bool:
        """Whether anything is asked of it."""
        return not (self.most_ratio is None and self.most is None and self.least is None)

    def is_met(self) -> bool | None:
        """Whether the goals are met; None without one, or without what it is measured against."""
        found: list[bool] = []
        if self.most_ratio is not None and self.ratio is not None:
            found.append(self.ratio <= self.most_ratio)
        if self.ours is not None and self.most is not None:
            found.append(self.ours <= self.most)
        if self.ours is not None and self.least is not None:
            found.append(self.ours >= self.least)
        return all(found) if found else None

    @property
    def verdict(self) -> str:
        """`met`, `missed`, or nothing without a goal."""
        return {True: "met", False: "missed", None: ""}[self.is_met()]

    def cells(self) -> tuple[str, ...]:
        """What stands in the table."""
        goals = [f"≤ {self.most_ratio:g} ×"] if self.most_ratio is not None else []
        goals += [f"≤ {self.most:,g} {self.unit}".strip()] if self.most is not None else []
        goals += [f"≥ {self.least:,g} {self.unit}".strip()] if self.least is not None else []
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} ×" if self.ratio >= 0.1 else f"{self.ratio:.2g} ×"
        return (
            self.measure,
            _number(self.ours, self.unit),
            _number(self.monit, self.unit),
            ratio,
            ", ".join(goals),
            " ".join(filter(None, (self.verdict, self.note))),
        )


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f} {unit}".strip() if value >= 100 else f"{value:.3g} {unit}".strip()


def drawn(rows: Iterable[Row]) -> str:
    """A Markdown table."""
    lines = [_HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([texts[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *texts[1:]])


def brief(rows: Iterable[Row]) -> str:
    """The same for reading: unpadded, and without notes."""
    lines = ["| " + " | ".join((*row.cells()[:5], row.verdict)) + " |" for row in rows]
    return "\n".join(["| " + " | ".join((*_HEAD[:5], "met?")) + " |", "|---" * 6 + "|", *lines])
