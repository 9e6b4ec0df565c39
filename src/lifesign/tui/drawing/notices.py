"""What operators have laid upon a component, in words; and an item of the incident list."""

from lifesign.api.documents import Component, Notice
from lifesign.tui.drawing.scene import Scene, diagnosis_of, flag_spans
from lifesign.tui.drawing.spans import Line, Span, cut, justified, left, safe
from lifesign.tui.words import next_alone

INCIDENT_LINES = 3


def notice_words(component: Component, scene: Scene) -> list[str]:
    """`silenced by root for 42m more: vendor outage`, one for each."""
    kinds = (
        ("silenced", component.silence),
        ("held", component.hold),
        ("acknowledged", component.acknowledged),
    )
    return [_words(what, notice, scene) for what, notice in kinds if notice is not None]


def _words(what: str, notice: Notice, scene: Scene) -> str:
    left_s = scene.snapshot.until_s(notice.until, scene.now_s)
    for_how_long = f" for {left(left_s, scene.glyphs)} more" if left_s is not None else ""
    reason = f": {safe(notice.reason, scene.glyphs, 200)}" if notice.reason else ""
    return f"{what} by {safe(notice.author, scene.glyphs, 60)}{for_how_long}{reason}"


def incident_lines(component: Component, scene: Scene, width: int, *, marked: bool = False) -> list[Line]:
    """`INCIDENT_LINES` lines of `width` cells: what is open since when, why, and who has done what about it."""
    glyphs = scene.glyphs
    glyph, role = glyphs.of_state(component.state)
    inner = width - 2
    incident = component.incident
    since = f"open for {scene.age(incident.opened_at)}" if incident is not None else "no open incident"
    title: list[Span] = [
        (glyphs.mark if marked else " ", "accent"),
        (f"{glyph} {safe(component.state, glyphs, 12):<9} ", role),
        (safe(component.name, glyphs, 60), "strong"),
        (f"  {safe(component.title, glyphs, 120)}" if component.title else "", "muted"),
    ]
    link = f" {glyphs.dot} {safe(incident.url, glyphs, 120)}" if incident is not None and incident.url else ""
    coming = next_alone(component)
    next_step = f" {glyphs.arrow} {safe(coming, glyphs, 2 * width)}" if coming else ""
    why: list[Span] = [("   ", "text"), (safe(diagnosis_of(component), glyphs, 2 * width), "text"), (next_step, "next")]
    notices = f" {glyphs.dot} ".join(notice_words(component, scene))
    about: list[Span] = [("   ", "text"), (notices, "accent")]
    if not notices:
        about += [*flag_spans(component, glyphs, notices=False)]
        about += [("nobody has taken it", "warn")] if incident is not None else []
    return [
        justified(title, [(f"  {since}{link} ", "muted")], inner, glyphs),
        cut(why, inner, glyphs),
        cut(about, inner, glyphs),
    ]
