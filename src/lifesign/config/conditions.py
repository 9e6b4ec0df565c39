"""Kinds of value that say what is right: expressions, counts, status codes, sizes, shares."""

import re
from typing import Any, ClassVar, Self

from lifesign.config.values import Context
from lifesign.text import clean

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|kB|KB|KiB|MB|MiB|GB|GiB|TB|TiB)?")
_SIZE_UNITS = {"B": 1} | {
    name: base**power
    for power, letter in enumerate("KMGT", start=1)
    for name, base in ((f"{letter}B", 1000), (f"{letter}iB", 1024))
}
_SIZE_UNITS["kB"] = 1000
_COUNT = re.compile(r"(>=|<=|==|!=|=|>|<)?\s*([0-9]{1,6})")
_STATUS = re.compile(r"(\d{3})(?:-(\d{3}))?")


class Regex(str):
    """A regular expression in RE2's syntax, which matches in linear time."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1}

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """Compiled once with RE2 to see that it can be."""
        del context
        if not isinstance(value, str) or not value:
            raise ValueError("must be a regular expression, as text in quotes")
        import re2  # 9 ms that only a config with an expression pays for

        options = re2.Options()
        options.log_errors = False
        try:
            re2.compile(value, options)
        except (re2.error, UnicodeError) as error:
            reason = error.args[0] if error.args else "it does not compile"
            reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
            raise ValueError(
                f"RE2 refuses this expression: {clean(reason, 120)} (no look-around, no back-references)"
            ) from None
        return cls(value)


def _size_of(value: object) -> int:
    """Bytes from `"512MiB"`, `"2GB"` or a number of bytes; at least 1. Raises ValueError."""
    size: float = 0
    if isinstance(value, int) and not isinstance(value, bool):
        size = value
    elif isinstance(value, str) and len(value) < 40 and (match := _SIZE.fullmatch(value.strip())):
        size = float(match[1]) * _SIZE_UNITS[match[2] or "B"]
    if not 1 <= size < 2**63:
        raise ValueError('must be a size like "512MiB", "2GB", or a number of bytes')
    return int(size)


class ByteSize(int):
    """A number of bytes."""

    schema: ClassVar[dict[str, Any]] = {
        "anyOf": [{"type": "string", "pattern": r"^\d+(\.\d+)?\s*([kKMGT]i?B|B)?$"}, {"type": "integer", "minimum": 1}]
    }

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """From `"512MiB"`, `"2GB"` or a number of bytes; at least 1."""
        del context
        return cls(_size_of(value))


class Share(float):
    """A percentage, 0 to 100."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "string", "pattern": r"^\d+(\.\d+)?\s*%$"},
            {"type": "number", "exclusiveMinimum": 0, "maximum": 100},
        ]
    }

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """From `"90%"` or a number."""
        del context
        text = value.strip().removesuffix("%").strip() if isinstance(value, str) and value.strip().endswith("%") else ""
        number = float(text) if re.fullmatch(r"\d{1,3}(\.\d+)?", text) else value
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 < number <= 100:
            raise ValueError('must be a percentage like "90%" or 90')
        return cls(number)


class FreeSpace(str):
    """How much must stay free: a size or a percentage."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {"anyOf": [*ByteSize.schema["anyOf"], Share.schema["anyOf"][0]]}

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """From `"10%"`, `"5GiB"` or a number of bytes."""
        if isinstance(value, str) and value.strip().endswith("%"):
            Share.read(value, context)
        else:
            ByteSize.read(value, context)
        return cls(value)

    @property
    def percent(self) -> float | None:
        """The percentage, None where it is a size."""
        return float(self.strip().removesuffix("%")) if self.strip().endswith("%") else None

    @property
    def bytes(self) -> int | None:
        """The size in bytes, None where it is a percentage."""
        return None if self.strip().endswith("%") else _size_of(self)


class CountExpression(str):
    """How many there must be: `">=1"`, `"==2"`, `"<5"`, `"1"` (exactly)."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {
        "anyOf": [{"type": "string", "pattern": r"^(>=|<=|==|!=|=|>|<)?\s*[0-9]+$"}, {"type": "integer", "minimum": 0}]
    }

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """Kept as an operator and a number: `1` becomes `==1`."""
        del context
        text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
        match = _COUNT.fullmatch(text.strip()) if len(text) < 20 else None
        if match is None:
            raise ValueError('must be a count like ">=1", "==2", "<5" or 1')
        operator = match[1] if match[1] and match[1] != "=" else "=="
        if operator == "<" and int(match[2]) == 0:
            raise ValueError("fewer than none cannot be")
        return cls(f"{operator}{int(match[2])}")


class StatusRanges(str):
    """HTTP status codes: `"200-299"`, `"200,204"`, `"200-299,401"`."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "string", "pattern": r"^\s*\d{3}(-\d{3})?\s*(,\s*\d{3}(-\d{3})?\s*)*$"},
            {"type": "integer", "minimum": 100, "maximum": 599},
        ]
    }

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """Checked for codes from 100 to 599 and ascending ranges; spaces are dropped."""
        del context
        text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
        parts = [part.strip() for part in text.split(",")]
        matches = [_STATUS.fullmatch(part) for part in parts]
        if not text or len(text) > 400 or not all(matches):
            raise ValueError('must be status codes like "200-299" or "200,204"')
        for low, high in ((int(m[1]), int(m[2] or m[1])) for m in matches if m):
            if not 100 <= low <= high <= 599:
                raise ValueError(f"{low}-{high} is no range of status codes (100 to 599)")
        return cls(",".join(parts))

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """Lowest and highest code of each range, both included."""
        pairs = (part.partition("-") for part in self.split(","))
        return tuple((int(low), int(high or low)) for low, _, high in pairs)
