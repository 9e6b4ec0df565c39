"""Writes configs for the tests and loads them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from lifesign.config import Config, ConfigError, ConfigProblem, load

EXAMPLE = Path(__file__).with_name("contract_example.toml")
ENVIRON = {
    "HOME": "/home/someone",
    "LIFESIGN_TOKEN": "token-of-the-listener",
    "GITEA_TOKEN": "token-of-the-forge",
    "OPS_CHAT_URL": "slack://some/where",
}
MINIMAL = """
[components.gateway.checks.port]
type = "tcp"
address = "127.0.0.1:8765"
"""


def write(folder: Path, text: str | bytes, name: str = "lifesign.toml") -> Path:
    """A config file that only its owner can write."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)
    return path


def loaded(folder: Path, text: str, environ: Mapping[str, str] = ENVIRON) -> Config:
    return load(write(folder, text), environ)


def refused(folder: Path, text: str | bytes, environ: Mapping[str, str] = ENVIRON) -> tuple[ConfigProblem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text), environ)
    return caught.value.problems


def lines(problems: tuple[ConfigProblem, ...], folder: Path) -> list[str]:
    """The problems as a user sees them, without the folder."""
    return [str(problem).replace(f"{folder}/", "") for problem in problems]


def check(keys: str, kind: str = "tcp", **more: str) -> str:
    """A config with one component `a` and one check `c` of the given type and keys."""
    own = {"tcp": 'address = "127.0.0.1:1"', "process": 'name = "x"', "http": 'url = "http://h/"'}.get(kind, "")
    before = more.get("before", "")
    return f'{before}\n[components.a.checks.c]\ntype = "{kind}"\n{more.get("own", own)}\n{keys}\n'
