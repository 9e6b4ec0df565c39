"""Secrets are read late, cleaned of what nobody sees, and never shown."""

import copy
import os
import pickle
from pathlib import Path

import pytest

from lifesign.config import Secret, SecretError
from tests.config.writing import MINIMAL, loaded, refused, write


def from_file(folder: Path, content: bytes, mode: int = 0o600) -> Secret:
    path = write(folder, content, "secret")
    path.chmod(mode)
    return Secret("file", str(path))


@pytest.mark.parametrize(
    "content",
    [
        b"s3cret",
        b"s3cret\n",
        b"  s3cret\r\n\n",
        b"\xef\xbb\xbfs3cret\n",
        "\u200bs3cret\u200b\n".encode(),
        "\u00a0s3cret\u00a0".encode(),
        "s3\u200dcret\u2060".encode(),
    ],
)
def test_a_secret_loses_white_space_around_it_and_everything_invisible(tmp_path: Path, content: bytes) -> None:
    assert from_file(tmp_path, content).reveal() == "s3cret"


def test_a_space_within_a_secret_is_kept(tmp_path: Path) -> None:
    assert from_file(tmp_path, b"correct horse\n").reveal() == "correct horse"


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (b"", 0o600, "is empty"),
        ("\ufeff\u200b \n".encode(), 0o600, "is empty"),
        (b"canary\nanother", 0o600, "more than one line"),
        (b"canary\x1b[2J", 0o600, "more than one line"),
        (b"canary\xff", 0o600, "not UTF-8"),
        (b"canary" * 20_000, 0o600, "larger than"),
        (b"canary", 0o620, "its group can write it: chmod go-w"),
        (b"canary", 0o602, "everybody can write it: chmod go-w"),
    ],
)
def test_a_bad_secret_file_is_refused_without_showing_what_is_in_it(
    tmp_path: Path, content: bytes, mode: int, words: str
) -> None:
    with pytest.raises(SecretError, match=words) as caught:
        from_file(tmp_path, content, mode).reveal()
    assert "canary" not in str(caught.value)


def test_a_secret_file_is_read_when_it_is_used(tmp_path: Path) -> None:
    write(tmp_path, "old", "token")
    config = loaded(tmp_path, MINIMAL + "[http]\ntoken = { file = 'token' }\n")
    write(tmp_path, "new", "token")
    assert config.http is not None
    assert config.http.token is not None
    assert config.http.token.reveal() == "new"


def test_a_secret_file_that_is_a_fifo_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "token", 0o600)
    (problem,) = refused(tmp_path, MINIMAL + "[http]\ntoken = { file = 'token' }\n")
    assert "not a regular file" in problem.reason


def test_no_way_of_printing_a_config_shows_a_secret(tmp_path: Path) -> None:
    text = MINIMAL + "[http]\ntoken = { env = 'CANARY' }\n[components.gateway.checks.web]\ntype = 'http'\n"
    config = loaded(
        tmp_path,
        text + "url = 'http://h/'\nheaders = { Authorization = { env = 'CANARY' } }\n",
        {"CANARY": "canary-value"},
    )
    assert [secret.reveal() for secret in config.secrets] == ["canary-value"] * 2
    assert "canary-value" not in f"{config} {config!r} {config.secrets}"


def test_a_secret_does_not_travel() -> None:
    secret = Secret("env", "X", {"X": "canary"})
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)


def test_a_plain_header_is_no_secret(tmp_path: Path) -> None:
    text = "[components.a.checks.c]\ntype = 'http'\nurl = 'http://h/'\nheaders = { Accept = 'text/plain' }\n"
    config = loaded(tmp_path, text)
    headers = getattr(config.components[0].checks[0].options, "headers")  # noqa: B009 - the type is not this test's matter
    assert {name: value.reveal() for name, value in headers.items()} == {"Accept": "text/plain"}
    assert config.secrets == ()
