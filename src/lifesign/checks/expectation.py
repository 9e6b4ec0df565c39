"""What an answer must be like: a pattern, a set of statuses, a part of a JSON document. Pure; no network here.

Patterns are RE2's: their time is linear, whatever the pattern and whatever the text.
"""

import re
from collections.abc import Callable, Mapping

import msgspec
import re2

from lifesign.core.model import JsonValue
from lifesign.text import clean

_STATUS = re.compile(r"(\d{3})(?:-(\d{3}))?")
_SHOWN = 80


class Pattern:
    """A regular expression searched in bytes that ought to be UTF-8. Raises ValueError where it is none."""

    def __init__(self, text: str) -> None:
        options = re2.Options()
        options.log_errors = False
        try:
            self._compiled = re2.compile(text, options)
        except re2.error as error:
            reason = error.args[0] if error.args else ""
            words = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
            raise ValueError(f"{quoted(text)} is no regular expression of RE2: {clean(words, 100)}") from None
        self.text = text

    def found_in(self, data: bytes | bytearray) -> bool:
        """Whether it occurs anywhere in `data`."""
        return self._compiled.search(bytes(data)) is not None

    def __str__(self) -> str:
        return quoted(self.text)


def quoted(text: str) -> str:
    """The beginning of `text` for a message, cleaned, in quotation marks."""
    return f'"{clean(text, _SHOWN)}"'


class Statuses:
    """A set of HTTP statuses written as `"200"`, `"200-299"` or `"200,301-302"`. Raises ValueError."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._ranges = []
        for part in text.split(","):
            match = _STATUS.fullmatch(part.strip())
            low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
            if not 100 <= low <= high <= 599:
                raise ValueError(f'{quoted(text)} is no status: write "200", "200-299" or "200,301-302"')
            self._ranges.append((low, high))

    def __contains__(self, status: int) -> bool:
        for low, high in self._ranges:  # noqa: SIM110 - twice for each look, and a generator costs five times as much
            if low <= status <= high:
                return True
        return False

    def __str__(self) -> str:
        return self.text


class JsonPart:
    """What must stand in a JSON document.

    A key is looked up as it is written, else by its dots: `{"db.state": "up"}`. Objects within `expected` ask for
    a part likewise; every other value must be equal, and a boolean is no number.
    """

    def __init__(self, expected: Mapping[str, JsonValue]) -> None:
        self._expected = expected

    def mismatch(self, body: bytes, hide: Callable[[str], str]) -> str | None:
        """What in `body` is not as expected, in words without what `hide` removes; None where all of it is there."""
        try:
            document = msgspec.json.decode(body)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return "the body is not JSON" if body else "the body is empty, not JSON"
        return self._mismatch(document, self._expected, "", hide)

    def _mismatch(
        self, document: JsonValue, expected: Mapping[str, JsonValue], where: str, hide: Callable[[str], str]
    ) -> str | None:
        for key, value in expected.items():
            name = clean(f"{where}{key}", _SHOWN)
            present, found = _look_up(document, key)
            if not present:
                return f"{name} is missing, expected {_shown(value)}"
            if isinstance(value, dict) and isinstance(found, dict):
                deeper = self._mismatch(found, value, f"{where}{key}.", hide)
                if deeper is not None:
                    return deeper
            elif not _equal(found, value):
                return f"{name} is {_shown(found, hide)}, expected {_shown(value)}"
        return None


def _look_up(document: JsonValue, key: str) -> tuple[bool, JsonValue]:
    if isinstance(document, dict) and key in document:
        return True, document[key]
    for part in key.split("."):
        if not isinstance(document, dict) or part not in document:
            return False, None
        document = document[part]
    return True, document


def _equal(found: JsonValue, expected: JsonValue) -> bool:
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(_equal, found, expected))
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(_equal(found[key], expected[key]) for key in expected)
    return found == expected


def _shown(value: JsonValue, hide: Callable[[str], str] = str) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return f'"{clean(hide(value), _SHOWN)}"'
    return clean(msgspec.json.encode(value).decode("ascii"), _SHOWN)
