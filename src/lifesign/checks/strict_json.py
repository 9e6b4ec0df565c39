"""JSON from outside, read strictly: one object, no key twice, finite numbers, bounded depth, digits and text.

`json.loads` alone accepts NaN and duplicate keys, and bounds its recursion by the stack. Not here: which keys mean what
(`heartbeat_formats`).
"""

import json
import math
import re
from collections.abc import Callable
from typing import Any

from lifesign.core.model import JsonValue
from lifesign.text import clean

MAX_DEPTH = 8
INT64 = range(-(2**63), 2**63)
_MOST_DIGITS = 100
_MOST_VALUES = 256
_MOST_TEXT = 200
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_SURROGATE = "[\ud800-\udfff]"  # compiled when a text is met that is not printable


class MalformedError(ValueError):
    """The bytes are not what they should be. The text says what is wrong, without the file's name."""


def decode(content: bytes) -> str:
    """UTF-8 without NUL and byte order mark. Raises MalformedError."""
    if b"\0" in content:
        raise MalformedError("holds NUL bytes")
    if content.startswith(b"\xef\xbb\xbf"):
        raise MalformedError("starts with a byte order mark")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"is not UTF-8 at byte {error.start}") from None


def load_object(content: bytes) -> dict[str, Any]:
    """The JSON object in `content`. Raises MalformedError."""
    text = decode(content)
    _check_depth(content)
    try:
        document = _decoded(text)
    except json.JSONDecodeError as error:
        raise MalformedError(f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise MalformedError("nests too deep") from None
    if not isinstance(document, dict):
        raise MalformedError(f"is not a JSON object but {kind(document)}")
    if "\\u" in text:
        _refuse_surrogates(document)
    return document


def _check_depth(content: bytes) -> None:
    """Before the parser sees it: the parser's own recursion is bounded by the stack alone."""
    if content.count(b"{") + content.count(b"[") <= MAX_DEPTH:
        return
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(content):
        match found[0]:
            case b"{" | b"[":
                depth += 1
                if depth > MAX_DEPTH:
                    raise MalformedError(f"nests deeper than {MAX_DEPTH}")
            case b"}" | b"]":
                depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise MalformedError(f'has the key "{clean(twice, 60)}" twice')
    return made


def _constant(word: str) -> float:
    raise MalformedError(f"holds {word}, which is no JSON number")


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise MalformedError(f"holds {clean(digits, 40)}, which is beyond every number")
    return value


def _int(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise MalformedError(f"holds a number of {len(digits)} digits")
    return int(digits)


# Made once: json.loads makes one for each text, which costs more than to parse a heartbeat.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int)
_SCAN: Callable[[str, int], tuple[Any, int]] = _DECODER.scan_once  # type: ignore[attr-defined]


def _decoded(text: str) -> Any:
    """By the decoder's scanner alone; the decoder itself is for space around a value, and tells what is wrong."""
    try:
        document, end = _SCAN(text, 0)
    except StopIteration:
        end = -1
    return document if end == len(text) else _DECODER.decode(text)


def kind(value: object) -> str:
    """What a parsed value is, in the words of a sentence."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"


def _refuse_surrogates(document: dict[str, Any]) -> None:
    pending: list[object] = [document]
    while pending:
        match pending.pop():
            case str() as text if not text.isprintable() and re.search(_SURROGATE, text):
                raise MalformedError("holds half of a surrogate pair")
            case list() as items:
                pending.extend(items)
            case dict() as members:
                pending.extend(members)
                pending.extend(members.values())


def shown(members: dict[str, Any]) -> dict[str, JsonValue]:
    """`members` clean and bounded for people: 200 characters a text, 256 values in all; what is left out is counted."""
    bounded = _bounded(members, [_MOST_VALUES])
    assert isinstance(bounded, dict)
    return bounded


def _bounded(value: Any, budget: list[int]) -> JsonValue:
    """`value` clean and bounded: what is left out is counted where it stood."""
    budget[0] -= 1
    match value:
        case str():
            return clean(value, _MOST_TEXT)
        case int() if not isinstance(value, bool) and value not in INT64:
            return str(value)  # no wire format of ours carries it as a number
        case list():
            items: list[JsonValue] = [_bounded(item, budget) for item in value if budget[0] > 0]
            return items if len(items) == len(value) else [*items, f"… {len(value) - len(items)} more"]
        case dict():
            members = {clean(key, 60): _bounded(item, budget) for key, item in value.items() if budget[0] > 0}
            left_out = len(value) - len(members)
            return {**members, "…": f"{left_out} more"} if left_out > 0 else members
    return value  # type: ignore[no-any-return]
