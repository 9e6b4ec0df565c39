"""Bytes in, a beat or a refusal out. The oracle of the fuzz test is a second, slower reading of the contract."""

import json
import math
import re
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lifesign.checks.beat_reader import BeatReader
from lifesign.checks.heartbeat_formats import Keys, last_whole_line, parse_beat
from lifesign.checks.strict_json import MalformedError
from lifesign.core.model import Identity, Verdict

NOW_NS = 1_795_300_000 * 10**9
T = "1795299990"


def beat(raw: bytes | str, format_: str = "auto", keys: Keys | None = None, now_ns: int = NOW_NS) -> Any:
    return parse_beat(raw.encode() if isinstance(raw, str) else raw, format_, keys or Keys(), now_ns)


def refusal(raw: bytes | str, format_: str = "auto", keys: Keys | None = None) -> str:
    with pytest.raises(MalformedError) as caught:
        beat(raw, format_, keys)
    return str(caught.value)


def test_a_full_beat_gives_its_signal_identity_and_data() -> None:
    raw = json.dumps(
        {"timestamp": 1795299990.5, "cycle": 7, "pid": 42, "started_at": "2026-11-21T14:03:22Z", "busy": True}
        | {"message": "thinking", "model": "m-1", "nested": {"a": [1, None, True]}}
    )
    found = beat(raw)
    assert found.signal.timestamp_ns == 1795299990_500_000_000
    assert (found.signal.progress, found.signal.busy) == (7, True)
    assert found.identity == Identity(42, datetime(2026, 11, 21, 14, 3, 22, tzinfo=UTC).timestamp())
    assert found.data == {"model": "m-1", "nested": {"a": [1, None, True]}}
    assert found.metrics == {"cycle": 7.0}
    assert (found.verdict, found.message) == (Verdict.OK, "thinking")


@pytest.mark.parametrize(
    ("raw", "expected_s"),
    [
        ('{"timestamp": 1795299990}', 1795299990),
        ('{"timestamp": "2026-11-22T00:00:00Z"}', 1795305600),
        ('{"timestamp": "2026-11-22T02:00:00.250+02:00"}', 1795305600.25),
        (f"{T}\n", 1795299990),
        (f"  {T}.25", 1795299990.25),
        ("2026-11-22T00:00:00Z\n", 1795305600),
        ("2026-11-22 00:00:00+00:00", 1795305600),
    ],
)
def test_every_honest_spelling_of_a_time_is_read(raw: str, expected_s: float) -> None:
    assert beat(raw).signal.timestamp_ns == round(expected_s * 1000) * 10**6


@pytest.mark.parametrize(
    ("status", "verdict", "message"),
    [
        ("ok", Verdict.OK, "m"),
        ("degraded", Verdict.WARN, "the writer says degraded: m"),
        ("error", Verdict.FAIL, "the writer says error: m"),
        ("stopping", Verdict.OK, "stopping in an orderly way: m"),
    ],
)
def test_the_writers_own_word_becomes_the_verdict(status: str, verdict: Verdict, message: str) -> None:
    found = beat(json.dumps({"timestamp": int(T), "status": status, "message": "m"}))
    assert (found.verdict, found.message) == (verdict, message)


