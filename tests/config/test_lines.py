"""Lines of keys: the oracle is how the text was built, line by line."""

import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lifesign.config.lines import key_lines, line_of

VALUES = (
    ("1", 1),
    ("-1.5e3", 1),
    ("true", 1),
    ('"text # no comment"', 1),
    ("'C:\\['", 1),
    ('"quote \\" = {"', 1),
    ("1979-05-27T07:32:00Z", 1),
    ("1979-05-27 07:32:00", 1),
    ("[1, 2, 3]", 1),
    ('[\n  "a", # [x]\n  "b",\n]', 4),
    ("[[1], [{ deep = [1] }],\n]", 2),
    ("{ x1 = 1, y1 = { z1 = [1, 2] } }", 1),
    ("[]", 1),
    ("{}", 1),
    ('"""\n[fake]\nfake = 1\n"quoted" \\"""\nmore""""', 5),
    ("'''\nfake = {\n'' '''", 3),
    ('""', 1),
    ('"""ends in two quotes"""""', 1),
)
NAMES = ("k{}", '"k {}"', "'k.{}'", '"k\\u0041{}"')


def paths_of(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, item in value.items():
            found |= paths_of(item, (*path, key))
    return found


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[str, int]]:
    """A TOML text, and for each of its keys, which are all different, the line it was put on."""
    text, line, expected = "", 1, {}
    for number in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(("key", "key", "dotted", "header", "array", "comment", "blank")))
        name = draw(st.sampled_from(NAMES)).format(number)
        plain = tomllib.loads(f"{name} = 1")
        (key,) = plain
        if kind in ("key", "dotted"):
            value, height = draw(st.sampled_from(VALUES))
            value = value.replace("x1", f"x{number}").replace("y1", f"y{number}").replace("z1", f"z{number}")
            parent = f"p{number} . " if kind == "dotted" else ""
            addition = f"  {parent}{name} = {value} # [no]\n" if "'''" not in value else f"{parent}{name}={value}\n"
            expected[key] = line
            text, line = text + addition, line + height
            continue
        expected |= {key: line} if kind in ("header", "array") else {}
        text += {
            "header": f"[q{number}.{name}] # c\n",
            "array": f"[[ {name} ]]\n",
            "comment": "# [c]\n",
            "blank": "\r\n",
        }[kind]
        line += 1
    return text, expected


@settings(max_examples=150, deadline=None)
@given(documents())
def test_every_key_is_found_on_the_line_that_it_was_written_on(document: tuple[str, dict[str, int]]) -> None:
    text, expected = document
    parsed = tomllib.loads(text)
    found = key_lines(text)
    assert {path for path in paths_of(parsed) if not any(isinstance(part, int) for part in path)} <= set(found)
    for key, line in expected.items():
        assert {found[path] for path in found if path[-1] == key} == {line}, key


def test_an_inline_table_over_one_line_gives_its_keys_that_line() -> None:
    lines = key_lines("a = 1\n\nb = { c = { d = 1 }, e = [ { f = 1 } ] }\n")
    assert lines["b", "c", "d"] == lines["b", "e", 0, "f"] == lines["b",] == 3


def test_elements_of_an_array_over_many_lines_have_their_own() -> None:
    lines = key_lines('a = [\n  "x", # one\n  "y",\n]\n')
    assert (lines["a",], lines["a", 0], lines["a", 1]) == (1, 2, 3)


def test_a_table_is_found_at_its_header_and_not_at_the_first_mention_of_its_parent() -> None:
    lines = key_lines("[a.b]\nx = 1\n[a]\ny = 1\n")
    assert (lines["a",], lines["a", "b"], lines["a", "y"]) == (3, 1, 4)


def test_arrays_of_tables_count_their_elements() -> None:
    lines = key_lines("[[a]]\nx = 1\n[[a]]\nx = 2\n[a.b]\ny = 1\n")
    assert (lines["a", 0, "x"], lines["a", 1, "x"], lines["a", 1, "b", "y"]) == (2, 4, 6)


def test_a_key_that_does_not_exist_is_told_at_the_table_around_it() -> None:
    lines = key_lines("\n[a.b]\nx = 1\n")
    assert line_of(("a", "b", "missing"), lines) == 2
    assert line_of(("elsewhere",), lines) == 1
