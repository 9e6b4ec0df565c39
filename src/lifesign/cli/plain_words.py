"""The words of a plain `lifesign check`, understood without click, which costs as much as Python itself to start.

Only what can mean but one thing is understood here. With anything else (help, a mistake, an option that is not known)
click is asked, whose answer is the one that counts; that both say the same is held by a test.
"""

from collections.abc import Sequence
from typing import NamedTuple

_FLAGS = {"--json": "as_json", "--act": "act", "--dry-run": "dry_run"}


class CheckWords(NamedTuple):
    """What a `lifesign check` is asked for. `config`: None for the usual places."""

    config: str | None = None
    components: tuple[str, ...] = ()
    as_json: bool = False
    act: bool = False
    dry_run: bool = False


def check_words(words: Sequence[str]) -> CheckWords | None:
    """What the words behind `check` ask for; None where click has to be asked."""
    config, components, flags = None, [], set()
    rest = iter(words)
    for word in rest:
        if word in _FLAGS:
            flags.add(_FLAGS[word])
        elif word in ("-c", "--config"):
            config = next(rest, "")
        elif word.startswith("--config="):
            config = word.removeprefix("--config=")
        elif word.startswith("-"):
            return None
        else:
            components.append(word)
    if (config is not None and (not config or config.startswith("-"))) or {"act", "dry_run"} <= flags:
        return None
    return CheckWords(config, tuple(components), **dict.fromkeys(flags, True))
