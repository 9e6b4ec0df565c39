"""Whatever bytes come in, from a client or from a server: a value or the one promised error, nothing else."""

import json
import string
from collections.abc import Callable
from typing import TypeVar

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lifesign.api.answer import decode
from lifesign.api.bodies import parse_push, parse_words
from lifesign.api.documents import State
from lifesign.api.failures import BadAnswer
from lifesign.api.problems import ProblemError
from lifesign.api.render import state_document
from lifesign.api.security import TcpListener, bearer, is_same_origin
from tests.api.fakes import AT_WALL_NS, component, info, monitor

T = TypeVar("T")


def _tried(make: Callable[[], T]) -> T | ProblemError | BadAnswer:
    """What `make` gives, or the promised error that it raises; any other error fails the test."""
    try:
        return make()
    except (ProblemError, BadAnswer) as error:
        return error


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
_KEYS = st.sampled_from(["timestamp", "cycle", "busy", "status", "message", "pid", "author", "reason", "duration_s"])
_BODIES = st.binary(max_size=200) | st.dictionaries(_KEYS, _JSON, max_size=5).map(
    lambda made: json.dumps(made).encode()
)


@settings(max_examples=300, deadline=None)
@given(_BODIES, st.booleans())
@example(b'{"timestamp"', False)
@example(b"{", False)
@example(b'{"a":"\\"timestamp\\""}', True)
def test_a_push_body_is_an_observation_or_422(body: bytes, failed: bool) -> None:
    found = _tried(lambda: parse_push(body, AT_WALL_NS, failed=failed))
    assert not isinstance(found, BadAnswer)
    if isinstance(found, ProblemError):
        assert found.status == 422
        assert found.detail
    else:
        assert (found.signal is None) == failed


@settings(max_examples=200, deadline=None)
@given(_BODIES, st.booleans())
def test_an_operators_body_is_understood_or_422(body: bytes, needed: bool) -> None:
    found = _tried(lambda: parse_words(body, needs_reason_and_duration=needed))
    assert not isinstance(found, BadAnswer)
    if isinstance(found, ProblemError):
        assert found.status == 422
        return
    assert found.duration_s is None or 0 < found.duration_s < float("inf")
    assert not needed or found.reason


_STATE = msgspec.json.encode(state_document(monitor(component()), info()))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(_STATE) - 1), st.binary(max_size=6), st.integers(0, 6))
def test_a_damaged_state_is_a_clean_state_or_a_bad_answer(at: int, written: bytes, removed: int) -> None:
    damaged = _STATE[:at] + written + _STATE[at + removed :]
    found = _tried(lambda: decode(damaged, State))
    if isinstance(found, BadAnswer):
        assert found.detail.isprintable()
        return
    assert not set(str(found)) & {chr(code) for code in (*range(32), *range(0x7F, 0xA0))}


@given(st.text(alphabet=string.printable + "é\udc80", max_size=30))
def test_only_our_own_names_are_our_hosts(host: str) -> None:
    served = TcpListener(None, frozenset({"localhost"})).serves_host(host)
    name, colon, port = host.lower().partition(":")
    has_port = port.isascii() and port.isdigit() and len(port) <= 5
    assert served == (name == "localhost" and (not colon or has_port))
    assert not is_same_origin(host, "localhost") or host.lower().endswith("://localhost")
    token = bearer(host)
    assert token is None or token.encode()


@pytest.mark.parametrize("host", ["[localhost]", "[localhost"])
def test_brackets_are_for_addresses(host: str) -> None:
    assert not TcpListener(None, frozenset({"localhost"})).serves_host(host)
