"""One component in full: everything the state document holds of it, wrapped rather than cut."""

import json

import msgspec

from lifesign.api.documents import Check, Component
from lifesign.tui.drawing.card import work_bar
from lifesign.tui.drawing.notices import notice_words
from lifesign.tui.drawing.restart import restart_lines
from lifesign.tui.drawing.scene import Scene, diagnosis_of, flag_spans, layer_states, moment_text
from lifesign.tui.drawing.spans import Line, Span, cut, justified, left, safe, wrapped
from lifesign.tui.drawing.strips import sparkline, verdict_spans
from lifesign.tui.memory import VERDICTS
from lifesign.tui.snapshot import wall_ns
from lifesign.tui.words import next_alone

_LABEL_CELLS = 11


def detail_lines(component: Component, scene: Scene, width: int, uptime: str = "") -> list[Line]:
    """The whole page, each line `width` cells. `uptime`: in words, empty where a snapshot knows none."""
    lines = [_title(component, scene, width), cut([], width, scene.glyphs)]
    lines += _field("why", diagnosis_of(component) or "every check passes", scene, width)
    lines += _field("next", next_alone(component), scene, width, role="next")
    lines += [_work(component, scene, width)]
    lines += _field("since", _moment(component.since, scene), scene, width)
    lines += _field("failures", _failures(component), scene, width)
    lines += _field("uptime", uptime, scene, width)
    lines += _history(component, scene, width)
    lines += _circumstances(component, scene, width)
    lines += [cut([], width, scene.glyphs), _heading("layers", scene, width), _layers(component, scene, width)]
    lines += [cut([], width, scene.glyphs), _heading("checks", scene, width)]
    for check in component.checks:
        lines += _check(check, component.name, scene, width)
    return lines + restart_lines(component, scene, width)


def _title(component: Component, scene: Scene, width: int) -> Line:
    glyphs = scene.glyphs
    glyph, role = glyphs.of_state(component.state)
    left = [
        (f" {glyph} {safe(component.state, glyphs, 12)} ", f"badge-{role}" if scene.live else "badge-gone"),
        (f"  {safe(component.name, glyphs, 60)}", "strong"),
        (f"  {safe(component.title, glyphs, 120)}" if component.title else "", "muted"),
    ]
    return justified(left, [(f"  for {scene.age(component.since)} ", "muted")], width, glyphs)


def _heading(text: str, scene: Scene, width: int) -> Line:
    return cut([(f" {text}", "head")], width, scene.glyphs)


def _field(label: str, text: str, scene: Scene, width: int, role: str = "text") -> list[Line]:
    if not text:
        return []
    rows = wrapped(text, max(width - _LABEL_CELLS - 2, 8), scene.glyphs)
    labels = [label] + [""] * (len(rows) - 1)
    return [
        cut([(f" {name:<{_LABEL_CELLS}}", "muted"), (row, role)], width, scene.glyphs)
        for name, row in zip(labels, rows, strict=True)
    ]


def _work(component: Component, scene: Scene, width: int) -> Line:
    work, limit, role = scene.staleness(component)
    spans: list[Span] = [(f" {'work':<{_LABEL_CELLS}}", "muted")]
    if component.staleness_s is None:
        seen = "none seen yet" if component.stale_after_s is not None else "no work signal is watched"
        spans.append((seen, "muted"))
    else:
        spans.append((f"none for {work} of this life  " if scene.is_reborn(component) else f"{work} ago  ", role))
    spans += work_bar(component, scene, 20)
    if component.stale_after_s is not None:
        spans.append((f"  limit {limit}", "muted"))
    if (last_ns := wall_ns(component.last_work_at)) is not None:
        spans.append((f"  last at {moment_text(last_ns)}", "muted"))
    return cut(spans, width, scene.glyphs)


def _failures(component: Component) -> str:
    count = component.consecutive_failures
    return f"{count} in a row" if count else "none"


