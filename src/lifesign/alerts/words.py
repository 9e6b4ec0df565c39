"""An alert in words: plain text for people, Markdown for issues. Nothing from outside is markup, mention or reference.

What comes from outside stands in fences and in code, where neither `@name` nor `#12` means anything; in a title both
are taken apart. A body has at most `MAX_BODY_BYTES`. Not here: sending it.
"""

import re

from lifesign.alerts.alert import Alert, AlertCheck
from lifesign.text import clean, format_duration

MAX_BODY_BYTES = 8192
MAX_TITLE = 160
_CODE_LENGTH = 300
_CUT = "\n\n*(cut here: it was longer)*\n"
_WRITTEN_BY = (
    "*Written by lifesign. It keeps one comment fresh while this lasts, and closes the issue when work resumes.*"
)
_BACKTICKS = re.compile(r"`+")


def title(alert: Alert) -> str:
    """One line. `@` and `#` are spelled out, so that nobody is called and nothing is linked."""
    text = clean(alert.subject, MAX_TITLE * 2).replace("@", "(at)").replace("#", "no. ").replace("`", "'")
    return clean(text, MAX_TITLE)


def plain_text(alert: Alert) -> str:
    """For chats and mail: a few lines."""
    lines = [f"{alert.diagnosis[:1].upper()}{alert.diagnosis[1:]}" if alert.stage == "recovered" else alert.diagnosis]
    lines += [alert.note] if alert.note else []
    lines += [f"next: {alert.next}"] if alert.next else []
    lines += [f"{check.name} ({check.layer}, {check.state}): {check.message}" for check in _troubled(alert)]
    lines.append(f"since {alert.opened_at} · {alert.monitor} on {alert.host} · {alert.incident}")
    return "\n".join(lines)


def issue_body(alert: Alert, marker: str) -> str:
    """The body of an issue; `marker` stands in it unseen and is never cut away."""
    parts = [
        fenced(alert.diagnosis),
        _facts(alert),
        _long_note(alert),
        _layers_table(alert),
        _checks_table(alert),
        _restarts(alert),
    ]
    besides_bytes = len(marker.encode()) + 2
    used_bytes = len("\n\n".join(filter(None, [*parts, _WRITTEN_BY])).encode()) + besides_bytes
    parts += [_last_lines(alert, MAX_BODY_BYTES - used_bytes), _WRITTEN_BY]
    return capped("\n\n".join(filter(None, parts)), besides_bytes) + f"\n\n{marker}"


def status_comment(alert: Alert, marker: str) -> str:
    """The one comment that is kept fresh."""
    parts = [
        f"**Still {code(alert.state)}** at {code(alert.at)}, for {format_duration(alert.down_s)}.",
        _note(alert),
        fenced(alert.diagnosis),
        f"Next: {code(alert.next)}" if alert.next else "",
        _checks_table(alert),
        _restarts(alert),
    ]
    return capped("\n\n".join(filter(None, parts)), len(marker.encode()) + 2) + f"\n\n{marker}"


def closing_comment(alert: Alert, marker: str) -> str:
    """The story, when work has resumed, or nobody is to look any more."""
    end = "No longer watched" if alert.state == "removed" else "Works again"
    parts = [
        f"**{end}** at {code(alert.at)}, after {format_duration(alert.down_s)}.",
        _note(alert),
        fenced(alert.diagnosis),
        _checks_table(alert),
        _restarts(alert),
    ]
    return capped("\n\n".join(filter(None, parts)), len(marker.encode()) + 2) + f"\n\n{marker}"


def _facts(alert: Alert) -> str:
    rows = [("component", alert.component), ("since", alert.opened_at), ("monitor", alert.monitor)]
    rows += [("host", alert.host), ("incident", alert.incident)]
    rows += [("title", alert.title)] if alert.title else []
    rows += [("note", alert.note)] if alert.note and not _long_note(alert) else []
    return "| what | value |\n|---|---|\n" + "\n".join(f"| {name} | {code(value)} |" for name, value in rows)


def _note(alert: Alert) -> str:
    return _long_note(alert) or (code(alert.note) if alert.note else "")


def _long_note(alert: Alert) -> str:
    """One that has no place in a line."""
    return fenced(alert.note) if len(alert.note) > _CODE_LENGTH else ""


def _layers_table(alert: Alert) -> str:
    if not any(alert.layers.values()):
        return ""
    names, states = zip(*alert.layers.items(), strict=True)
    row = " | ".join(code(state) if state else "–" for state in states)
    return f"| {' | '.join(names)} |\n{'|---' * len(names)}|\n| {row} |"


def _checks_table(alert: Alert) -> str:
    if not alert.checks:
        return ""
    rows = [
        f"| {code(c.name)} | {c.layer} | {code(c.state)} | {c.consecutive_failures} | {code(c.message)} |"
        for c in alert.checks
    ]
    return "\n".join(["| check | layer | state | failures in a row | found |", "|---|---|---|---|---|", *rows])


def _restarts(alert: Alert) -> str:
    results = {True: "work resumed", False: "in vain", None: "under way"}
    lines = [f"- restart at {code(r.at)} by {code(r.by)}: {results[r.productive]}" for r in alert.restarts]
    return "\n".join(lines)


def _last_lines(alert: Alert, room_bytes: int) -> str:
    """The newest of the last lines that fit, in a fence of their own."""
    lines = [clean(line, 500) for line in alert.last_lines]
    while lines and len((block := f"Last lines:\n\n{_fence(lines)}").encode()) + 4 > room_bytes:
        del lines[0]
    return block if lines else ""


def _troubled(alert: Alert) -> list[AlertCheck]:
    return [check for check in alert.checks if check.state not in ("passing", "pending")]


def code(text: str) -> str:
    """`text` as code within a line, in a table too: what ends a code span or a cell is replaced."""
    words = clean(text, _CODE_LENGTH).replace("`", "'").replace("|", "¦")
    return f"`{words}`" if words.strip() else "–"


def fenced(text: str) -> str:
    """`text` as a block of code, in a fence longer than any run of backticks in it."""
    return _fence([clean(text, 4000)])


def _fence(lines: list[str]) -> str:
    words = "\n".join(lines)
    longest = max((len(run) for run in _BACKTICKS.findall(words)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{words}\n{fence}"


def capped(text: str, besides_bytes: int) -> str:
    """`text` cut at a line so that, with `besides_bytes` more, it stays within `MAX_BODY_BYTES`."""
    room = MAX_BODY_BYTES - besides_bytes
    if len(text.encode()) <= room:
        return text
    lines, size = [], len(_CUT.encode())
    for line in text.splitlines():
        size += len(line.encode()) + 1
        if size > room:
            break
        lines.append(line)
    return "\n".join(lines) + _CUT
