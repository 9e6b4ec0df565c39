"""How a key is declared: type, description and default in one place, for reading, README and JSON Schema."""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta

from lifesign.config.values import Delay, Duration
from lifesign.text import parse_duration

Count: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000)]


class Complaint(NamedTuple):
    """Something that a section's own rules do not allow.

    `keys`: which keys it is about; it is told at the first one, and not at all where one of them is
    already known to be wrong.
    """

    keys: tuple[str, ...]
    reason: str
    hint: str = ""


def describe(description: str, default: str | None = None, *, examples: Sequence[Any] | None = None) -> Meta:
    """What README and schema say of a key. `default`: in words, where the value alone does not show it."""
    return Meta(
        description=description,
        examples=list(examples) if examples else None,
        extra={"default": default} if default is not None else None,
    )


def default_duration(text: str) -> Any:
    """A duration as a default. A factory, since msgspec's schema cannot write a value of our own."""
    return msgspec.field(default_factory=lambda: Duration(parse_duration(text)))


def default_delay(seconds: float) -> Any:
    """Likewise for a time that may be none."""
    return msgspec.field(default_factory=lambda: Delay(seconds))


def default_of(value: Any) -> Any:
    """Any other value of our own, which cannot change, as a default."""
    return msgspec.field(default_factory=lambda: value)
