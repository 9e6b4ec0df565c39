"""One component as it stood at a moment of its past. What nobody can tell any more says so, and is never as of now."""

from lifesign.api.documents import Component
from lifesign.api.past import PastCheck, PastState
from lifesign.records import dataclass
from lifesign.text import clean, format_duration
from lifesign.tui.drawing.header import present_spans
from lifesign.tui.drawing.scene import LAYERS, Scene, moment_text
from lifesign.tui.drawing.spans import Line, Span, cut, justified, safe, width_of, wrapped
from lifesign.tui.snapshot import wall_ns

NOT_KNOWN = "not known"
_LABEL_CELLS = 11
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Ways:
    """The keys that go further back, forth, and to the present."""

    earlier: str
    later: str
    back: str


def past_lines(component: Component, moment: PastState, scene: Scene, width: int, ways: Ways) -> list[Line]:
    """The whole page, each line `width` cells. `component` as it is now gives its name and title alone."""
    lines = [
        ways_line(scene, width, ways),
        cut([], width, scene.glyphs),
        _title(component, moment, scene, width),
    ]
    lines += _changed(moment, scene, width)
    lines += _field("why", moment.diagnosis or (NOT_KNOWN if moment.state != "healthy" else ""), scene, width)
    lines += _field("restart", moment.restart, scene, width, role="next")
    lines += _field("work", _work(moment), scene, width)
    lines += _field("since", moment_words(moment.since) if moment.since else NOT_KNOWN, scene, width)
    lines += _field("failures", _failures(moment), scene, width)
    if moment.incident is not None:
        opened = moment_words(moment.incident.opened_at) if moment.incident.opened_at else f"at a time {NOT_KNOWN}"
        lines += _field("incident", f"{moment.incident.id}, opened {opened}", scene, width)
    for words in moment.notices:
        lines += _field("in force", words, scene, width, role="accent")
    lines += [cut([], width, scene.glyphs), _heading("layers", scene, width), _layers(moment, scene, width)]
    lines += [cut([], width, scene.glyphs), _heading("checks", scene, width)]
    for check in moment.checks:
        lines += _check(check, moment, scene, width)
    return lines


def banner(at: str, scene: Scene, width: int) -> Line:
    """The header of such a page: that this is the past, of when; and on the right how things stand now."""
    left: list[Span] = [
        (f" THE PAST: {safe(moment_words(at, precise=True), scene.glyphs, 40)}, {scene.age(at)} ago ", "badge-degraded")
    ]
    present = next((spans for spans in present_spans(scene) if width_of(left) + width_of(spans) <= width), [])
    return justified(left, present, width, scene.glyphs)


def ways_line(scene: Scene, width: int, ways: Ways) -> Line:
    """How to get further back, forth, and out."""
    earlier, later, back = (safe(key, scene.glyphs, 20) for key in (ways.earlier, ways.later, ways.back))
    dot = scene.glyphs.dot
    return cut([(f" {earlier} earlier {dot} {later} later {dot} {back} back to now", "key")], width, scene.glyphs)


def _title(component: Component, moment: PastState, scene: Scene, width: int) -> Line:
    glyphs = scene.glyphs
    glyph, role = glyphs.of_state(moment.state or "unknown")
    word = safe(moment.state or NOT_KNOWN, glyphs, 12)
    left = [
        (f" {glyph} {word} ", f"badge-{role}"),
        (f"  {safe(component.name, glyphs, 60)}", "strong"),
        (f"  {safe(component.title, glyphs, 120)}" if component.title else "", "muted"),
    ]
    lasted = f"  for {apart(moment.at, moment.until)} then " if moment.until else "  no change since "
    return justified(left, [(lasted, "muted")], width, glyphs)


def _changed(moment: PastState, scene: Scene, width: int) -> list[Line]:
    """What changed at that moment, one event each."""
    lines: list[Line] = []
    for event in moment.events:
        label = "changed" if not lines else ""
        where = f"{event.check}: " if event.check else ""
        lines += _field(label, f"{event.event}  {where}{event.message or ''}", scene, width, role="strong")
    return lines


