"""The state document as one HTML page: light and dark, narrow and wide, without a script, asking nobody for anything.

Not here: where the state comes from (`cli.snapshot`, `bootstrap`), and the other forms (`cli.present`).
"""

import re
from collections.abc import Iterable
from html import escape

from lifesign.api.documents import Check, Component, Notice, State
from lifesign.text import clean, format_duration
from lifesign.tui.drawing.glyphs import UNICODE
from lifesign.tui.words import next_alone, why

_WORST_FIRST = ("down", "unknown", "degraded", "starting", "healthy", "paused")
_OURS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --back: #f6f7f9; --card: #fff; --text: #1c2430; --muted: #5b6675; --line: #d9dee5;
  --healthy: #17703a; --degraded: #8a5a00; --down: #b3161b; --unknown: #7a2fa0; --starting: #0b6285; --paused: #5b6675 }
@media (prefers-color-scheme: dark) { :root { --back: #11161d; --card: #1a212b; --text: #e4e9f0; --muted: #96a2b2;
  --line: #2d3743; --healthy: #5fce8a; --degraded: #f0b94d; --down: #ff7b78; --unknown: #cf9df0; --starting: #6cc5ea;
  --paused: #96a2b2 } }
* { box-sizing: border-box } body { margin: 0; padding: 1.25rem; background: var(--back); color: var(--text);
  font: 15px/1.45 system-ui, sans-serif; overflow-wrap: anywhere } main { max-width: 76rem; margin: auto }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.05rem; margin: 0 } p { margin: .35rem 0 }
.muted { color: var(--muted); font-weight: 400 } .cards { display: grid; gap: 1rem; margin-top: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); align-items: start }
article { background: var(--card); border: 1px solid var(--line); border-left: 5px solid var(--state);
  border-radius: 6px; padding: .8rem 1rem } .state { color: var(--state); font-weight: 650 }
.lamps { display: grid; grid-template-columns: repeat(4, 1fr); gap: .3rem; margin: .6rem 0; padding: 0;
  list-style: none }
.lamps li { border-top: 3px solid var(--state); padding-top: .2rem; font-size: .82rem } .lamps b { display: block }
.bar { height: 6px; background: var(--line); border-radius: 3px; overflow: hidden } .bar i { display: block;
  height: 100%; background: var(--state) } table { border-collapse: collapse; width: 100%; font-size: .86rem }
td, th { text-align: left; vertical-align: top; padding: .25rem .5rem .25rem 0; border-top: 1px solid var(--line) }
td:nth-child(-n+3), th { overflow-wrap: break-word } td .state { white-space: nowrap } details { overflow-x: auto }
th { color: var(--muted); font-weight: 500 } summary { cursor: pointer; color: var(--muted); margin-top: .4rem }
"""


def render_page(state: State) -> str:
    """`state` as a whole document. Whatever stands in the data is text on it, never markup."""
    name, host, version = map(text, (state.monitor.name, state.monitor.host, f"lifesign {state.monitor.version}"))
    ranked = sorted(state.components, key=lambda component: (_rank(component.state), component.name))
    body = [
        f'<header style="--state: var(--{colour(state.overall)})">',
        f'<h1><span class="state">{sign(state.overall)} {text(state.overall)}</span> {name}</h1>',
        f'<p class="muted">{_counts(state)} · {stamp(state.generated_at)} · {host} · {version}</p></header>',
        *_warnings(state),
        f'<div class="cards">{"".join(map(_card, ranked))}</div>',
    ]
    return framed(f"{text(state.overall)}: {name}", body)


def framed(title: str, body: Iterable[str], style: str = "") -> str:
    """A whole page of that `title` and `body`, both markup already, with more `style` than every page has."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}{style}</style></head><body><main>",
            *body,
            "</main></body></html>\n",
        ]
    )


def _warnings(state: State) -> Iterable[str]:
    if state.monitor.observer != "ok":
        yield "<p>The monitor itself had stalled, or many things failed at once: failures are not evidence now.</p>"
    if not state.monitor.state_writable:
        yield "<p>The monitor cannot write all of its state folder: what happens now may not be kept.</p>"
    outbox = state.monitor.outbox
    if outbox is not None and outbox.depth:
        waits = format_duration(outbox.oldest_s)
        yield f"<p>Alerts that have not arrived: {outbox.depth}, the oldest for {waits}.</p>"
    if outbox is not None and outbox.held_back:
        yield f"<p>No issue, since max_issues are open: {escape(clean(', '.join(outbox.held_back)))}.</p>"


