"""What is wrong with a config, told in one line each. Not here: how it is found."""

import re
from collections.abc import Sequence
from typing import TypeAlias

from lifesign.records import dataclass
from lifesign.text import clean

KeyPath: TypeAlias = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def show_path(path: Sequence[str | int]) -> str:
    """A key path as a user would write it: `components.mind.tags[1]`, `components."a b"`."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
            continue
        name = part if _BARE.fullmatch(part) else '"' + part.replace('"', '\\"') + '"'
        shown += f".{name}" if shown else name
    return clean(shown, 200)


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One mistake. `line` counts from 1, 0 where `file` has none (an option).

    `key` is empty where the file as a whole is meant; `hint` may be empty.
    """

    file: str
    line: int
    key: str
    reason: str
    hint: str = ""

    def __str__(self) -> str:
        """`lifesign.toml:12: components.mind.titel: unknown key (did you mean title?)`."""
        subject = f"{self.key}: " if self.key else ""
        hint = f" ({self.hint})" if self.hint else ""
        where = f"{self.file}:{self.line}:" if self.line else self.file
        return clean(f"{where} {subject}{self.reason}{hint}", 1000)


class ConfigError(Exception):
    """The config was refused. `problems` holds every mistake, in the order of their lines."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConfigNotFound(Exception):  # noqa: N818 - the absence of a file, told in one line
    """No config was found. The message names every place that was looked at."""


def nearest(word: str, valid: Sequence[str]) -> str | None:
    """The valid name that `word` was most likely meant to be, None where nothing is near."""
    import difflib  # 10 ms that only a mistake pays for

    lowered = {name.lower().replace("-", "_"): name for name in valid}
    folded = word.lower().replace("-", "_")[:100]
    found = difflib.get_close_matches(folded, lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def suggestion(word: str, valid: Sequence[str], kind: str = "valid") -> str:
    """The hint for an unknown name: the nearest valid one, else all of them."""
    near = nearest(word, valid)
    if near is not None:
        return f"did you mean {near}?"
    return f"{kind}: {', '.join(valid)}" if valid else ""
