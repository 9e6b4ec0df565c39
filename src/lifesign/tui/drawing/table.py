"""The table: one line for each component, for hundreds of them. Columns widen at 100 and at 150 cells."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from lifesign.api.documents import Component
from lifesign.records import dataclass
from lifesign.tui.drawing.glyphs import Glyphs
from lifesign.tui.drawing.scene import LAYERS, Scene, diagnosis_of, flag_spans, layer_states
from lifesign.tui.drawing.spans import Line, Span, cut, fit, safe, width_of
from lifesign.tui.words import next_alone

_STATE_CELLS, _LAYER_CELLS, _WORK_CELLS, _FAILS_CELLS, _AGE_CELLS = 10, 9, 11, 5, 6


_WIDE_CELLS = 150
_LEAST_NEXT_CELLS = 10  # a step of which nothing can be read is left to the line below the table


@dataclass(frozen=True, slots=True)
class Columns:
    """The widths of one table, in cells. `wide`: the layers are spelled out."""

    width: int
    name: int
    gap: int
    wide: bool

    @classmethod
    def of(cls, width: int, names: Sequence[str]) -> "Columns":
        """The columns for `width` cells and these names."""
        widest = max((len(name) for name in names[:2000]), default=8)
        most = 14 if width < 100 else 22 if width < _WIDE_CELLS else 32
        return cls(width, max(9, min(widest, most)), 1 if width < 100 else 2, width >= _WIDE_CELLS)


def table_head(columns: Columns, glyphs: Glyphs) -> Line:
    """The names of the columns."""
    gap = " " * columns.gap
    layers = gap.join(fit(layer, _LAYER_CELLS, glyphs) for layer in LAYERS) if columns.wide else "S A R W"
    texts = (
        fit("state", _STATE_CELLS, glyphs),
        fit("component", columns.name, glyphs),
        layers,
        fit("work/limit", _WORK_CELLS, glyphs, right=True),
        fit("fails", _FAILS_CELLS, glyphs, right=True),
        fit("for", _AGE_CELLS, glyphs, right=True),
        "why, and what next",
    )
    return cut([(" " + gap.join(texts), "head")], columns.width, glyphs)


class _Facts(NamedTuple):
    """All that a line shows of its component. Most are the same once a second, and so is their line."""

    state: str
    name: str
    layers: tuple[str | None, ...]
    work: str
    work_role: str
    failures: int
    age: str
    flags: tuple[Span, ...]
    diagnosis: str
    coming: str
    marked: bool


def table_line(component: Component, scene: Scene, columns: Columns, *, marked: bool = False) -> Line:
    """One component on one line of `columns.width` cells. The ages of what is healthy are told in whole minutes."""
    calm = component.state == "healthy"
    work, limit, work_role = scene.staleness(component, calm=calm)
    facts = _Facts(
        state=component.state,
        name=component.name,
        layers=tuple(state for _, state in layer_states(component)),
        work=f"{work}/{limit}" if component.stale_after_s is not None else work,
        work_role=work_role,
        failures=component.consecutive_failures,
        age=scene.age(component.since, calm=calm),
        flags=tuple(flag_spans(component, scene.glyphs)),
        diagnosis=diagnosis_of(component),
        coming=next_alone(component),
        marked=marked,
    )
    return _line(facts, columns, scene.glyphs)


@lru_cache(maxsize=512)
def _line(facts: _Facts, columns: Columns, glyphs: Glyphs) -> Line:
    gap = (" " * columns.gap, "text")
    glyph, role = glyphs.of_state(facts.state)
    calm = role == "healthy"
    failures = str(facts.failures) if facts.failures < 10**_FAILS_CELLS else "many"
    spans: list[Span] = [
        (glyphs.mark if facts.marked else " ", "accent"),
        (f"{glyph} {fit(facts.state, _STATE_CELLS - 2, glyphs)}", role),
        gap,
        (fit(facts.name, columns.name, glyphs), "text" if calm else "strong"),
        gap,
        *_layers(facts.layers, columns, glyphs),
        gap,
        (fit(facts.work, _WORK_CELLS, glyphs, right=True), facts.work_role),
        gap,
        (fit(failures, _FAILS_CELLS, glyphs, right=True), "strong" if facts.failures else "muted"),
        gap,
        (fit(facts.age, _AGE_CELLS, glyphs, right=True), "muted" if calm else "text"),
        gap,
    ]
    room = max(columns.width - width_of(spans), 8) * 2
    spans += [*facts.flags, (safe(facts.diagnosis, glyphs, room), "muted" if calm else "text")]
    if facts.coming and columns.width - width_of(spans) >= _LEAST_NEXT_CELLS:
        spans.append((f" {glyphs.arrow} {safe(facts.coming, glyphs, room)}", "next"))
    return cut(spans, columns.width, glyphs)


def _layers(states: Sequence[str | None], columns: Columns, glyphs: Glyphs) -> list[Span]:
    spans: list[Span] = []
    for state in states:
        glyph, role = glyphs.of_check(state)
        if spans:
            spans.append((" " * columns.gap if columns.wide else " ", "text"))
        spans.append((f"{glyph} {fit(state or 'none', _LAYER_CELLS - 2, glyphs)}" if columns.wide else glyph, role))
    return spans
