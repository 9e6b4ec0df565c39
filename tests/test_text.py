"""Text that comes from outside or goes to people."""

import math
import sys
import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.text import (
    clean,
    format_duration,
    format_size,
    format_timestamp,
    is_clean,
    parse_duration,
    parse_timestamp,
    redact,
)

# Signs that are format characters by their class and are drawn all the same (Arabic number signs and the like).
DRAWN = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440)}


def test_no_control_format_or_separator_character_of_unicode_survives_cleaning() -> None:
    bad = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp") and code not in DRAWN
    ]
    survivors = [f"U+{ord(character):04X}" for character in bad if character in clean(f"a{character}b")]
    assert survivors == []


def test_what_is_found_clean_is_not_changed_by_cleaning() -> None:
    found = "".join(letter for letter in map(chr, range(sys.maxunicode + 1)) if is_clean(letter))
    assert len(found) > 100_000
    assert clean(f"x{found}x", 2 * sys.maxunicode) == f"x{found}x"
    assert is_clean('{"größe": "a · b → 漢字 …"}')


def test_signs_that_are_seen_are_kept() -> None:
    assert clean("größe 数 é 👍 ✓ a\u0301") == "größe 数 é 👍 ✓ a\u0301"


def test_breaks_become_one_space_and_the_ends_are_bare() -> None:
    assert clean("  one\r\n\n\ttwo\x85three\u2028four \n") == "one two three four"


def test_an_escape_sequence_is_disarmed_and_seen() -> None:
    assert clean("\x1b]52;c;aGk=\x07x") == "\ufffd]52;c;aGk=\ufffdx"


@given(st.text(), st.integers(1, 40))
def test_what_is_cleaned_is_short_one_line_and_stays_as_it_is(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert len(cleaned.splitlines()) <= 1
    assert cleaned == cleaned.strip(" \n\t")[:limit]
    assert clean(cleaned, limit) == cleaned or cleaned.endswith("…")


def test_a_cut_is_shown_and_what_fits_is_whole() -> None:
    assert clean("a" * 500) == "a" * 500
    assert clean("a" * 501) == "a" * 499 + "…"
    assert clean("a" * 10_000_000, 10) == "a" * 9 + "…"


@pytest.mark.parametrize(
    ("value", "expected_s"),
    [
        ("250ms", 0.25),
        ("10s", 10),
        ("5m", 300),
        ("1h30m", 5_400),
        ("2d", 172_800),
        ("1w", 604_800),
        ("1.5h", 5_400),
        (" 3s ", 3),
        (7, 7),
        (0.5, 0.5),
    ],
)
def test_a_duration_is_read_as_it_is_written(value: object, expected_s: float) -> None:
    assert parse_duration(value) == pytest.approx(expected_s)


@pytest.mark.parametrize(
    "value",
    ["", "s", "5", "5 s", "-5s", "5S", "m5", "1m30", "1e3s", "inf", "0s", 0, -1, math.nan, math.inf, True, None, [5],
     "30m1h", "1h1h", "1m1ms1s", "\uff11\uff10s", "\u0663m",
     10**400, -(10**400), "9" * 400 + "d", "101d" * 900, 4e9],
    ids=lambda value: repr(value)[:12],
)  # fmt: skip
def test_what_is_no_finite_positive_duration_is_refused_in_words(value: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(value)


def test_a_long_text_that_is_no_duration_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration("1" * 1_000_000)


def test_a_duration_out_of_order_is_told_how_to_be_written() -> None:
    with pytest.raises(ValueError, match='each unit once, the largest first: "1h30m"'):
        parse_duration("30m1h")


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (512 << 20, "512 MiB"),
        (1023 << 30, "1023 GiB"),
        (100 << 40, "100 TiB"),
        (1.5 * 2**50, "1.5 PiB"),
        (2.0**64, "16384 PiB"),
    ],
)
def test_a_size_is_shown_without_an_exponent(size_bytes: float, words: str) -> None:
    assert format_size(size_bytes) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"),
        (0.2, "200ms"),
        (0.9996, "999ms"),
        (1, "1s"),
        (1.5, "1.5s"),
        (9.96, "9.9s"),
        (42, "42s"),
        (119.9, "119s"),
        (120, "2m"),
        (125, "2m05s"),
        (612, "10m"),
        (3_599, "59m"),
        (3_600, "1h"),
        (11_100, "3h05m"),
        (86_399, "23h59m"),
        (86_400, "1d"),
        (187_200, "2d4h"),
        (-42, "-42s"),
    ],
)
def test_a_duration_is_shown_short_and_coarse(seconds: float, words: str) -> None:
    assert format_duration(seconds) == words


