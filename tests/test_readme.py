"""README.md tells the truth: its tables are the code's, its config loads, its commands are short."""

import os
import re
import time
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lifesign import Heartbeat, ReconnectExceededError, ReconnectGuard
from lifesign.cli import COMMANDS
from lifesign.config import load
from lifesign.config.alert_types import AppriseAlert, GiteaAlert, PingAlert
from lifesign.config.restart_types import SystemdRestart
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


def test_its_config_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITEA_TOKEN", "OPS_CHAT_URL", "PING_URL"):
        monkeypatch.setenv(name, "https://127.0.0.1/hook")
    path = tmp_path / "lifesign.toml"
    path.write_text("\n".join(blocks("toml")))  # its pieces are one config, in the order in which they are told
    path.chmod(0o644)
    loaded = load(path)
    [mind] = loaded.components
    assert [check.type for check in mind.spec.checks] == ["heartbeat", "process", "tcp", "syntax"]
    assert isinstance(mind.restart, SystemdRestart)
    assert [type(options) for options in loaded.alerts.values()] == [GiteaAlert, AppriseAlert, PingAlert]


def test_its_toml_parses() -> None:
    for block in blocks("toml"):
        tomllib.loads(block)


def test_every_command_it_names_exists() -> None:
    named = set(re.findall(r"(?:^|`|/|CMD )lifesign ([a-z]+)", TEXT, flags=re.MULTILINE)) - {"itself"}
    assert named - set(COMMANDS) - {"web", "init"} == set()


def test_its_gateway_takes_fresh_credentials_each_time_and_no_new_connection_inherits_the_old_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFESIGN_HEARTBEAT", str(tmp_path / "beat.json"))
    monkeypatch.setattr(os, "kill", lambda pid, number: None)
    [recipe] = [block for block in blocks("python") if "guard.reconnect(" in block]
    streams: list[object] = []
    handled: list[str] = []

    def receive(stream: object, quiet_s: float) -> Iterator[str]:
        assert time.monotonic() - stream.last_inbound < quiet_s  # type: ignore[attr-defined]
        stream.last_inbound = -1e9  # type: ignore[attr-defined]  # long silent, as far as this one is concerned
        streams.append(stream.socket)  # type: ignore[attr-defined]
        yield from ["a tick"] if len(streams) == 2 else []
        raise ConnectionResetError

    tokens = iter(range(100))
    names = {"Watchdog": lambda *_, **__: _Unwatched(), "Heartbeat": Heartbeat, "suppress": suppress, "time": time}
    names |= {"login": lambda: next(tokens), "open_socket": lambda token: f"socket of token {token}"}
    names |= {"receive": receive, "handle": handled.append}
    names["ReconnectGuard"] = lambda **given: ReconnectGuard(**given, terminate_after=1e5)
    with pytest.raises(ReconnectExceededError):
        exec(recipe, names)
    assert streams == [f"socket of token {number}" for number in range(5)]  # one, a tick on the second, three in vain
    assert handled == ["a tick"]


class _Unwatched:
    """A watchdog of which this process needs none."""

    def start(self) -> None:
        """Nothing."""
