"""The table: one line for each component, for hundreds of them. Columns widen at 100 and at 150 cells."""

from collections.abc import Sequence
from dataclasses import dataclass

from lifesign.api.documents import Component
from lifesign.tui.drawing.glyphs import Glyphs
from lifesign.tui.drawing.notices import next_alone
from lifesign.tui.drawing.scene import LAYERS, Scene, diagnosis_of, flag_spans, layer_states
from lifesign.tui.drawing.spans import Line, Span, cut, fit, safe, width_of

_STATE_CELLS, _LAYER_CELLS, _WORK_CELLS, _FAILS_CELLS, _AGE_CELLS = 10, 9, 11, 5, 6


_WIDE_CELLS = 150


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


def table_line(component: Component, scene: Scene, columns: Columns, *, marked: bool = False) -> Line:
    """One component on one line of `columns.width` cells."""
    glyphs, gap = scene.glyphs, (" " * columns.gap, "text")
    glyph, role = glyphs.of_state(component.state)
    calm = role == "healthy"
    spans: list[Span] = [
        (glyphs.mark if marked else " ", "accent"),
        (f"{glyph} {fit(component.state, _STATE_CELLS - 2, glyphs)}", role),
        gap,
        (fit(component.name, columns.name, glyphs), "text" if calm else "strong"),
        gap,
        *_layers(component, columns, glyphs),
        gap,
        _work(component, scene),
        gap,
        _failures(component, glyphs),
        gap,
        (fit(scene.age(component.since), _AGE_CELLS, glyphs, right=True), "muted" if calm else "text"),
        gap,
    ]
    spans += why_spans(component, glyphs, columns.width - width_of(spans))
    return cut(spans, columns.width, glyphs)


def why_spans(component: Component, glyphs: Glyphs, width: int) -> list[Span]:
    """Flags, diagnosis and next step, one after the other, for `width` cells."""
    role = "muted" if component.state == "healthy" else "text"
    spans = [*flag_spans(component, glyphs), (safe(diagnosis_of(component), glyphs, max(width, 8) * 2), role)]
    if coming := next_alone(component):
        spans.append((f" {glyphs.arrow} {safe(coming, glyphs, max(width, 8) * 2)}", "next"))
    return spans


def _layers(component: Component, columns: Columns, glyphs: Glyphs) -> list[Span]:
    spans: list[Span] = []
    for _, state in layer_states(component):
        glyph, role = glyphs.of_check(state)
        if spans:
            spans.append((" " * columns.gap if columns.wide else " ", "text"))
        spans.append((f"{glyph} {fit(state or 'none', _LAYER_CELLS - 2, glyphs)}" if columns.wide else glyph, role))
    return spans


def _work(component: Component, scene: Scene) -> Span:
    work, limit, role = scene.staleness(component)
    text = f"{work}/{limit}" if component.stale_after_s is not None else work
    return fit(text, _WORK_CELLS, scene.glyphs, right=True), role


def _failures(component: Component, glyphs: Glyphs) -> Span:
    count = component.consecutive_failures
    text = str(count) if count < 10**_FAILS_CELLS else "many"
    return fit(text, _FAILS_CELLS, glyphs, right=True), "strong" if count else "muted"
