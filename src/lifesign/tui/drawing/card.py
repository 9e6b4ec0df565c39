"""The panel of one component: five lines that answer what, why, in which layer, how stale, and what next."""

from rich.cells import cell_len

from lifesign.api.documents import Component
from lifesign.tui.drawing.notices import notice_words
from lifesign.tui.drawing.scene import Scene, diagnosis_of, flag_spans, layer_states
from lifesign.tui.drawing.spans import Line, Span, cut, fit, justified, safe, width_of, wrapped
from lifesign.tui.drawing.strips import verdict_spans
from lifesign.tui.memory import VERDICTS
from lifesign.tui.words import next_alone

CARD_LINES = 5
MIN_CARD_CELLS = 76
_BAR_CELLS = 16
_LEAST_REASON_CELLS = 20


def card_lines(
    component: Component, scene: Scene, width: int, *, marked: bool = False, spacious: bool = False
) -> tuple[Line, ...]:
    """`CARD_LINES` lines of `width` cells; one more where it is `spacious`, which is a long reason's."""
    glyphs = scene.glyphs
    _, role = glyphs.of_state(component.state)
    edges: list[Span] = [(f"{glyphs.edge} ", role)] * (CARD_LINES + spacious)
    if marked:
        edges[0] = (f"{glyphs.edge}{glyphs.mark}", "accent")
    inner = width - 3
    bodies = [
        _title(component, scene, inner),
        *_reason(component, scene, inner, most=1 + spacious),
        _layers(component, scene, inner),
        _work(component, scene, inner),
        _next(component, scene, inner),
    ]
    bodies += [cut([], inner, glyphs)] * (len(edges) - len(bodies))
    return tuple((edge, *body, (" ", "text")) for edge, body in zip(edges, bodies, strict=True))


def work_bar(component: Component, scene: Scene, cells: int) -> list[Span]:
    """The staleness against its limit; empty where the component has no limit."""
    limit_s = component.stale_after_s
    staleness_s = scene.snapshot.staleness_s(component, scene.now_s)
    if not limit_s or not limit_s > 0 or staleness_s is None:
        return []
    filled = round(cells * min(1.0, staleness_s / limit_s))
    _, _, role = scene.staleness(component)
    role = "bar" if role == "text" else role
    return [(scene.glyphs.full * filled, role), (scene.glyphs.rest * (cells - filled), "track")]


def _title(component: Component, scene: Scene, width: int) -> Line:
    glyphs = scene.glyphs
    glyph, role = glyphs.of_state(component.state)
    left = [
        (f"{glyph} {fit(component.state, 9, glyphs)}", role),
        (safe(component.name, glyphs, 60), "strong"),
        (f"  {safe(component.title, glyphs, 120)}" if component.title else "", "muted"),
    ]
    return justified(left, [(f"  for {scene.age(component.since)}", "muted")], width, glyphs)


def _reason(component: Component, scene: Scene, width: int, *, most: int) -> list[Line]:
    """What stands beside the state, and why it is so: in `most` lines, 1 or 2."""
    glyphs = scene.glyphs
    role = "muted" if component.state == "healthy" else "text"
    beside = flag_spans(component, glyphs, notices=False)
    words = safe(diagnosis_of(component), glyphs, 3 * width)
    room = width - width_of(beside)
    if most == 1 or cell_len(words) <= room or room < _LEAST_REASON_CELLS:
        return [cut([*beside, (words, role)], width, glyphs)]
    first, *rest = wrapped(words, room, glyphs)
    return [cut([*beside, (first, role)], width, glyphs), cut([(" ".join(rest), role)], width, glyphs)]


def _layers(component: Component, scene: Scene, width: int) -> Line:
    spans: list[Span] = []
    for layer, state in layer_states(component):
        glyph, role = scene.glyphs.of_check(state)
        word = safe(state or "none", scene.glyphs, 12)
        spans.append((f"{glyph} ", role))
        spans.append((f"{layer} ", "muted"))
        spans.append(
            (
                fit(word, min(max(8, (width - 38) // 4), 14), scene.glyphs),
                "muted" if state in {None, "passing"} else role,
            )
        )
    return cut(spans, width, scene.glyphs)


def _work(component: Component, scene: Scene, width: int) -> Line:
    work, limit, role = scene.staleness(component)
    left: list[Span] = [("work ", "muted")]
    if component.staleness_s is None:
        none = "none seen yet" if component.stale_after_s is not None else "signal: none is watched"
        left.append((none, "muted"))
    else:
        left.append((f"{work} ago ".ljust(12), role))
    left += work_bar(component, scene, _BAR_CELLS)
    if component.stale_after_s is not None:
        left.append((f"  limit {limit}", "muted"))
    count = component.consecutive_failures
    right = [(f"  {count} failure{'s' if count != 1 else ''} in a row", "strong")] if count else []
    return justified(left, right, width, scene.glyphs)


def _next(component: Component, scene: Scene, width: int) -> Line:
    parts: list[Span] = []
    if coming := next_alone(component):
        parts.append((f"{scene.glyphs.arrow} {safe(coming, scene.glyphs, 2 * width)}", "next"))
    for words in notice_words(component, scene):
        parts.append((f"{f' {scene.glyphs.dot} ' if parts else ''}{words}", "accent"))
    room = min(width - width_of(parts) - 2, VERDICTS)
    strip = verdict_spans(scene.memory.verdicts(component.name), room, scene.glyphs)
    return justified(parts, strip, width, scene.glyphs) if strip else cut(parts, width, scene.glyphs)
