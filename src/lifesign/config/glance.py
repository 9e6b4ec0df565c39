"""What a console must know of a config to reach the daemon that runs on it: where its state is, and the keys.

That is two sections of what may be a thousand: nothing else is parsed, nothing is checked, and no type of any check is
imported. Whoever finds no daemon by it reads the whole config (`config.reading`), and is told every mistake.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lifesign.config.place import default_state_dir, host_name
from lifesign.config.secret import read_trusted
from lifesign.config.source import LIMIT_BYTES
from lifesign.records import dataclass

_HEADER = re.compile(r"^[ \t]*\[(.*)$", re.MULTILINE)
_NAME = re.compile(r"\[?[ \t]*([A-Za-z0-9_-]+)[ \t]*[.\]]")
_WANTED = ("monitor", "console")
_LONG_TEXT = ('"""', "'''")


@dataclass(frozen=True, slots=True)
class Glance:
    """`keys`: commands that have another key, by their id."""

    state_dir: Path
    keys: Mapping[str, str]


def glance(path: Path) -> Glance | None:
    """What the config at `path` says; None where that takes more than a glance, or others may have written it."""
    try:
        text = _excerpt(read_trusted(path, LIMIT_BYTES).decode("utf-8-sig"))
        found = tomllib.loads(text) if text is not None else {}
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 - as in `reading.load`
        return _seen(found, absolute) if text is not None else None
    except (OSError, ValueError, RecursionError, RuntimeError):
        return None


def _seen(found: Mapping[str, Any], path: Path) -> Glance | None:
    monitor, console = found.get("monitor", {}), found.get("console", {})
    if not isinstance(monitor, dict) or not isinstance(console, dict):
        return None
    name, state_dir, keys = monitor.get("name", host_name()), monitor.get("state_dir"), console.get("keys", {})
    if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys.values()):
        return None
    if state_dir is None:
        plain = isinstance(name, str) and name and "/" not in name and not name.startswith(".")
        return Glance(default_state_dir(name, path), keys) if plain else None
    if not isinstance(state_dir, str) or not state_dir or set("~$\0") & set(state_dir):
        return None  # what stands for something else is the whole reader's matter
    return Glance(Path(os.path.normpath(path.parent / state_dir)), keys)


def _excerpt(text: str) -> str | None:
    """The lines of the sections that are wanted, and those before the first section; None where lines cannot tell."""
    if any(quotes in text for quotes in _LONG_TEXT):
        return None  # a line in it may look like the head of a section
    parts: list[str] = []
    wanted, begun = True, 0
    for at, name in _heads(text):
        if name is None:
            return None
        if wanted:
            parts.append(text[begun:at])
        wanted, begun = name in _WANTED, at
    return "".join([*parts, text[begun:] if wanted else ""])


def _heads(text: str) -> Iterator[tuple[int, str | None]]:
    """Where a section begins, or a line of an array that looks like one, and its first name; None for a quoted one."""
    for head in _HEADER.finditer(text):
        name = _NAME.match(head[1])
        yield head.start(), name[1] if name else None
