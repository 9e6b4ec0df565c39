"""The first line and the status line: the whole's state, the counts, the link, and what is shown."""

from collections.abc import Callable, Sequence

from lifesign.api.documents import Component, OutboxInfo
from lifesign.tui.drawing.glyphs import Glyphs
from lifesign.tui.drawing.scene import Scene, clock_text, diagnosis_of
from lifesign.tui.drawing.spans import Line, Span, age, cut, justified, safe, width_of, wrapped

LATE_S = 30.0  # an alert that is under way for less is no news
_COMMON = 3  # fewer that are down have no common cause
_COUNTED = ("down", "unknown", "degraded", "starting", "paused", "healthy")


def header_line(scene: Scene, width: int) -> Line:
    """Overall, the monitor's name, the counts, the clock."""
    snapshot, glyphs = scene.snapshot, scene.glyphs
    if snapshot.state is None:
        left: list[Span] = [(f" {glyphs.unknown} not connected ", "badge-gone"), (" waiting for the monitor", "muted")]
        return justified(left, [("lifesign ", "muted")], width, glyphs)
    monitor = snapshot.state.monitor
    name = safe(monitor.name or monitor.host, glyphs, 40)
    if not scene.live:
        since = f" {glyphs.unknown} disconnected since {clock_text(snapshot.generated_ns)} "
        ago = f"({age(snapshot.lost_for_s(scene.now_s), glyphs)})"
        return justified([(since, "badge-gone"), (f" {ago}  {name}", "text")], [("lifesign ", "muted")], width, glyphs)
    glyph, role = glyphs.of_state(snapshot.state.overall)
    left = [(f" {glyph} {safe(snapshot.state.overall, glyphs, 12)} ", f"badge-{role}"), (f"  {name}", "strong")]
    if monitor.mode == "console" and width >= 100:
        left.append(("  watched by this console alone, while it is open", "muted"))
    clock = "snapshot of " if snapshot.archived else ""
    right: list[Span] = [(f"   {clock}{clock_text(snapshot.now_ns(scene.now_s))} ", "muted")]
    if scene.frozen_for_s is not None:
        right = [("   ", "muted"), (f" {glyphs.paused} frozen at {right[0][0].strip()} ", "badge-paused")]
    spelled = _counts(scene, spelled=True)
    room = width - width_of(left) - width_of(right)
    return justified(
        left, (spelled if width_of(spelled) <= room else _counts(scene, spelled=False)) + right, width, glyphs
    )


def present_spans(scene: Scene) -> list[list[Span]]:
    """How things stand at this moment, for a header that tells of another: the longest words first."""
    if scene.snapshot.state is None or not scene.live:
        return [[(f" {scene.glyphs.unknown} disconnected ", "badge-gone")]]
    clock: Span = (f"   {clock_text(scene.snapshot.now_ns(scene.now_s))} ", "muted")
    said: Span = ("  now", "muted")
    short = _counts(scene, spelled=False)
    return [[said, *_counts(scene, spelled=True), clock], [said, *short, clock], [said, *short, (" ", "muted")]]


def _counts(scene: Scene, *, spelled: bool) -> list[Span]:
    assert scene.snapshot.state is not None
    spans: list[Span] = []
    for state in _COUNTED:
        count = getattr(scene.snapshot.state.counts, state)
        if count:
            glyph, role = scene.glyphs.of_state(state)
            spans.append((f"   {glyph} {count}{' ' + state if spelled else ''}", role))
    return spans


def status_line(
    scene: Scene, shown: str, notes: list[str], width: int, keys: Callable[[int], list[Span]] = lambda _: []
) -> Line:
    """What the operator must know to read the rest rightly; on the right what is shown of how many.

    Where there is nothing to know, `keys` fill the cells that are left.
    """
    trouble = trouble_of(scene)
    right: list[Span] = [(f"  {safe(shown, scene.glyphs, 120)} ", "muted")]
    if trouble:
        left: list[Span] = [(f" {safe(trouble, scene.glyphs)}", "warn")]
    elif notes:
        left = [(f" {safe(f' {scene.glyphs.dot} '.join(notes), scene.glyphs)}", "accent")]
    else:
        left = keys(width - width_of(right))
    return justified(left, right, width, scene.glyphs)