def _heading(text: str, scene: Scene, width: int) -> Line:
    return cut([(f" {text}", "head")], width, scene.glyphs)


def _field(label: str, text: str, scene: Scene, width: int, role: str = "text") -> list[Line]:
    if not text:
        return []
    role = "muted" if text == NOT_KNOWN else role
    rows = wrapped(text, max(width - _LABEL_CELLS - 2, 8), scene.glyphs)
    labels = [label] + [""] * (len(rows) - 1)
    return [
        cut([(f" {name:<{_LABEL_CELLS}}", "muted"), (row, role)], width, scene.glyphs)
        for name, row in zip(labels, rows, strict=True)
    ]


def _work(moment: PastState) -> str:
    if moment.last_work_at is None:
        return ""
    return f"{_before(moment.last_work_at, moment)}, at {moment_words(moment.last_work_at)}"


def _failures(moment: PastState) -> str:
    count = moment.consecutive_failures
    return NOT_KNOWN if count is None else f"{count} in a row" if count else "none"


def _layers(moment: PastState, scene: Scene, width: int) -> Line:
    spans: list[Span] = [(" ", "text")]
    for layer in LAYERS:
        if layer in moment.layers:
            glyph, role, word = _state_of(moment.layers[layer], scene)
        else:
            (glyph, role), word = scene.glyphs.of_check(None), "none"
        spans.append((f"{glyph} {layer} {word}   ", role))
    return cut(spans, width, scene.glyphs)


def _state_of(state: str | None, scene: Scene) -> tuple[str, str, str]:
    """Sign, role and word of a check or layer."""
    glyph, role = scene.glyphs.of_check(state or "unknown")
    return glyph, role if state else "muted", safe(state or NOT_KNOWN, scene.glyphs, 12)


def _check(check: PastCheck, moment: PastState, scene: Scene, width: int) -> list[Line]:
    glyphs = scene.glyphs
    glyph, role, word = _state_of(check.state, scene)
    kind = f"  {safe(check.type, glyphs, 20)} {glyphs.dot} {safe(check.layer or '', glyphs, 12)}" if check.type else ""
    left = [
        (f" {glyph} {word:<9}", role),
        (f"{' ' if len(word) > 8 else ''}{safe(check.name, glyphs, 60)}", "strong"),
        (kind or "  no longer in the config", "muted"),
        (f" {glyphs.dot} optional" if check.optional else "", "accent"),
    ]
    count = check.consecutive_failures
    right = [(f"  {count} failure{'s' if count != 1 else ''} in a row ", "strong")] if count else []
    lines = [justified(left, right, width, glyphs)]
    took = f", took {check.latency_ms:.1f} ms" if check.latency_ms else ""
    looked = f"looked {_before(check.last_at, moment)}{took}" if check.last_at else "no look is kept"
    for text, its in ((check.message, "text" if check.state != "passing" else "muted"), (looked, "muted")):
        if text:
            rows = wrapped(text, max(width - 5, 8), glyphs)
            lines += [cut([(f"   {row}", its)], width, glyphs) for row in rows]
    return lines


def moment_words(moment: str, *, precise: bool = False) -> str:
    """Date and time; `precise`: with milliseconds, for several changes of one second."""
    at_ns = wall_ns(moment)
    if at_ns is None:
        return clean(moment, 40)
    return f"{moment_text(at_ns)[:-1]}.{at_ns // 1_000_000 % 1000:03}Z" if precise else moment_text(at_ns)


def apart(earlier: str | None, later: str | None) -> str:
    """How long from one to the other, for people."""
    start_ns, end_ns = wall_ns(earlier), wall_ns(later)
    return "" if start_ns is None or end_ns is None else format_duration(max(0.0, (end_ns - start_ns) / _NS_PER_S))


def _before(earlier: str, moment: PastState) -> str:
    """How long before that moment."""
    return "just then" if earlier == moment.at else f"{apart(earlier, moment.at)} before"
