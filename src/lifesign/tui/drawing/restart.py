"""The restart of a component: where it stands, the one under way as the transaction it is, and those before it."""

import msgspec

from lifesign.api.documents import Component, Restart, RestartMade
from lifesign.tui.drawing.scene import Scene, moment_text
from lifesign.tui.drawing.spans import Line, Span, cut, fit, left, safe, wrapped
from lifesign.tui.snapshot import wall_ns

_LABEL_CELLS = 11
_OUTCOME_ROLES = {"productive": "healthy", "unproductive": "down", "failed": "down", "pending": "starting"}
_WIDE_CELLS = 100


def restart_lines(component: Component, scene: Scene, width: int) -> list[Line]:
    """Empty where no restart is configured."""
    restart = component.restart
    if restart is None:
        return []
    lines = [cut([], width, scene.glyphs), cut([(" restart", "head")], width, scene.glyphs)]
    lines += _standing(restart, scene, width)
    history = history_of(restart)
    if history and history[-1].outcome == "pending":
        lines += _transaction(history[-1], scene, width)
        history = history[:-1]
    if history:
        lines += [cut([], width, scene.glyphs), _head(scene, width)]
        lines += [_made(made, scene, width) for made in reversed(history)]
    return lines


def history_of(restart: Restart) -> list[RestartMade]:
    """The restarts that are remembered, oldest first."""
    return [] if isinstance(restart.history, msgspec.UnsetType) else restart.history


def _standing(restart: Restart, scene: Scene, width: int) -> list[Line]:
    who = "automatic" if restart.automatic else "by the operator only"
    next_s = scene.snapshot.until_s(restart.next_at, scene.now_s)
    when = f", due in {left(next_s, scene.glyphs)}" if next_s is not None and scene.live else ""
    parts = [
        f"by {restart.method}, {who}; {restart.phase}{when}",
        f"{restart.unproductive} of {restart.max_unproductive} in vain",
        f"{restart.budget_left} left in the window",
        f"life {restart.incarnation} of the process",
    ]
    role = "down" if restart.phase == "exhausted" else "text"
    lines = _field("now", "; ".join(parts), scene, width, role)
    if not isinstance(restart.withheld, msgspec.UnsetType):
        lines += _field("withheld", restart.withheld, scene, width, "warn")
    return lines


def _field(label: str, text: str, scene: Scene, width: int, role: str) -> list[Line]:
    rows = wrapped(text, max(width - _LABEL_CELLS - 2, 8), scene.glyphs)
    return [
        cut([(f" {label if not at else '':<{_LABEL_CELLS}}", "muted"), (row, role)], width, scene.glyphs)
        for at, row in enumerate(rows)
    ]


def _transaction(made: RestartMade, scene: Scene, width: int) -> list[Line]:
    """The deed, the new process, the first work: each done, or awaited."""
    new = f"new process{f' {made.pid_after}' if made.pid_after is not None else ''}"
    after = _seconds(made.process_after_s)
    work = _seconds(made.work_after_s)
    steps = (
        (bool(made.words), made.words or "the signal", ""),
        (made.process_after_s is not None, new, f" after {after}" if after else ""),
        (made.work_after_s is not None, "first work", f" after {work}" if work else ""),
    )
    lines = [
        cut(
            [(f" under way, {safe(_by(made), scene.glyphs, 80)}, for {scene.age(made.at)}", "accent")],
            width,
            scene.glyphs,
        )
    ]
    for done, what, when in steps:
        glyph, role = scene.glyphs.of_state("healthy" if done else "starting")
        words = f"{safe(what, scene.glyphs, 2 * width)}{when}" if done else f"{safe(what, scene.glyphs, 60)}: awaited"
        lines.append(cut([(f"   {glyph} ", role), (words, "text" if done else "muted")], width, scene.glyphs))
    return lines


def _head(scene: Scene, width: int) -> Line:
    """The names of what `_made` tells; `new/work after`: how long until the new process, and until its first work."""
    wide = width >= _WIDE_CELLS
    texts = ("restarts before", "outcome", "who", "process", "new/work after", "why")
    cells = (20 if wide else 9, 13, 22 if wide else 14, 18, 15, 3)
    names = zip(texts if wide else ("before", *texts[1:]), cells, strict=True)
    return cut([(" " + " ".join(fit(text, size, scene.glyphs) for text, size in names), "head")], width, scene.glyphs)


def _made(made: RestartMade, scene: Scene, width: int) -> Line:
    glyphs = scene.glyphs
    at_ns = wall_ns(made.at)
    when = moment_text(at_ns) if at_ns is not None else made.at
    pids = f"{_pid(made.pid_before)} {glyphs.arrow} {_pid(made.pid_after)}"
    took = f"{_seconds(made.process_after_s) or '-'} / {_seconds(made.work_after_s) or '-'}"
    spans: list[Span] = [
        (f" {fit(when if width >= _WIDE_CELLS else when[-9:], 20 if width >= _WIDE_CELLS else 9, glyphs)} ", "muted"),
        (fit(made.outcome, 13, glyphs), _OUTCOME_ROLES.get(made.outcome, "text")),
        (f" {fit(_by(made), 22 if width >= _WIDE_CELLS else 14, glyphs)}", "strong"),
        (f" {fit(pids, 18, glyphs)}", "text"),
        (f" {fit(took, 15, glyphs)}", "text"),
        (f" {safe(made.reason or made.words, glyphs, 2 * width)}", "muted"),
    ]
    return cut(spans, width, glyphs)


def _by(made: RestartMade) -> str:
    return "automatic" if made.automatic else f"by {made.author}"


def _pid(pid: int | None) -> str:
    return "-" if pid is None else str(pid)


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"
