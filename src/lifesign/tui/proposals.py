"""What the palette proposes for what has been typed: every command, and every command on every component.

`restart worker`, `worker silence`, `silence feed 30m vendor outage`: pure, and bounded for a thousand components.
Not here: the palette itself (`finding`).
"""

from collections.abc import Iterator, Sequence

from lifesign.records import dataclass
from lifesign.text import clean, parse_duration
from lifesign.tui.commands import HOLD, SILENCE, Command
from lifesign.tui.drawing.glyphs import UNICODE
from lifesign.tui.drawing.spans import safe

MOST_PROPOSED = 60
_AT_ONCE = (SILENCE.id, HOLD.id)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One line of the palette. `component`: empty for a command of the screen. `score`: 0 to 1, best is 1."""

    words: str
    help: str
    command: Command
    component: str = ""
    duration: str = ""
    reason: str = ""
    score: float = 1.0


def proposals(
    typed: str, commands: Sequence[Command], verbs: Sequence[Command], names: Sequence[str]
) -> list[Proposal]:
    """`commands`: of the screen; `verbs`: those that can be told which component; `names`: of the components."""
    words = typed.casefold().split()
    found = [*_of_screen(words, commands), *_of_components(typed.split(), verbs, names)]
    return sorted(found, key=lambda one: -one.score)[:MOST_PROPOSED]


def _of_screen(words: Sequence[str], commands: Sequence[Command]) -> Iterator[Proposal]:
    for command in commands:
        text = f"{command.label} {command.id} {command.help}".casefold()
        if all(word in text for word in words):
            starts = bool(words) and command.label.startswith(words[0])
            named = all(word in command.label for word in words)
            shown = f"{command.label} ({command.spelled_keys()})"
            yield Proposal(shown, command.help, command, score=0.95 if starts else 0.8 if named else 0.2)


def _of_components(words: Sequence[str], verbs: Sequence[Command], names: Sequence[str]) -> Iterator[Proposal]:
    if not words:
        return
    for verb in verbs:
        said = _is_said(verb, words[0])
        rest = words[1:] if said else words
        if not said and len(rest) > 1 and _is_said(verb, rest[1]):  # the component first, as people think of it
            said, rest = True, [rest[0], *rest[2:]]
        if rest and (said or len(rest) == 1):
            yield from _on(verb, rest, names, said=said)


def _is_said(verb: Command, word: str) -> bool:
    return len(word) > 1 and verb.label.startswith(word.casefold())


def _on(verb: Command, rest: Sequence[str], names: Sequence[str], *, said: bool) -> Iterator[Proposal]:
    duration, reason = _circumstances(rest[1:])
    wanted = rest[0].casefold()
    for name in names:
        folded = name.casefold()
        if wanted not in folded:
            continue
        nearness = 0.2 if folded == wanted else 0.1 if folded.startswith(wanted) else 0.0
        about = " ".join(filter(None, (duration and f"for {duration}", reason and f"({reason})")))
        words = safe(f"{verb.label} {name} {about}".strip(), UNICODE, 120)
        at_once = bool(duration and reason) and verb.id in _AT_ONCE
        told = "at once: the sentence says all" if at_once else verb.help
        yield Proposal(words, told, verb, name, duration, reason, score=(0.75 if said else 0.4) + nearness)


def _circumstances(words: Sequence[str]) -> tuple[str, str]:
    """A duration, where the first word is one, and a reason."""
    if not words:
        return "", ""
    try:
        parse_duration(words[0])
    except ValueError:
        return "", clean(" ".join(words), 200)
    return words[0], clean(" ".join(words[1:]), 200)
