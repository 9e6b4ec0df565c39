"""P8: a config is accepted, or refused with file, line, key and reason; nothing else, whatever is done to it."""

import random
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifesign.config import Config, ConfigError, load
from lifesign.config.targets import TargetError, parse_target
from tests.config.writing import ENVIRON, EXAMPLE, write

ALL_TYPES = """
[components.all.checks]
push = { type = "push", stale_after = "1m" }
log = { type = "log", path = "x", pattern = "y" }
web = { type = "http", url = "https://h/", expect_json = { a = 1 }, cert_days = 3, headers = { a = "b" } }
socket = { type = "websocket", url = "ws://h/", expect = "x" }
command = { type = "command", argv = ["x"], env = { A = "b" } }
unit = { type = "systemd", unit = "x" }
box = { type = "docker", container = "x" }
host = { type = "host", max_load = 1.5, disk = { path = "/", min_free = "5%" } }
"""
WHOLE = EXAMPLE.read_text() + ALL_TYPES
VALUES = st.one_of(
    st.integers(-(10**30), 10**30),
    st.just(10**400),
    st.floats(),
    st.booleans(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(
        ["10s", "0s", "a", "../..", "~", "$HOME", "\x00", "(", "h:1", "tag:x", "*", "{", "http://[", "ws://h:x"]
    ),
    st.dates(),
    st.lists(st.integers() | st.text(max_size=3), max_size=3),
    st.dictionaries(st.text("ab_", max_size=4), st.integers() | st.text(max_size=3), max_size=2),
    st.builds(dict, env=st.just("LIFESIGN_TOKEN")),  # each time another one: what is drawn is written into
    st.builds(dict, file=st.just("/")),
)


STEERING = re.compile("[\\x00-\\x1f\\x7f-\\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def outcome(path: Path) -> Config | ConfigError:
    try:
        return load(path, ENVIRON)
    except ConfigError as error:
        return error


def accept_or_refuse(path: Path) -> None:
    result = outcome(path)
    if isinstance(result, Config):
        return
    assert result.problems
    for problem in result.problems:
        assert problem.file == str(path)
        assert problem.line >= 1
        assert problem.reason
        assert not STEERING.search(str(problem)), repr(problem)


def every_place(table: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    places = [path] if path else []
    if isinstance(table, dict):
        for key in table:
            places += every_place(table[key], (*path, key))
    return places


PLACES = every_place(tomllib.loads(WHOLE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_values_put_where_others_belong_are_accepted_or_refused(folder: Path, data: st.DataObject) -> None:
    tree = tomllib.loads(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        *way, last = data.draw(st.sampled_from(PLACES))
        table = tree
        for key in way:
            table = table.get(key, {}) if isinstance(table, dict) else {}
        if not isinstance(table, dict):
            continue
        match data.draw(st.sampled_from(("change", "change", "remove", "add", "rename"))):
            case "change":
                table[last] = data.draw(VALUES)
            case "remove":
                table.pop(last, None)
            case "add":
                table[data.draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=8))] = data.draw(VALUES)
            case _:
                table[f"{last}x"] = table.pop(last, 0)
    accept_or_refuse(write(folder, tomlkit.dumps(tree)))


def test_bytes_changed_at_random_are_accepted_or_refused(folder: Path) -> None:
    chance = random.Random(20261122)
    source = WHOLE.encode()
    for _ in range(400):
        text = bytearray(source)
        for _ in range(chance.randint(1, 6)):
            start = chance.randrange(len(text))
            text[start : start + chance.choice((0, 0, 1, 5, 60))] = chance.choice(
                (
                    b"",
                    b"\n",
                    b'"',
                    b"[",
                    b"=",
                    b"9" * 30,
                    b"\xff",
                    b"\x00",
                    bytes([chance.randrange(256)]),
                    b"'''",
                    b"{",
                    b"]",
                )
            )
        accept_or_refuse(write(folder, bytes(text)))


def test_a_text_cut_off_anywhere_is_accepted_or_refused(folder: Path) -> None:
    source = WHOLE.encode()
    for length in range(0, len(source), 17):
        accept_or_refuse(write(folder, source[:length]))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["tcp:", "http://", "https://", "ws://", "heartbeat:", "process:", "syntax:", "pid:", "log:", ""]),
    st.text(max_size=30),
    st.sampled_from(["", "?interval=", "?timeout=1s&", "?failure_threshold=", "?"]),
    st.text(max_size=10),
)
def test_any_text_is_a_target_or_is_refused(form: str, middle: str, query: str, end: str) -> None:
    try:
        parse_target(form + middle + query + end, {"HOME": "/h"})
    except TargetError as error:
        for problem in error.problems:
            assert problem
            assert not STEERING.search(problem), repr(problem)