def _card(component: Component) -> str:
    beside = " · ".join(filter(None, (text(component.title), "optional" if component.optional else "")))
    name = f'{text(component.name)} <span class="muted">{beside}</span>' if beside else text(component.name)
    coming = text(next_alone(component))
    parts = [
        f'<article style="--state: var(--{colour(component.state)})">',
        f'<h2><span class="state">{sign(component.state)} {text(component.state)}</span> {name}</h2>',
        f'<p>{text(why(component.state, component.diagnosis))}</p><p class="muted">since {stamp(component.since)}</p>',
        f"<p>→ {coming}</p>" if coming else "",
        *_notices(component),
        _lamps(component),
        _staleness(component),
        _checks(component.checks),
        "</article>",
    ]
    return "\n".join(filter(None, parts))


def _notices(component: Component) -> Iterable[str]:
    for word, notice in (
        ("silenced", component.silence),
        ("held", component.hold),
        ("acknowledged", component.acknowledged),
    ):
        if notice is not None:
            yield f"<p>{word} {_notice(notice)}</p>"
    if component.suppressed_by:
        yield f"<p>waits for {text(component.suppressed_by)}, which is down</p>"


def _notice(notice: Notice) -> str:
    until = f" until {stamp(notice.until)}" if notice.until else ""
    reason = f": {text(notice.reason)}" if notice.reason else ""
    return f"by {text(notice.author)}{until}{reason}"


def _lamps(component: Component) -> str:
    lamps = []
    for layer in ("startable", "alive", "ready", "working"):
        held = getattr(component.layers, layer)
        glyph, role = UNICODE.of_check(held)
        words = f"{glyph} {text(held)}" if held else "not checked"
        lamps.append(f'<li style="--state: var(--{_known(role)})"><b>{layer}</b>{words}</li>')
    return f'<ul class="lamps">{"".join(lamps)}</ul>'


def _staleness(component: Component) -> str:
    stale_s, limit_s = component.staleness_s, component.stale_after_s
    if limit_s is None:
        return ""
    if stale_s is None:
        return f'<p class="muted">no work seen yet, limit {format_duration(limit_s)}</p>'
    share = min(100.0, 100 * stale_s / limit_s) if limit_s > 0 else 100.0
    words = f"last work {format_duration(stale_s)} ago, limit {format_duration(limit_s)}"
    return f'<div class="bar"><i style="width: {share:.1f}%"></i></div><p class="muted">{words}</p>'


def _checks(checks: list[Check]) -> str:
    rows = "".join(_row(check) for check in checks)
    is_open = " open" if any(check.state not in ("passing", "pending") for check in checks) else ""
    count = "1 check" if len(checks) == 1 else f"{len(checks)} checks"
    head = "<tr><th>check</th><th>state</th><th>in a row</th><th>found</th></tr>"
    return f"<details{is_open}><summary>{count}</summary><table>{head}{rows}</table></details>"


def _row(check: Check) -> str:
    glyph, role = UNICODE.of_check(check.state)
    state = f'<span class="state" style="--state: var(--{_known(role)})">{glyph} {text(check.state)}</span>'
    in_a_row = check.consecutive_failures or check.consecutive_successes
    about = f"{text(check.name)} <span class='muted'>{text(check.type)}{', optional' if check.optional else ''}</span>"
    return f"<tr><td>{about}</td><td>{state}</td><td>{in_a_row}</td><td>{text(check.message)}</td></tr>"


def _counts(state: State) -> str:
    counts = ((name, getattr(state.counts, name)) for name in state.counts.__struct_fields__)
    return ", ".join(f"{count} {name}" for name, count in counts if count) or "no components"


def _rank(state: str) -> int:
    return _WORST_FIRST.index(state) if state in _WORST_FIRST else 0


def sign(state: str) -> str:
    """The sign of a component's state."""
    return UNICODE.of_state(state)[0]


def colour(state: str) -> str:
    """The name of its colour in the style of every page."""
    return state if state in _WORST_FIRST else "unknown"


def _known(role: str) -> str:
    return role if role in _WORST_FIRST else "paused"


def stamp(time: str) -> str:
    """An RFC 3339 time as markup, as people read it where it is one of ours."""
    shown = f"{time[:10]} {time[11:19]}Z" if _OURS.fullmatch(time) else time
    return f'<time datetime="{text(time)}">{text(shown)}</time>'


def text(value: object) -> str:
    """Data as text and nothing else."""
    return escape(clean(str(value), 2000), quote=True)