def trouble_of(scene: Scene) -> str:
    """Why what is shown may not be the whole truth; empty where it is."""
    snapshot = scene.snapshot
    if scene.frozen_for_s is not None:
        for_how_long = age(scene.frozen_for_s, scene.glyphs)
        return f"the display is frozen for {for_how_long}, collecting goes on; p shows the present"
    if snapshot.state is None:
        return f"trying again every second: {snapshot.problem}" if snapshot.problem else ""
    if not scene.live:
        return f"last known state, reconnecting: {snapshot.why_lost()}"
    monitor = snapshot.state.monitor
    if snapshot.archived:
        return f"a snapshot made by {monitor.name or monitor.host} at {snapshot.state.generated_at}, not the present"
    if monitor.observer != "ok":
        return _doubt_words(snapshot.state.components)
    if monitor.config is not None and monitor.config.rejected:
        return f"the config was not reloaded: {monitor.config.rejected}"
    if not monitor.state_writable and monitor.mode == "daemon":
        return "the monitor cannot write all of its state folder: what happens now may not be kept"
    return "" if monitor.outbox is None else _outbox_words(monitor.outbox, scene)


def _doubt_words(components: Sequence[Component]) -> str:
    """Why the monitor takes no failure for evidence: the state says only that, its incidents which of the two reasons.

    A common cause lasts until the first of many recovers; one that is being restarted has not.
    """
    broken = sum(component.incident is not None for component in components)
    if broken >= _COMMON and 2 * broken > len(components):
        return "most went down at once: one common cause, no restarts just now"
    return "the monitor distrusts its own eyes just now: it had stalled"


def _outbox_words(outbox: OutboxInfo, scene: Scene) -> str:
    """Who waits to be told, where that takes longer than it should."""
    words = []
    if outbox.depth and outbox.oldest_s >= LATE_S:
        waits = age(outbox.oldest_s, scene.glyphs)
        words.append(f"{outbox.depth} alert{'s'[: outbox.depth != 1]} not delivered, the oldest for {waits}")
    if outbox.held_back:
        words.append(f"no issue, since max_issues are open: {', '.join(outbox.held_back)}")
    return "; ".join(words)


def answer_lines(answers: Sequence[tuple[str, str]], width: int, glyphs: Glyphs, most: int) -> list[Line]:
    """What the console has to say to the operator's own actions: (words, role) each; the newest `most` lines."""
    lines = [
        cut([(f" {glyphs.arrow if not at else ' ' * len(glyphs.arrow)} ", role), (row, role)], width, glyphs)
        for words, role in answers
        for at, row in enumerate(wrapped(words, max(width - 4, 8), glyphs))
    ]
    return lines[-most:]


def inspector_lines(name: str, scene: Scene, width: int, height: int) -> tuple[Line, ...]:
    """Why and what next of the component under the cursor, in full as far as `height` lines hold it."""
    component = scene.snapshot.component(name) if name else None
    if component is None:
        return tuple(cut([], width, scene.glyphs) for _ in range(height))
    glyphs = scene.glyphs
    glyph, role = glyphs.of_state(component.state)
    reasons = wrapped(diagnosis_of(component), width - 4, glyphs)
    coming = wrapped(component.next, width - 4, glyphs) if component.next else []
    kept = min(len(coming), max(1, height - len(reasons)))
    lines = _told(f" {glyph} ", role, reasons[: height - kept], reasons[height - kept :], "text", width, glyphs)
    lines += _told(f" {glyphs.arrow} ", "next", coming[:kept], coming[kept:], "next", width, glyphs)
    lines += [cut([], width, glyphs)] * (height - len(lines))
    return tuple(lines[:height])


def _told(
    sign: str, sign_role: str, rows: Sequence[str], left_out: Sequence[str], role: str, width: int, glyphs: Glyphs
) -> list[Line]:
    """`rows` behind a sign; the last one is cut where others are left out."""
    lines = []
    for at, row in enumerate(rows):
        words = " ".join([row, *left_out]) if at == len(rows) - 1 else row
        lines.append(cut([(" " * len(sign) if at else sign, sign_role), (words, role)], width, glyphs))
    return lines
