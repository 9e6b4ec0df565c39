"""The rule of environment variables that a user writes for a command: names that a process can be given."""

from collections.abc import Iterable, Iterator

from lifesign.config.keys import Complaint
from lifesign.text import clean


def environment_complaints(names: Iterable[str]) -> Iterator[Complaint]:
    """What is wrong with them, each told at the key `env`. What follows a `=` may be a secret, and is not told."""
    for name in names:
        before, equals, _ = name.partition("=")
        if not before or equals or "\0" in before:
            shown = clean(before, 40) + ("=…" if equals else "")
            yield Complaint(("env",), f"{shown!r} is no name of an environment variable")