def _circumstances(component: Component, scene: Scene, width: int) -> list[Line]:
    lines: list[Line] = []
    told = flag_spans(component, scene.glyphs, notices=False)
    flags = "".join(text for text, _ in told).rstrip(f" {scene.glyphs.dot}")
    lines += _field("flags", flags, scene, width, role="accent")
    lines += _field("tags", ", ".join(component.tags), scene, width)
    if component.incident is not None:
        opened = _moment(component.incident.opened_at, scene)
        url = f", {component.incident.url}" if component.incident.url else ""
        lines += _field("incident", f"{component.incident.id}, opened {opened}{url}", scene, width)
    for words in notice_words(component, scene):
        lines += _field("", words, scene, width, role="accent")
    lines += _field("process", _process(component, scene), scene, width)
    return lines


def _process(component: Component, scene: Scene) -> str:
    """The one that was seen last, which may have ended since."""
    process = component.process
    if isinstance(process, msgspec.UnsetType):
        return ""
    if not process.started_at:
        return f"pid {process.pid}"
    age = scene.age(process.started_at)
    return (
        f"pid {process.pid}, running for {age}" if component.layers.may_live else f"pid {process.pid}, began {age} ago"
    )


def _moment(moment: str, scene: Scene) -> str:
    at_ns = wall_ns(moment)
    return moment if at_ns is None else f"{moment_text(at_ns)} ({scene.age(moment)} ago)"


def _layers(component: Component, scene: Scene, width: int) -> Line:
    spans: list[Span] = [(" ", "text")]
    for layer, state in layer_states(component):
        glyph, role = scene.glyphs.of_check(state)
        spans.append((f"{glyph} {layer} {safe(state or 'none', scene.glyphs, 12)}   ", role))
    return cut(spans, width, scene.glyphs)


def _check(check: Check, component: str, scene: Scene, width: int) -> list[Line]:
    glyphs = scene.glyphs
    glyph, role = glyphs.of_check(check.state)
    left = [
        (f" {glyph} {safe(check.state, glyphs, 12):<9}", role),
        (safe(check.name, glyphs, 60), "strong"),
        (f"  {safe(check.type, glyphs, 20)} {glyphs.dot} {safe(check.layer, glyphs, 12)}", "muted"),
        (f" {glyphs.dot} optional" if check.optional else "", "accent"),
    ]
    count = check.consecutive_failures
    right = [(f"  {count} failure{'s' if count != 1 else ''} in a row ", "strong")] if count else []
    lines = [justified(left, right, width, glyphs)]
    role = "text" if check.state != "passing" else "muted"
    lines += _indented(check.message, scene, width, role)
    lines += _indented(_facts(check), scene, width, "muted")
    lines += _indented(_schedule(check, scene), scene, width, "muted")
    latencies = scene.memory.latencies_ms(component, check.name)
    if spark := sparkline(latencies, min(VERDICTS, width - 36), glyphs):
        words = f"   latency {spark}  {min(latencies):.1f} to {max(latencies):.1f} ms"
        lines.append(cut([(words, "muted")], width, glyphs))
    return lines


def _history(component: Component, scene: Scene, width: int) -> list[Line]:
    """The last verdicts: as this console has seen them, and before that as events tell."""
    most = min(VERDICTS, width - _LABEL_CELLS - 24)
    strip = verdict_spans(scene.memory.verdicts(component.name), most, scene.glyphs)
    spans = [(f" {'history':<{_LABEL_CELLS}}", "muted"), *strip, ("  now", "muted")]
    return [cut(spans, width, scene.glyphs)] if strip else []


def _schedule(check: Check, scene: Scene) -> str:
    took = f", took {check.latency_ms:.1f} ms" if check.latency_ms is not None else ""
    parts = [f"looked {scene.age(check.last_at)} ago{took}" if check.last_at else "not looked yet"]
    next_s = scene.snapshot.until_s(check.next_at, scene.now_s)
    if next_s is not None and scene.live:
        parts.append(f"again in {left(next_s, scene.glyphs)}")
    return f" {scene.glyphs.dot} ".join(parts)


def _facts(check: Check) -> str:
    values = {**check.data, **{name: round(value, 3) for name, value in check.metrics.items()}}
    return "  ".join(f"{name}={_value(value)}" for name, value in values.items())


def _value(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _indented(text: str, scene: Scene, width: int, role: str) -> list[Line]:
    if not text:
        return []
    return [cut([(f"   {row}", role)], width, scene.glyphs) for row in wrapped(text, max(width - 5, 8), scene.glyphs)]
