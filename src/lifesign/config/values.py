"""Kinds of value that TOML itself does not have: durations, paths, programs, secrets; with reader and JSON Schema.

A reader takes what TOML gave and raises ValueError with a sentence for the user. Not here: keys,
addresses and URLs (`endpoints`), conditions (`conditions`).
"""

import os
import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, ClassVar, Self

from lifesign.config.secret import Secret
from lifesign.records import dataclass
from lifesign.text import clean, parse_duration

# Not compiled before a text is met that is not printable: each pattern of such ranges costs a start 0.3 ms.
_CONTROL = "[\x00-\x1f\x7f-\x9f\u2028\u2029]"
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})", re.ASCII)


@dataclass(slots=True)
class Context:
    """What a reader needs besides the value: the folder that relative paths count from, and the environment."""

    base: Path
    environ: Mapping[str, str]
    secrets: list[Secret] = field(default_factory=list)
    reads_secrets: bool = True


def read_text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be {what}, as text in quotes")
    if not value.strip():
        raise ValueError(f"must be {what}, not empty")
    if not value.isprintable() and re.search(_CONTROL, value):
        raise ValueError(f"must be {what}, without control characters")
    return value


_DURATION = "^(?=.)" + "".join(rf"(\d+(\.\d+)?{unit})?" for unit in ("w", "d", "h", "m", "s", "ms")) + "$"


class Duration(float):
    """Seconds, at least 1 ms."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "string", "pattern": _DURATION},
            {"type": "number", "exclusiveMinimum": 0},
        ]
    }

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """From `"1h30m"` or a number of seconds."""
        del context
        try:
            seconds = parse_duration(value)
        except OverflowError:
            raise ValueError("a duration is at most a hundred years") from None
        if seconds < 0.001:
            raise ValueError("a duration is at least 1ms")
        return cls(seconds)

    @property
    def ns(self) -> int:
        """Whole nanoseconds."""
        return round(self * 1_000_000_000)


class Delay(Duration):
    """Seconds, where none at all is a choice too: `"0s"`."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {
        "anyOf": [Duration.schema["anyOf"][0], {"type": "number", "minimum": 0}],
    }

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """As a duration; zero is allowed."""
        if value in ("0", "0s", "0ms", "0m", "0h", "0d") or (not isinstance(value, bool) and value == 0):
            return cls(0.0)
        return cls(Duration.read(value, context))


def expand(value: object, context: Context) -> str:
    """Text with `~` and `$VAR` replaced. A variable that is not set is an error, never silence."""
    text = read_text(value, "a path")

    def variable(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in context.environ:
            raise ValueError(f"the environment variable {name} is not set")
        return context.environ[name]

    if text == "~" or text.startswith("~/"):
        home = context.environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 - text, not yet a path
        text = home + text[1:]
    elif text.startswith("~"):
        expanded = os.path.expanduser(text)  # noqa: PTH111 - likewise
        if expanded == text:
            raise ValueError(f"there is no user {clean(text.split('/')[0][1:], 40)}")
        text = expanded
    return read_text(_VARIABLE.sub(variable, text), "a path")


def read_path(value: object, context: Context) -> Path:
    """An absolute path; a relative one counts from the config's folder."""
    return Path(os.path.normpath(context.base / expand(value, context)))


class Program(str):
    """A program: a name that is looked up on PATH, or an absolute path."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1}

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """A value with a slash or a `~` is a path, anything else a name."""
        text = read_text(value, "a program")
        return cls(read_path(text, context) if "/" in text or text.startswith(("~", "$")) else text)


class Word(str):
    """Text on one line that is not empty."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1}

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """Any text without control characters."""
        del context
        return cls(read_text(value, "a line of text"))


class Template(str):
    """Text with fields in braces, each a word of the alert. A name in braces that is none is refused."""

    __slots__ = ()
    fields: ClassVar[tuple[str, ...]] = (
        *("subject", "stage", "component", "title", "tags", "state", "diagnosis", "next", "note", "incident"),
        *("monitor", "host", "opened_at", "at", "down"),
    )
    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1}

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """Any text, of several lines too."""
        del context
        if not isinstance(value, str) or not value.strip():
            raise ValueError("must be a template, as text in quotes")
        for name in _PLACEHOLDER.findall(value):
            if name not in cls.fields:
                from difflib import get_close_matches  # on the error path alone

                near = get_close_matches(name, cls.fields, n=1)
                hint = f"did you mean {{{near[0]}}}?" if near else f"there are {', '.join(cls.fields)}"
                raise ValueError(f"there is no field {{{name}}}: {hint}")
        return cls(value)


class SecretReference(Secret):
    """A secret: `{ env = "NAME" }` or `{ file = "path" }`, and nothing else."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"env": {"type": "string", "minLength": 1}, "file": {"type": "string", "minLength": 1}},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """By reference, and read once, so that a missing secret is told at the start."""
        if not isinstance(value, dict):
            raise ValueError('a literal secret is refused: write { env = "NAME" } or { file = "path" }')
        if len(value) != 1 or not value.keys() <= {"env", "file"}:
            raise ValueError('a secret is { env = "NAME" } or { file = "path" }, with that one key')
        [(kind, where)] = value.items()
        if kind == "env":
            secret = cls("env", read_text(where, "the name of an environment variable"), context.environ)
        else:
            secret = cls("file", str(read_path(where, context)))
        if context.reads_secrets:
            secret.reveal()
        context.secrets.append(secret)
        return secret


class OpenValue(SecretReference):
    """Text that may be a secret: a header's value, an environment variable."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {"anyOf": [{"type": "string"}, SecretReference.schema]}

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """Plain text, or a secret by reference."""
        if isinstance(value, dict):
            return super().read(value, context)
        if not isinstance(value, str):
            raise ValueError('must be text in quotes, or { env = "NAME" } or { file = "path" }')
        if not value.isprintable() and re.search(_CONTROL, value):
            raise ValueError("must be text without control characters")
        return cls("literal", value)
