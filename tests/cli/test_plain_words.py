"""The words of a plain check are understood without click, and never otherwise than click would understand them."""

import subprocess
import sys

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.cli import check, console, health
from lifesign.cli.plain_words import CheckWords, ConsoleWords, HealthWords, check_words, console_words, health_words

WORDS = ["--json", "--act", "--dry-run", "-c", "--config", "--config=x.toml", "-cy.toml", "mind", "feed", "", "-", "--"]
OF_CONSOLE = ["--read-only", "--act", "--print-socket", "--connect", "--snapshot"]
ODD = ["-h", "--help", "--jso", "--json=1", "-j", "--configx", "--config=", "--no-act"]


def clicks(command: click.Command, words: list[str]) -> dict[str, object] | None:
    """What click makes of the words; None where it refuses them or prints its help."""
    try:
        with command.make_context("it", list(words), help_option_names=["-h", "--help"]) as context:
            return context.params
    except (click.UsageError, click.exceptions.Exit):
        return None


@given(st.lists(st.sampled_from(WORDS + ODD), max_size=6))
def test_what_is_understood_is_what_click_understands(words: list[str]) -> None:
    found = check_words(words)
    assert found is None or found._asdict() == clicks(check.command, words)


@given(st.lists(st.sampled_from(WORDS + ODD), max_size=6))
def test_so_it_is_for_the_health(words: list[str]) -> None:
    found = health_words(words)
    assert found is None or found._asdict() == clicks(health.command, words)


@given(st.lists(st.sampled_from(WORDS + ODD + OF_CONSOLE), max_size=6))
def test_so_it_is_for_the_console(words: list[str]) -> None:
    found = console_words(words)
    assert found is None or found._asdict() == clicks(console.command, words)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], CheckWords()),
        (["--json", "-c", "x.toml"], CheckWords("x.toml", as_json=True)),
        (["mind", "--config=x.toml", "feed", "--act"], CheckWords("x.toml", ("mind", "feed"), act=True)),
        (["--config", "x.toml", "--dry-run"], CheckWords("x.toml", dry_run=True)),
    ],
)
def test_the_plain_ones_are_understood(words: list[str], expected: CheckWords) -> None:
    assert check_words(words) == expected


def test_the_plain_ones_of_the_console_and_the_health_are_understood() -> None:
    assert console_words([]) == ConsoleWords()
    assert console_words(["-c", "x.toml", "--read-only"]) == ConsoleWords("x.toml", read_only=True)
    assert console_words(["--act"]) == ConsoleWords(act=True)
    assert console_words(["mind"]) is None
    assert console_words(["--connect", "unix:s"]) is None
    assert health_words(["-c", "x.toml"]) == HealthWords("x.toml")
    assert health_words(["mind"]) == HealthWords(component="mind")
    assert health_words(["mind", "feed"]) is None
    assert health_words(["--json"]) is None


@pytest.mark.parametrize(
    "words", [["--help"], ["-c"], ["--jsn"], ["--act", "--dry-run"], ["--", "-c"], ["-c", "--json"]]
)
def test_click_is_asked_about_all_others(words: list[str]) -> None:
    assert check_words(words) is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--jsn"], "No such option"),
        (["--act", "--dry-run"], "take one of them"),
        (["-c", "nowhere.toml", "mind"], "nowhere.toml"),
    ],
)
def test_a_mistake_is_one_line_and_nagios_unknown(words: list[str], told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lifesign", "check", *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert done.stderr.startswith("lifesign: ")
    assert told in done.stderr


@pytest.mark.parametrize(
    ("word", "hint"), [("chek", ": did you mean check?"), ("help", ": did you mean --help?"), ("xyzzy", "")]
)
def test_a_command_that_is_none_is_told_with_the_nearest_and_where_all_of_them_stand(word: str, hint: str) -> None:
    done = subprocess.run([sys.executable, "-m", "lifesign", word], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"lifesign: there is no command '{word}'{hint} (see lifesign --help)\n"
