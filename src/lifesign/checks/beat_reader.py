"""Reading the beats of one writer, one after the other: what is as it was in the one before is not judged again.

Most beats are the bytes of the one before but for two numbers, the timestamp and the progress: they are cut out where
they stood. Others are the same object, written otherwise. All else is read in full, which is what tells what is
malformed. Not here: what a beat must be (`heartbeat_formats`).
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from lifesign.checks.heartbeat_formats import (
    DEFAULT_PROGRESS_KEY,
    OF_THE_WRITER,
    YEAR_2000_S,
    Beat,
    Keys,
    Parsed,
    content_of,
    is_json,
    parse_object,
    parse_text,
    timestamp_of,
)
from lifesign.checks.strict_json import INT64, load_object
from lifesign.core.model import NS_PER_S, WorkSignal
from lifesign.text import clean

_PLAIN = rb"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?"
_MEMBER = re.compile(rb"[ \t\r\n]*:[ \t\r\n]*(" + _PLAIN + rb")(?=[ \t\r\n]*[,}])")
_YEAR_2000_NS = YEAR_2000_S * NS_PER_S
_LONGEST_NUMBER = 40  # bytes; of more digits it is for the strict reading to tell
_decoded = msgspec.json.Decoder().decode
_SCALARS = {str, int, float, bool, type(None)}


class _Cut(NamedTuple):
    """The bytes around the timestamp and, if there is one, the progress. `is_turned`: the progress comes first."""

    head: bytes
    middle: bytes | None
    tail: bytes
    is_turned: bool

    def numbers(self, content: bytes) -> "tuple[float, float | None] | None":
        """Timestamp and progress, where nothing but these two differs."""
        head, middle, tail, is_turned = self
        if not (content.startswith(head) and content.endswith(tail)):
            return None
        first, end = len(head), len(content) - len(tail)
        try:
            if middle is None:
                return _number(content[first:end]), None
            place = content.index(middle, first, end)
            one, other = _number(content[first:place]), _number(content[place + len(middle) : end])
        except (ValueError, msgspec.DecodeError):
            return None
        return (other, one) if is_turned else (one, other)


def _number(text: bytes) -> float:
    """As JSON has it. Raises ValueError or DecodeError for what may be none."""
    if len(text) <= _LONGEST_NUMBER:
        number = _decoded(text)
        if type(number) is float or type(number) is int:
            return number
    raise ValueError("no plain number")


def _cut(content: bytes, timestamp_key: str, progress_key: str | None) -> _Cut | None:
    """None where the numbers do not stand apart. A key that is there once, in text without escapes, is the member."""
    spans = []
    for key in (timestamp_key, progress_key):
        if key is not None:
            token = f'"{key}"'.encode()
            found = _MEMBER.match(content, content.find(token) + len(token)) if content.count(token) == 1 else None
            if found is None:
                return None
            spans.append(found.span(1))
    if b"\\" in content or len(set(spans)) < len(spans):
        return None
    (start, end), (again, last) = min(spans), max(spans)
    middle = content[end:again] if len(spans) == 2 else None
    return _Cut(content[:start], middle, content[last:], spans[0] > spans[-1])


class _Former(NamedTuple):
    """A beat that was read in full. `label`: what its progress is called; `cut` None: it must be read as an object."""

    document: Mapping[str, Any]
    parsed: Parsed
    label: str
    clock_is_set: bool
    cut: _Cut | None

    def members(self, document: Mapping[str, Any], timestamp_key: str) -> tuple[Any, Any] | None:
        """Timestamp and progress, where no other member differs, or may."""
        progress_key = self.parsed.progress_key
        if len(document) != len(self.document):
            return None
        for (key, value), (known, held) in zip(document.items(), self.document.items(), strict=True):
            if key != known:
                return None
            if key in (timestamp_key, progress_key):
                continue
            if type(value) not in _SCALARS or type(held) is not type(value) or held != value:
                return None
        return document[timestamp_key], None if progress_key is None else document[progress_key]


class BeatReader:
    """Reads the beats of one writer, of which `keys` tells."""

    __slots__ = ("_former", "_keys")

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._former: _Former | None = None

    def read(self, raw: bytes, format_: str, now_wall_ns: int) -> Beat:
        """As `parse_beat`."""
        content = content_of(raw)
        if not is_json(content, format_):
            return parse_text(content, format_, self._keys, now_wall_ns)
        former = self._former
        if former is not None and former.clock_is_set is not (now_wall_ns >= _YEAR_2000_NS):
            former = None
        document: dict[str, Any] | None = None
        numbers = former.cut.numbers(content) if former is not None and former.cut is not None else None
        if numbers is None:
            document = load_object(content)
            numbers = None if former is None else former.members(document, self._keys.timestamp)
        again = None if former is None or numbers is None else self._again(former, *numbers, now_wall_ns)
        return again or self._in_full(document or load_object(content), content, now_wall_ns)

    def _again(self, former: _Former, timestamp: object, progress: object, now_wall_ns: int) -> Beat | None:
        """The beat before with other numbers; None where the progress is of another kind."""
        beat, progress_key, tells_progress = former.parsed
        message, metrics, count = beat.message, beat.metrics, beat.signal.progress
        if progress_key is not None:
            if type(progress) is not int or progress not in INT64:
                return None
            count, metrics = progress, {former.label: float(progress)}
            message = f"{former.label} {progress}" if tells_progress else message
        timestamp_ns = timestamp_of(timestamp, self._keys.timestamp, now_wall_ns)
        signal = WorkSignal(timestamp_ns, count, beat.signal.busy)
        return Beat(signal, beat.verdict, message, beat.identity, beat.data, metrics)

    def _in_full(self, document: dict[str, Any], content: bytes, now_wall_ns: int) -> Beat:
        self._former, key = None, self._keys.timestamp
        parsed = parse_object(document, self._keys, now_wall_ns)
        if not OF_THE_WRITER & {key, parsed.progress_key} and key != DEFAULT_PROGRESS_KEY:
            label, is_set = clean(parsed.progress_key or "", 60), now_wall_ns >= _YEAR_2000_NS
            cut = _cut(content, key, parsed.progress_key)
            self._former = _Former(document, parsed, label, is_set, cut)
        return parsed.beat