MALFORMED = {
    "empty": (b"", "is empty"),
    "white space": (b" \r\n\t", "is empty"),
    "half-written": (b'{"timestamp": 17952', "is not JSON"),
    "NaN": (b'{"timestamp": NaN}', "NaN"),
    "Infinity": (b'{"timestamp": Infinity}', "Infinity"),
    "NaN elsewhere": (b'{"timestamp": 1795299990, "load": NaN}', "NaN"),
    "1e400": (b'{"timestamp": 1e400}', "beyond every number"),
    "1e300": (b'{"timestamp": 1e300}', "outside the years"),
    "zero": (b'{"timestamp": 0}', "outside the years"),
    "negative": (b'{"timestamp": -1795299990}', "outside the years"),
    "milliseconds": (b'{"timestamp": 1795299990123}', "looks like milliseconds"),
    "microseconds": (b'{"timestamp": 1795299990123456}', "looks like microseconds"),
    "nanoseconds": (b'{"timestamp": 1795299990123456789}', "looks like nanoseconds"),
    "true": (b'{"timestamp": true}', 'has true in "timestamp"'),
    "text of a number": (b'{"timestamp": "12"}', "no RFC 3339 time"),
    "text of seconds": (b'{"timestamp": "1795299990"}', "no RFC 3339 time"),
    "no zone": (b'{"timestamp": "2026-11-22T00:00:00"}', "lacks a time zone"),
    "no such day": (b'{"timestamp": "2026-02-30T00:00:00Z"}', "bad time"),
    "other digits": ('{"timestamp": "２０２６-11-22T00:00:00Z"}'.encode(), "no RFC 3339 time"),
    "null": (b'{"timestamp": null}', 'has null in "timestamp"'),
    "a list in it": (b'{"timestamp": [1795299990]}', 'has a list in "timestamp"'),
    "an object in it": (b'{"timestamp": {}}', 'has an object in "timestamp"'),
    "no timestamp": (b'{"time": 1795299990}', 'lacks the key "timestamp"'),
    "a list": (b"[1795299990]", "neither a JSON object nor"),
    "bare true": (b"true", "neither a JSON object nor"),
    "bare NaN": (b"nan", "neither a JSON object nor"),
    "bare null": (b"null", "neither a JSON object nor"),
    "bare 1e400": (b"1e400", "no finite number"),
    "bare date": (b"2026-11-22", "neither a JSON object nor"),
    "two times": (b"1795299990 1795299991", "neither a JSON object nor"),
    "underscores": (b"1_795_299_990", "neither a JSON object nor"),
    "duplicate keys": (b'{"timestamp": 1, "timestamp": 1795299990}', 'has the key "timestamp" twice'),
    "duplicates inside": (b'{"timestamp": 1795299990, "a": {"b": 1, "b": 2}}', 'has the key "b" twice'),
    "duplicate by escape": (b'{"timestamp": 0, "\\u0074imestamp": 1795299990}', 'has the key "timestamp" twice'),
    "10,000 brackets": (b'{"timestamp": 1795299990, "a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "nests deeper"),
    "10,000 open brackets": (b"{" * 10_000, "nests deeper"),
    "depth 9": (b'{"timestamp": 1795299990, "a": ' + b"[" * 8 + b"]" * 8 + b"}", "nests deeper than 8"),
    "5,000 digits": (b'{"timestamp": ' + b"1" * 5000 + b"}", "5000 digits"),
    "5,000 digits elsewhere": (b'{"timestamp": 1795299990, "n": ' + b"1" * 5000 + b"}", "5000 digits"),
    "bare 5,000 digits": (b"1" * 5000, "neither a JSON object nor"),
    "lone surrogate": (b'{"timestamp": 1795299990, "a": "\\ud800"}', "surrogate"),
    "lone surrogate in a key": (b'{"timestamp": 1795299990, "a": [{"\\udfff": 1}]}', "surrogate"),
    "NUL": (b"\0" * 40, "NUL"),
    "NUL behind": (b'{"timestamp": 1795299990}\0\0', "NUL"),
    "not UTF-8": (b'{"timestamp": 1795299990, "a": "\xff"}', "is not UTF-8 at byte 32"),
    "UTF-16": ('{"timestamp": 1795299990}'.encode("utf-16"), "NUL"),
    "byte order mark": (b'\xef\xbb\xbf{"timestamp": 1795299990}', "byte order mark"),
    "64 KiB and more": (b'{"timestamp": 1795299990, "a": "' + b"x" * 65536 + b'"}', "longer than 64 KiB"),
    "two objects": (b'{"timestamp": 1795299990}{"timestamp": 1795299990}', "is not JSON: Extra data"),
    "cycle true": (b'{"timestamp": 1795299990, "cycle": true}', 'has true in "cycle"'),
    "cycle text": (b'{"timestamp": 1795299990, "cycle": "7"}', 'has text in "cycle"'),
    "cycle fraction": (b'{"timestamp": 1795299990, "cycle": 7.5}', 'has a number in "cycle", where an integer'),
    "cycle null": (b'{"timestamp": 1795299990, "cycle": null}', 'has null in "cycle"'),
    "cycle huge": (b'{"timestamp": 1795299990, "cycle": 9223372036854775808}', "over 64 bits"),
    "pid zero": (b'{"timestamp": 1795299990, "pid": 0}', '"pid"'),
    "pid negative": (b'{"timestamp": 1795299990, "pid": -1}', '"pid"'),
    "pid true": (b'{"timestamp": 1795299990, "pid": true}', '"pid"'),
    "pid huge": (b'{"timestamp": 1795299990, "pid": 4294967296}', '"pid"'),
    "started_at true": (b'{"timestamp": 1795299990, "pid": 3, "started_at": true}', '"started_at"'),
    "started_at negative": (b'{"timestamp": 1795299990, "started_at": -1}', "outside the years"),
    "status unknown": (b'{"timestamp": 1795299990, "status": "fine"}', 'unknown "status": "fine"'),
    "status number": (b'{"timestamp": 1795299990, "status": 1}', 'has a number in "status"'),
    "busy 1": (b'{"timestamp": 1795299990, "busy": 1}', 'has a number in "busy", where true or false'),
    "busy text": (b'{"timestamp": 1795299990, "busy": "no"}', 'has text in "busy"'),
    "message number": (b'{"timestamp": 1795299990, "message": 3}', 'has a number in "message"'),
}


@pytest.mark.parametrize(("raw", "words"), MALFORMED.values(), ids=MALFORMED.keys())
def test_every_malformed_kind_is_refused_with_its_reason(raw: bytes, words: str) -> None:
    told = refusal(raw)
    assert words in told
    assert len(told) < 200


def test_a_refusal_does_not_repeat_what_a_wrong_path_led_to() -> None:
    secret = "s3cr3t-canary"
    for raw in (secret, f'{{"timestamp": "{secret}"}}', f'{{"timestamp": 1795299990, "cycle": "{secret}"}}'):
        assert secret not in refusal(raw)


def test_a_bare_number_is_no_json_and_an_object_is_no_text() -> None:
    assert "is not a JSON object but a number" in refusal(T, "json")
    assert "is not a timestamp alone" in refusal(f'{{"timestamp": {T}}}', "text")


def test_a_named_progress_key_is_required_and_may_be_text_or_number() -> None:
    keys = Keys(progress="offset")
    assert beat(f'{{"timestamp": {T}, "offset": "a1", "cycle": 3}}', keys=keys).signal.progress == "a1"
    assert beat(f'{{"timestamp": {T}, "offset": 1.5}}', keys=keys).signal.progress == 1.5
    assert 'lacks the progress key "offset"' in refusal(f'{{"timestamp": {T}, "cycle": 3}}', keys=keys)
    assert 'has true in "offset"' in refusal(f'{{"timestamp": {T}, "offset": true}}', keys=keys)
    assert 'has null in "offset"' in refusal(f'{{"timestamp": {T}, "offset": null}}', keys=keys)
    assert 'lacks the progress key "offset"' in refusal(T, keys=keys)


def test_progress_false_watches_nothing_and_leaves_cycle_in_the_data() -> None:
    found = beat(f'{{"timestamp": {T}, "cycle": 3}}', keys=Keys(progress=False))
    assert found.signal.progress is None
    assert found.data == {"cycle": 3}


def test_a_timestamp_under_another_key_is_read_from_there_alone() -> None:
    found = beat(f'{{"ts": {T}, "timestamp": "whatever"}}', keys=Keys(timestamp="ts"))
    assert found.signal.timestamp_ns == int(T) * 10**9
    assert 'lacks the key "ts"' in refusal(f'{{"timestamp": {T}}}', keys=Keys(timestamp="ts"))


def test_depth_eight_is_allowed_and_brackets_in_text_do_not_count() -> None:
    assert beat(f'{{"timestamp": {T}, "a": {"[" * 7}{"]" * 7}}}').signal
    assert beat(f'{{"timestamp": {T}, "a": "{"[" * 500}\\"{"[" * 500}"}}').signal


def test_data_is_clean_and_bounded() -> None:
    many = {f"k{n}": n for n in range(1000)}
    found = beat(json.dumps({"timestamp": int(T), "esc\x1b": "\x1b[2J" + "y" * 500, "big": 2**70, "many": many}))
    flat = json.dumps(found.data, ensure_ascii=False)
    assert "\x1b" not in flat
    assert "\\u001b" not in flat
    assert found.data["big"] == str(2**70)
    assert len(found.data["many"]) <= 257
    assert found.data["many"]["…"] == f"{1000 - len(found.data['many']) + 1} more"
    assert len(flat) < 20_000


def test_a_clock_of_our_own_in_1970_makes_no_beat_of_that_time_malformed() -> None:
    assert beat('{"timestamp": 4000}', now_ns=4010 * 10**9).signal.timestamp_ns == 4000 * 10**9
    with pytest.raises(MalformedError):
        beat('{"timestamp": 0}', now_ns=4010 * 10**9)


@pytest.mark.parametrize(
    ("tail", "complete", "line"),
    [
        (b"a\nb\n", True, b"b"),
        (b"a\nb\npart", True, b"b"),
        (b"a\nb\n\n \n", True, b"b"),
        (b"a\r\nb\r\n", True, b"b"),
        (b"part", True, None),
        (b"", True, None),
        (b"\n\n", True, None),
        (b"ut\nb\n", False, b"b"),
        (b"\0\0\0b\n", True, b"b"),
        (b"\0\0\0b\n", False, b"b"),
        (b"a\n\0\0\0\0", True, b"a"),
    ],
)
def test_the_last_whole_line_is_found(tail: bytes, complete: bool, line: bytes | None) -> None:
    assert last_whole_line(tail, complete=complete) == line


@pytest.mark.parametrize(("tail", "complete"), [(b"x" * 70_000, True), (b"cut off\n", False), (b"x" * 99, False)])
def test_a_line_without_a_beginning_or_an_end_in_reach_is_malformed(tail: bytes, complete: bool) -> None:
    with pytest.raises(MalformedError, match="longer than 64 KiB"):
        last_whole_line(tail, complete=complete)


def _strict_time(value: object) -> bool:
    if type(value) in (int, float):
        return 946684800 <= value < 4102444800  # type: ignore[operator]
    if type(value) is not str or not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ].*(?:[Zz]|[+-]\d\d:\d\d)", value, re.ASCII):
        return False
    try:
        return 946684800 <= datetime.fromisoformat(value.upper()).timestamp() < 4102444800
    except ValueError:
        return False


