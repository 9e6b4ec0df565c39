"""The incident list as it was at a moment of the past: what was open, silenced or held, and who had done it."""

from lifesign.api.past_incidents import IncidentsThen, PastIncident
from lifesign.tui.drawing.past import Ways, apart, moment_words, ways_line
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.drawing.spans import Line, cut, justified, safe, wrapped


def past_incident_lines(moment: IncidentsThen, scene: Scene, width: int, ways: Ways) -> list[Line]:
    """The whole page, each line `width` cells."""
    glyphs = scene.glyphs
    lines = [ways_line(scene, width, ways), cut([], width, glyphs)]
    for event in moment.events:
        words = f"{event.event}  {event.component or 'everything'}: {event.message or ''}"
        lines += [cut([(f" {row}", "strong")], width, glyphs) for row in wrapped(words, max(width - 2, 8), glyphs)]
    lasted = f"for {apart(moment.at, moment.until)} then" if moment.until else "no change since"
    lines += [cut([(f" {lasted}", "muted")], width, glyphs), cut([], width, glyphs)]
    if not moment.incidents:
        lines.append(cut([(" no incident was open, and nothing was silenced or held", "muted")], width, glyphs))
    for one in moment.incidents:
        lines += [*_incident(one, moment, scene, width), cut([], width, glyphs)]
    if moment.known_since is not None:
        words = f"what was open before {moment_words(moment.known_since)} is not known"
        lines.append(cut([(f" {safe(words, glyphs)}", "muted")], width, glyphs))
    return lines


def _incident(one: PastIncident, moment: IncidentsThen, scene: Scene, width: int) -> list[Line]:
    """What, since when, why, and who had done what about it."""
    glyphs = scene.glyphs
    is_open = one.incident is not None
    glyph, role = glyphs.of_state("down") if is_open else (glyphs.none, "muted")
    name = safe(one.component, glyphs, 60) or "everything"
    left = [(f" {glyph} {'open' if is_open else '':<9} ", role), (name, "strong")]
    since = f"  open for {apart(one.opened_at, moment.at)} then " if is_open else "  no open incident "
    lines = [justified(left, [(since, "muted")], width, glyphs)]
    told = f" {glyphs.dot} ".join(one.notices)
    about = (told, "accent") if told else ("nobody had taken it", "warn")
    for words, its in ((one.why, "text"), about):
        rows = wrapped(words, max(width - 5, 8), glyphs) if words else []
        lines += [cut([(f"   {row}", its)], width, glyphs) for row in rows]
    return lines
