"""What the bytes of a heartbeat file say: `json`, `jsonl`, `text`, and what `auto` takes them for.

Pure: bytes in, a `Beat` or a `MalformedError` out. What is not strictly a finite timestamp in a plausible range is
malformed, never fresh (contract, section 7; invariant S11). Not here: reading the file (`heartbeat`), its age (`core`).
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from lifesign.checks.strict_json import INT64, MalformedError, decode, kind, load_object, shown
from lifesign.core.model import NS_PER_S, Identity, JsonValue, Verdict, WorkSignal
from lifesign.records import dataclass
from lifesign.text import clean, parse_timestamp

MAX_BYTES = 64 * 1024
DEFAULT_PROGRESS_KEY = "cycle"

Progress: TypeAlias = str | Literal[False] | None
"""The key that must change: its name (then required), False for none, None for `cycle` where the file has it."""

YEAR_2000_S = 946_684_800
_YEAR_2100_S = 4_102_444_800
_SMALLER_UNITS = ((1000, "milliseconds"), (1_000_000, "microseconds"), (1_000_000_000, "nanoseconds"))
_MOST_DIGITS = 100
_MOST_TEXT = 200

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}"
    r"(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})?"  # without a zone it is told so
)
_SPACE = b" \t\r\n"
OF_THE_WRITER = {"pid", "started_at", "status", "busy", "message"}


_NOTHING: Mapping[str, Any] = {}


class Beat(NamedTuple):
    """One heartbeat as it was written: strictly typed, not yet judged. `message` and `data` are clean."""

    signal: WorkSignal
    verdict: Verdict = Verdict.OK
    message: str = ""
    identity: Identity | None = None
    data: Mapping[str, JsonValue] = _NOTHING
    metrics: Mapping[str, float] = _NOTHING


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the timestamp and the progress stand in a JSON object."""

    timestamp: str = "timestamp"
    progress: Progress = None


def parse_beat(raw: bytes, format_: str, keys: Keys, now_wall_ns: int) -> Beat:
    """The beat in `raw`, the whole content (`json`, `text`, `auto`) or one line (`jsonl`). Raises MalformedError.

    `now_wall_ns` only widens the plausible range where our own clock stands before the year 2000.
    """
    content = content_of(raw)
    if is_json(content, format_):
        return parse_object(load_object(content), keys, now_wall_ns).beat
    return parse_text(content, format_, keys, now_wall_ns)


def content_of(raw: bytes) -> bytes:
    """`raw` without space around it. Raises MalformedError where it is empty or too long."""
    if len(raw) > MAX_BYTES:
        raise MalformedError("is longer than 64 KiB")
    content = raw.strip(_SPACE)
    if not content:
        raise MalformedError("is empty")
    return content


def is_json(content: bytes, format_: str) -> bool:
    """Whether `content` is to be read as a JSON object."""
    return format_ in ("json", "jsonl") or (format_ == "auto" and content.startswith(b"{"))


def last_whole_line(tail: bytes, *, complete: bool) -> bytes | None:
    """The last line of `tail` that ends in a newline and holds more than space; None where there is none yet.

    `complete`: the tail is the whole file, so that its first line has its beginning. Raises MalformedError where no
    line ends in reach. Leading NULs are the hole that copytruncate leaves before a writer's next line.
    """
    lines = tail[: tail.rfind(b"\n") + 1].rstrip(_SPACE)
    start = lines.rfind(b"\n") + 1
    beginning_is_seen = start > 0 or complete or lines.startswith(b"\0")
    if not beginning_is_seen or (not lines and len(tail) > MAX_BYTES):
        raise MalformedError("has a last line longer than 64 KiB")
    return lines[start:].lstrip(b"\0") or None


def check_range(timestamp_ns: int, now_wall_ns: int) -> int:
    """`timestamp_ns` where it lies between the years 2000 and 2100; else MalformedError, with a hint at the unit."""
    seconds = timestamp_ns // NS_PER_S
    floor_s = YEAR_2000_S if now_wall_ns >= YEAR_2000_S * NS_PER_S else 1
    if floor_s <= seconds < _YEAR_2100_S:
        return timestamp_ns
    for factor, unit in _SMALLER_UNITS:
        if YEAR_2000_S <= seconds // factor < _YEAR_2100_S:
            raise MalformedError(f"has a timestamp that looks like {unit}: write Unix seconds")
    raise MalformedError("has a timestamp outside the years 2000 to 2100")


def parse_text(content: bytes, format_: str, keys: Keys, now_wall_ns: int) -> Beat:
    """A bare timestamp. Raises MalformedError."""
    text = decode(content)
    if isinstance(keys.progress, str):
        raise MalformedError(f'is no JSON object, so it lacks the progress key "{clean(keys.progress, 60)}"')
    if _NUMBER.fullmatch(text) and len(text) <= _MOST_DIGITS:
        number = float(text) if re.search("[.eE]", text) else int(text)
        return Beat(WorkSignal(_from_number(number, "timestamp", now_wall_ns)))
    if _RFC3339.fullmatch(text):
        return Beat(WorkSignal(_from_text(text, "timestamp", now_wall_ns)))
    # What it does hold is not repeated: a wrong path may lead to a secret.
    raise MalformedError(
        "is neither a JSON object nor a bare timestamp" if format_ == "auto" else "is not a timestamp alone"
    )