def test_a_time_is_shown_as_rfc_3339_with_milliseconds() -> None:
    moment = datetime(2026, 11, 21, 14, 3, 22, 123_999, tzinfo=UTC)
    assert format_timestamp(int(moment.timestamp() * 1_000_000) * 1_000) == "2026-11-21T14:03:22.123Z"
    assert format_timestamp(0) == "1970-01-01T00:00:00.000Z"
    assert format_timestamp(-1) == "1969-12-31T23:59:59.999Z"
    assert format_timestamp(-(10**30)) == "0001-01-01T00:00:00.000Z"
    assert format_timestamp(10**30) == "9999-12-31T23:59:59.999Z"


_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_PARTS = st.lists(
    st.tuples(st.integers(0, 10**6) | st.floats(0, 1000).map(lambda n: round(n, 3)), st.sampled_from([*_UNITS])),
    max_size=4,
)


def _in_order(parts: list[tuple[float, str]]) -> bool:
    sizes = [_UNITS[unit] for _, unit in parts]
    return sizes == sorted(set(sizes), reverse=True)


@given(
    _PARTS, st.sampled_from(["", "", "", " ", "x", "-", "s", "9", "\u0663", "e9", "inf", "nan", "\0"]), st.booleans()
)
def test_any_text_is_a_duration_by_its_units_or_refused(
    parts: list[tuple[float, str]], stain: str, before: bool
) -> None:
    spelled = "".join(f"{number}{unit}" for number, unit in parts)
    try:
        seconds = parse_duration(stain + spelled if before else spelled + stain)
    except ValueError:
        expected = sum(number * _UNITS[unit] for number, unit in parts)
        assert (
            stain
            or not parts
            or not _in_order(parts)
            or not 0 < expected <= 100 * 366 * 86400
            or "e" in spelled
            or len(spelled) > 40
        )
        return
    assert _in_order(parts) or stain.strip()
    assert 0 < seconds <= 100 * 366 * 86400
    if not stain.strip():
        assert seconds == pytest.approx(sum(number * _UNITS[unit] for number, unit in parts))


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_that_is_shown_is_read_back(moment: datetime) -> None:
    wall_ns = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000
    shown = format_timestamp(wall_ns)
    assert len(shown) == 24
    assert parse_timestamp(shown) == wall_ns // 1_000_000 * 1_000_000


@pytest.mark.parametrize(
    ("text", "wall_s"),
    [("1970-01-01T00:01:00Z", 60), ("1970-01-01t01:00:00.5+01:00", 0.5), ("1970-01-01 00:01Z", 60)],
)
def test_a_time_with_an_offset_is_read(text: str, wall_s: float) -> None:
    assert parse_timestamp(text) == wall_s * 1_000_000_000


@pytest.mark.parametrize(
    "text",
    ["", "now", "1970-01-01", "1970-01-01T00:00:00", "1970-13-01T00:00:00Z", "1970-01-01T25:00:00Z", "12",
     "1970-01-01T00:00:00Z\n", "1970-01-01T00:00:00ZZ", "1970-W01-1T00:00Z", "1970-01-01T00:00:00+99:00"],
)  # fmt: skip
def test_what_is_no_time_with_an_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_timestamp(text)


def test_secrets_and_the_user_part_of_urls_are_redacted() -> None:
    assert redact("token hunter22 and hunter2222", ["hunter22", "hunter2222"]) == "token [redacted] and [redacted]"
    assert redact("a short one: abc", ["abc"]) == "a short one: abc"
    assert redact("http://joe:pw@host/x?mail=a@b", []) == "http://[redacted]@host/x?mail=a@b"
    assert redact("http://joe:p@ss@host/x", []) == "http://[redacted]@host/x"
    assert redact("postgres://u:p@h wss://v@w/", []) == "postgres://[redacted]@h wss://[redacted]@w/"
    assert redact("mail a@b, see http://host/@me", []) == "mail a@b, see http://host/@me"


@given(st.text(min_size=4, max_size=12), st.text(max_size=30), st.text(max_size=30))
def test_no_secret_stands_in_what_is_redacted(secret: str, before: str, after: str) -> None:
    cut = redact(f"{before}{secret}{after}", [secret])
    assert secret not in cut.replace("[redacted]", "\0")