def oracle(raw: bytes) -> bool:
    """Whether `raw` may be taken for a beat at all, from the contract's words and not from the code."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    if len(raw) > 65536:
        return False
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _strict_time(text.strip(" \t\r\n"))
    if isinstance(value, dict):
        pairs: list[list[str]] = []
        json.loads(text, object_pairs_hook=lambda found: pairs.append([key for key, _ in found]))
        numbers = re.findall(r"NaN|Infinity", re.sub(r'"(?:[^"\\]|\\.)*"', "", text))
        unique = all(len(set(keys)) == len(keys) for keys in pairs)
        return unique and not numbers and _strict_time(value.get("timestamp"))
    return type(value) in (int, float) and math.isfinite(value) and _strict_time(value)


def last_line(content: bytes) -> bytes:
    """The last whole line that says anything, without the hole before it."""
    return next(line for line in content.split(b"\n")[-2::-1] if line.strip(b" \t\r\0")).strip(b"\0")


_TIMES = st.one_of(
    st.sampled_from(
        [1795299990, 1795299990.5, "2026-11-22T00:00:00Z", 0, -1, 1795299990123, True, None, "12", math.nan]
    ),
    st.floats(),
    st.integers(),
    st.text(max_size=30),
)
_VALUES = st.recursive(
    _TIMES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
_OBJECTS = st.dictionaries(
    st.sampled_from(["timestamp", "cycle", "pid", "started_at", "status", "busy", "message", "model"]), _VALUES
).map(lambda value: json.dumps(value).encode())
_MANGLED = st.builds(
    lambda raw, at, extra: raw[: at % (len(raw) + 1)] + extra + raw[at % (len(raw) + 1) :],
    _OBJECTS,
    st.integers(0, 500),
    st.sampled_from([b"", b"\0", b"\xff", b"{", b"]", b'"', b",", b"9", b"e", b"\\ud800", b'"timestamp":1795299990,']),
)


ANY_BYTES = st.one_of(st.binary(max_size=200), _OBJECTS, _MANGLED)


@pytest.mark.parametrize("format_", ["auto", "json", "jsonl", "text"])
@given(ANY_BYTES)
@example(b"1795299990")
@example(b'{"timestamp":1795299990}')
def test_no_bytes_are_a_beat_unless_they_hold_a_strict_timestamp(format_: str, raw: bytes) -> None:
    try:
        beat(raw, format_)
    except MalformedError:
        return
    assert oracle(raw)


@given(st.lists(ANY_BYTES, max_size=4), st.booleans())
@example([b'{"timestamp":1795299990}', b"half"], True)
def test_no_lines_are_a_beat_unless_a_whole_one_holds_a_strict_timestamp(lines: list[bytes], complete: bool) -> None:
    content = b"\n".join(lines)
    try:
        line = last_whole_line(content, complete=complete)
        if line is None:
            return
        beat(line, "jsonl")
    except MalformedError:
        return
    assert oracle(last_line(content))


@given(st.integers(946684800, 4102444799), st.integers(0, 2**63 - 1))
def test_every_honest_object_is_a_beat(seconds: int, cycle: int) -> None:
    found = beat(json.dumps({"timestamp": seconds, "cycle": cycle}))
    assert (found.signal.timestamp_ns, found.signal.progress) == (seconds * 10**9, cycle)


def test_a_program_that_began_before_its_clock_was_set_is_no_malformed_one() -> None:
    assert beat(b'{"timestamp": 1795299990, "pid": 3, "started_at": 12.5}').identity == Identity(3, None)


_MEMBERS: dict[str, list[Any]] = {
    "timestamp": [1795299990, 1795299990.25, "2026-11-22T00:00:00Z", True, -1, None],
    "cycle": [1, 2, 2**63 - 1, 2**63, 2.0, True, "two"],
    "step": [1, 2, 2.5, "two", [1]],
    "pid": [42, 43, 0],
    "started_at": [1795290000, 12.5, "junk"],
    "busy": [True, False, 1],
    "status": ["ok", "degraded", "error", "what"],
    "message": ["", "at work", "at rest", 7],
    "load": [0, 0.0, 1, True, 1.5, "x", None, {"a": 1}, [True], [1]],
}
_WRITERS = [Keys(), Keys("step"), Keys("pid"), Keys("cycle", "cycle"), Keys("timestamp", "step"), Keys(progress=False)]


@pytest.mark.parametrize("keys", [*_WRITERS, Keys("timestamp", "pid"), Keys("timestamp", "message")])
def test_a_beat_after_others_of_its_writer_is_what_it_would_be_alone(keys: Keys) -> None:
    random = Random(7)
    document: dict[str, Any] = {"timestamp": 1795299990, "cycle": 1}
    reader, read = BeatReader(keys), 0
    for _ in range(6_000):
        name = random.choice(["timestamp", "cycle", *_MEMBERS])
        document.pop(name, None)
        if random.random() < 0.9:
            document[name] = random.choice(_MEMBERS[name][: random.choice((2, 9))])
        form: dict[str, Any] = random.choice(({}, {}, {}, {}, {"indent": 1}, {"separators": (",", ":")}))
        raw, now_ns = json.dumps(document, **form).encode(), random.choice((NOW_NS, NOW_NS, NOW_NS, 5))
        alone = told = ""
        try:
            alone = repr(beat(raw, keys=keys, now_ns=now_ns))
            read += 1
        except MalformedError as error:
            told = str(error)
        if told:
            with pytest.raises(MalformedError) as caught:
                reader.read(raw, "auto", now_ns)
            assert str(caught.value) == told
        else:
            assert repr(reader.read(raw, "auto", now_ns)) == alone
    assert read > 100


_NUMBERS = st.one_of(
    st.from_regex(r"-?[0-9]{1,22}(\.[0-9]{1,22})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.floats(946684800, 4102444799).map(repr),
    st.integers(-(2**65), 2**65).map(str),
    st.sampled_from(
        ["", " ", "17 ", "\n17", "01", "1.", "true", "null", '"17"', "NaN", "-", "1,2", "1E400", "[" * 3000]
    ),
    st.sampled_from(
        ['17,"x":1', "9" * 41, "9" * 101, "1." + "0" * 60, "17}", "\x00", "ä", "1795299990e0", "0x11", "1_7"]
    ),
)


@given(_NUMBERS, _NUMBERS, st.booleans())
@example("17, ", "18", True)
@example("9" * 101, "1", False)
@example("[" * 9000, "1", False)
def test_every_number_in_a_beat_after_another_is_read_as_it_would_be_alone(
    timestamp: str, cycle: str, cycle_first: bool
) -> None:
    def document(timestamp: str, cycle: str) -> bytes:
        members = [f'"timestamp": {timestamp}', f'"cycle": {cycle}']
        return f"{{{', '.join(members[::-1] if cycle_first else members)}}}".encode()

    def read(raw: bytes, reader: BeatReader) -> str:
        try:
            return repr(reader.read(raw, "auto", NOW_NS))
        except MalformedError as error:
            return str(error)

    writers = BeatReader(Keys())
    writers.read(document("1795299990", "1"), "auto", NOW_NS)
    for one, other in (("1795299991.5", cycle), (timestamp, "2"), (timestamp, cycle)):
        raw = document(one, other)
        assert read(raw, writers) == read(raw, BeatReader(Keys()))


def test_a_beat_like_the_one_before_is_not_read_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = BeatReader(Keys())
    first = {"timestamp": 1795299990, "cycle": 1, "pid": 42, "load": 0.5}
    reader.read(json.dumps(first).encode(), "auto", NOW_NS)
    with monkeypatch.context() as patched:
        patched.setattr("lifesign.checks.beat_reader.parse_object", None)
        reader.read(json.dumps({**first, "timestamp": 1795299991, "cycle": 2}, indent=1).encode(), "auto", NOW_NS)
        patched.setattr("lifesign.checks.beat_reader.load_object", lambda _: pytest.fail("read as an object"))
        found = reader.read(json.dumps({**first, "timestamp": 1795299991, "cycle": 2}).encode(), "auto", NOW_NS)
        patched.setattr("lifesign.checks.beat_reader.load_object", json.loads)
        with pytest.raises(TypeError):
            reader.read(json.dumps({**first, "load": 0.75}).encode(), "auto", NOW_NS)
    assert (found.signal.progress, found.message, found.metrics) == (2, "cycle 2", {"cycle": 2.0})
    assert (found.identity, found.data) == (Identity(42), {"load": 0.5})