class Parsed(NamedTuple):
    """A beat with the key of its progress; `tells_progress`: its message says that alone."""

    beat: Beat
    progress_key: str | None
    tells_progress: bool


def parse_object(document: dict[str, Any], keys: Keys, now_wall_ns: int) -> Parsed:
    """The beat of a JSON object. Raises MalformedError."""
    if keys.timestamp not in document:
        raise MalformedError(f'lacks the key "{clean(keys.timestamp, 60)}"')
    timestamp_ns = timestamp_of(document[keys.timestamp], keys.timestamp, now_wall_ns)
    progress_key = _progress_key(document, keys.progress)
    progress = _progress(document[progress_key], progress_key) if progress_key is not None else None
    busy = _typed(document, "busy", bool, "true or false")
    verdict, message = _status(document)
    tells_progress = not message and progress_key is not None
    if tells_progress and progress_key is not None:
        message = f"{clean(progress_key, 60)} {clean(str(progress), 60)}"
    known = {keys.timestamp, progress_key, *OF_THE_WRITER}
    beat = Beat(
        WorkSignal(timestamp_ns, progress, busy),
        verdict,
        message,
        _identity(document, now_wall_ns),
        shown({key: value for key, value in document.items() if key not in known}),
        _metrics(progress, progress_key),
    )
    return Parsed(beat, progress_key, tells_progress)


def timestamp_of(value: object, key: str, now_wall_ns: int) -> int:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_number(value, key, now_wall_ns)
    if isinstance(value, str):
        return _from_text(value, key, now_wall_ns)
    raise MalformedError(f'has {kind(value)} in "{clean(key, 60)}", where a timestamp belongs')


def _from_number(value: float, key: str, now_wall_ns: int) -> int:
    if isinstance(value, int):
        return check_range(value * NS_PER_S, now_wall_ns)
    if not -1e20 < value < 1e20:
        if not math.isfinite(value):
            raise MalformedError(f'has no finite number in "{clean(key, 60)}"')
        value = math.copysign(1e20, value)
    fraction, whole = math.modf(value)
    return check_range(int(whole) * NS_PER_S + round(fraction * NS_PER_S), now_wall_ns)


def _from_text(value: str, key: str, now_wall_ns: int) -> int:
    if not _RFC3339.fullmatch(value):
        raise MalformedError(f'has text in "{clean(key, 60)}" that is no RFC 3339 time')
    try:
        timestamp_ns = parse_timestamp(value)
    except (ValueError, OverflowError) as error:
        raise MalformedError(f'has a bad time in "{clean(key, 60)}": {clean(str(error), 120)}') from None
    return check_range(timestamp_ns, now_wall_ns)


def _typed(document: dict[str, Any], key: str, type_: type, words: str) -> Any:
    value = document.get(key)
    if key not in document or (isinstance(value, type_) and (type_ is bool or not isinstance(value, bool))):
        return value
    raise MalformedError(f'has {kind(value)} in "{key}", where {words} belongs')


def _progress_key(document: dict[str, Any], wanted: Progress) -> str | None:
    cycle = _typed(document, DEFAULT_PROGRESS_KEY, int, "an integer")
    if wanted is False:
        return None
    if wanted is None:
        return DEFAULT_PROGRESS_KEY if cycle is not None else None
    if wanted not in document:
        raise MalformedError(f'lacks the progress key "{clean(wanted, 60)}"')
    return wanted


def _progress(value: object, key: str) -> int | float | str:
    match value:
        case int() if not isinstance(value, bool):
            if value in INT64:
                return value
            fault = "an integer over 64 bits"
        case str():
            if clean(value, _MOST_TEXT) == value:
                return value
            fault = f"a text that is not plain, or over {_MOST_TEXT} characters,"
        case float():
            return value
        case _:
            fault = kind(value)
    raise MalformedError(f'has {fault} in "{clean(key, 60)}", where a number or a text of progress belongs')


def _status(document: dict[str, Any]) -> tuple[Verdict, str]:
    message = clean(_typed(document, "message", str, "text") or "")
    status = _typed(document, "status", str, "text")
    tail = f": {message}" if message else ""
    match status:
        case None | "ok":
            return Verdict.OK, message
        case "degraded":
            return Verdict.WARN, f"the writer says degraded{tail}"
        case "error":
            return Verdict.FAIL, f"the writer says error{tail}"
        case "stopping":
            return Verdict.OK, f"stopping in an orderly way{tail}"
        case _:
            raise MalformedError(f'has an unknown "status": "{clean(status, 20)}" (ok, degraded, error or stopping)')


def _identity(document: dict[str, Any], now_wall_ns: int) -> Identity | None:
    pid = _typed(document, "pid", int, "a positive integer")
    started_ns = _started_at(document, now_wall_ns)
    if pid is None:
        return None
    if not 0 < pid < 2**31:
        raise MalformedError('has a "pid" that is no positive integer of 31 bits')
    return Identity(pid, None if started_ns is None else started_ns / NS_PER_S)


def _started_at(document: dict[str, Any], now_wall_ns: int) -> int | None:
    """Since when the writer lives. A program that began before its clock was set (1970) does not tell that."""
    value = document.get("started_at", 0)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < YEAR_2000_S:
        return None
    return timestamp_of(value, "started_at", now_wall_ns)


def _metrics(progress: float | str | None, key: str | None) -> dict[str, float]:
    if key is None or progress is None or isinstance(progress, str):
        return {}
    return {clean(key, 60): float(progress)}
