"""The words of a plain check, health or console, understood without click, which costs as much as Python itself.

Only what can mean but one thing is understood here. With anything else (help, a mistake, an option that is not known)
click is asked, whose answer is the one that counts; that both say the same is held by a test.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class CheckWords(NamedTuple):
    """What a `lifesign check` is asked for. `config`: None for the usual places."""

    config: str | None = None
    components: tuple[str, ...] = ()
    as_json: bool = False
    act: bool = False
    dry_run: bool = False


class HealthWords(NamedTuple):
    """What a `lifesign health` is asked for."""

    config: str | None = None
    component: str | None = None


class ConsoleWords(NamedTuple):
    """What a `lifesign console` is asked for; `snapshot` is a file that is there."""

    config: str | None = None
    connect: str | None = None
    print_socket: bool = False
    read_only: bool = False
    act: bool = False
    snapshot: Path | None = None


class _Plain(NamedTuple):
    config: str | None
    names: tuple[str, ...]
    flags: frozenset[str]


def check_words(words: Sequence[str]) -> CheckWords | None:
    """What the words behind `check` ask for; None where click has to be asked."""
    plain = _plain(words, ("--json", "--act", "--dry-run"))
    if plain is None or {"--act", "--dry-run"} <= plain.flags:
        return None
    as_json, act, dry_run = (flag in plain.flags for flag in ("--json", "--act", "--dry-run"))
    return CheckWords(plain.config, plain.names, as_json, act, dry_run)


def health_words(words: Sequence[str]) -> HealthWords | None:
    """The same of the words behind `health`."""
    plain = _plain(words, ())
    if plain is None or len(plain.names) > 1:
        return None
    return HealthWords(plain.config, next(iter(plain.names), None))


def console_words(words: Sequence[str]) -> ConsoleWords | None:
    """The same of the words behind `console`."""
    plain = _plain(words, ("--read-only", "--act"))
    if plain is None or plain.names:
        return None
    return ConsoleWords(plain.config, read_only="--read-only" in plain.flags, act="--act" in plain.flags)


def _plain(words: Sequence[str], known: Sequence[str]) -> _Plain | None:
    config, names, flags = None, [], set()
    rest = iter(words)
    for word in rest:
        if word in known:
            flags.add(word)
        elif word in ("-c", "--config"):
            config = next(rest, "")
        elif word.startswith("--config="):
            config = word.removeprefix("--config=")
        elif word.startswith("-"):
            return None
        else:
            names.append(word)
    if config is not None and (not config or config.startswith("-")):
        return None
    return _Plain(config, tuple(names), frozenset(flags))
