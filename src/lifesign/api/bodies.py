"""What a client may send: push heartbeats and the words of an operator, parsed strictly. Raises ProblemError 422.

A beat's body is a heartbeat file's content (contract, section 7), parsed by the same code; only its `timestamp` may be
missing, and then the beat's arrival is the time of the work.
"""

import math
import re
from http import HTTPStatus

import msgspec

from lifesign.api.problems import ProblemError
from lifesign.checks.heartbeat_formats import Keys, parse_beat
from lifesign.core.model import NS_PER_S, Observation, Verdict
from lifesign.records import dataclass
from lifesign.text import clean

_TEXT_LIMIT = 500
MAX_DURATION_S = 366 * 86400.0  # what is silent for longer is not watched


_MISFIT = re.compile(r"Expected `(\w+)(?: \| null)?`, got `(\w+)`(?: - at `\$\.(\w+)`)?")
_KINDS = {"object": "an object", "array": "a list", "str": "text", "bool": "true or false", "null": "null"}


class _Words(msgspec.Struct, forbid_unknown_fields=True):
    author: str | None = None
    reason: str | None = None
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class OperatorWords:
    """The body of an operator's action, as far as it was given. `duration_s` is finite and positive."""

    author: str | None
    reason: str | None
    duration_s: float | None


def parse_words(body: bytes, *, needs_reason_and_duration: bool) -> OperatorWords:
    """The body of an action; an empty one says nothing."""
    try:
        words = msgspec.json.decode(body, type=_Words) if body.strip() else _Words()
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise _unprocessable(_in_words(str(error))) from error
    duration_s = words.duration_s
    if duration_s is not None and not (math.isfinite(duration_s) and 0 < duration_s <= MAX_DURATION_S):
        raise _unprocessable("`duration_s` is a positive number of seconds, at most a year")
    reason = clean(words.reason or "", _TEXT_LIMIT) or None
    if needs_reason_and_duration and (reason is None or duration_s is None):
        raise _unprocessable("this needs `reason` and `duration_s`")
    if not needs_reason_and_duration and duration_s is not None:
        raise _unprocessable("this lasts until it is ended: `duration_s` does not apply")
    return OperatorWords(clean(words.author or "", 100) or None, reason, duration_s)


def _in_words(message: str) -> str:
    """What msgspec says of a value of a wrong type, in the words of JSON."""
    found = _MISFIT.fullmatch(message)
    if found is None:
        return message
    belongs, given = (_KINDS.get(kind, "a number") for kind in found.group(1, 2))
    what = f"`{found[3]}`" if found[3] else "the body"
    return f"{what} must be {belongs}, not {given}"


def parse_push(body: bytes, now_wall_ns: int, *, failed: bool = False) -> Observation:
    """The observation that a beat makes; with `failed` the writer says that its work failed."""
    try:
        beat = parse_beat(_timed(body, now_wall_ns), "json", Keys(), now_wall_ns)
    except ValueError as error:
        raise _unprocessable(f"the beat {error}") from error
    if failed:
        message = f"the writer says that it failed{': ' if beat.message else ''}{beat.message}"
        return Observation(Verdict.FAIL, message, metrics=beat.metrics, data=beat.data)
    return Observation(beat.verdict, beat.message, metrics=beat.metrics, data=beat.data, signal=beat.signal)


def _timed(body: bytes, now_wall_ns: int) -> bytes:
    """`body` with a timestamp. Written in as text: a second one under any spelling is a duplicate key, and refused."""
    content = body.strip(b" \t\r\n") or b"{}"
    if b'"timestamp"' in content or not content.startswith(b"{"):
        return content
    seconds, rest_ns = divmod(now_wall_ns, NS_PER_S)
    rest = content[1:].lstrip(b" \t\r\n")
    comma = b"" if rest.startswith(b"}") else b","
    return b'{"timestamp":%d.%09d%s%s' % (seconds, rest_ns, comma, rest)


def _unprocessable(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
