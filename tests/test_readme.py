"""README.md tells the truth: its tables are the code's, its config loads, its commands are short."""

import re
import tomllib
from pathlib import Path

from lifesign.cli import COMMANDS
from lifesign.config import load
from tests.readme import README, generated

TEXT = README.read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)


def test_the_generated_tables_are_those_of_the_code() -> None:
    assert generated(TEXT) == TEXT


def test_it_is_at_most_six_hundred_lines_and_starts_with_a_picture_and_two_commands() -> None:
    assert TEXT.count("\n") <= 600
    picture, main, test = (
        TEXT.index(mark) for mark in ("](screenshots/", "<!-- main command -->", "<!-- test command -->")
    )
    assert picture < main < test < TEXT.index("\n## ")


def test_the_pictures_it_shows_exist() -> None:
    names = re.findall(r"\]\((screenshots/[^)]+)\)", TEXT)
    assert names
    assert [name for name in names if not (README.parent / name).is_file()] == []


def test_its_config_loads(tmp_path: Path) -> None:
    [config] = [block for block in blocks("toml") if "[components.mind]" in block]
    path = tmp_path / "lifesign.toml"
    path.write_text(config)
    path.chmod(0o644)
    loaded = load(path)
    assert [check.type for check in loaded.components[0].spec.checks] == ["heartbeat", "process", "tcp", "syntax"]
    assert loaded.warnings == ()


def test_its_toml_parses() -> None:
    for block in blocks("toml"):
        tomllib.loads(block)


def test_every_command_it_names_exists() -> None:
    named = set(re.findall(r"(?:^|`|/|CMD )lifesign ([a-z]+)", TEXT, flags=re.MULTILINE)) - {"itself"}
    assert named - set(COMMANDS) - {"web", "init"} == set()
