"""From the bytes of an answer to a document that may be shown: strictly typed, and clean of control characters."""

import re
import threading
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec

from lifesign.api.documents import STATE_SCHEMA, Problem, State
from lifesign.api.failures import BadAnswer, ClientError, ProblemAnswer, Refused
from lifesign.text import clean, is_clean

_TEXT_LIMIT = 4000
_ASCII = bytes(range(0x20, 0x7F))
_ESCAPED_CONTROL = re.compile(rb"\\[ubfnrt]")
_FIRST_USE = threading.Lock()
_ready: set[type] = set()

_Document = TypeVar("_Document", bound=msgspec.Struct)


class _Versioned(msgspec.Struct):
    schema: str


def decode(body: bytes, kind: type[_Document]) -> _Document:
    """`body` as a `kind`, its text cleaned. Raises BadAnswer; keys that we do not know are passed over."""
    _make_ready(kind)
    try:
        if _is_clean(body):
            return msgspec.json.decode(body, type=kind)
        return msgspec.convert(_cleaned(msgspec.json.decode(body)), type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        what = clean(str(error), 160)
        raise BadAnswer(f"what answered is no lifesign, or one of another version: {what}") from error


def _make_ready(kind: type) -> None:
    """msgspec learns a type when it first decodes one, and crashes where a second thread decodes meanwhile (0.22)."""
    if kind not in _ready:
        with _FIRST_USE:
            msgspec.json.Decoder(kind)
            _ready.add(kind)


def decode_state(body: bytes) -> State:
    """The state document. Raises BadAnswer, with both names where it is of a schema that is not ours."""
    try:
        return decode(body, State)
    except BadAnswer:
        _check_schema(body)
        raise


def _check_schema(body: bytes) -> None:
    found = decode(body, _Versioned).schema
    if found != STATE_SCHEMA:
        raise BadAnswer(f"the daemon speaks {clean(found, 60)!r} and we {STATE_SCHEMA!r}: use one version of both")


def problem(status: int, body: bytes) -> ClientError:
    """The error that an answer with `status` means: Refused for 401 and 403, else ProblemAnswer."""
    try:
        told = decode(body, Problem)
        title, detail = told.title, told.detail
    except BadAnswer:
        title, detail = f"HTTP {status}", ""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Refused(f"{title}: {detail}" if detail else title)
    return ProblemAnswer(status, title, detail)


def _is_clean(body: bytes) -> bool:
    """Whether no string in `body` can hold what may not be shown. Raises UnicodeError.

    A console asks that about a megabyte once a second: so what is no ASCII is looked at alone.
    """
    body.decode()
    if b"\\" in body and _ESCAPED_CONTROL.search(body.replace(rb"\\", b"")):
        return False
    return is_clean(body.translate(None, _ASCII).decode())


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return clean(value, _TEXT_LIMIT)
        case list():
            return [_cleaned(item) for item in value]
        case dict():
            return {clean(key, _TEXT_LIMIT): _cleaned(item) for key, item in value.items()}
        case _:
            return value
