"""What looks like a secret is none of anybody's business, though no config names it; plain words stay what they are."""

import time

import pytest

from lifesign.text import is_secret_name, redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("login failed: password=canary-1 for joe", "login failed: password=[redacted] for joe"),
        ('{"api_key": "canary 1", "model": "m"}', '{"api_key": [redacted], "model": "m"}'),
        ("GET /hook?token=canary1&x=1 -> 500", "GET /hook?token=[redacted]&x=1 -> 500"),
        ("Authorization: Bearer canary.canary.canary", "Authorization: [redacted]"),
        ("sent Bearer canary.canary.canary", "sent Bearer [redacted]"),
        ("SESSION_TOKEN = 'canary 1'", "SESSION_TOKEN = [redacted]"),
        ("Set-Cookie: sid=canary1; path=/", "Set-Cookie: [redacted]; path=/"),
        ("pushed with ghp_" + "c4n" * 12, "pushed with [redacted]"),
        ("glpat-canarycanarycanary1 refused", "[redacted] refused"),
        ("key AKIACANARYCANARY0001 is old", "key [redacted] is old"),
        ("jwt eyJhbGciOiJI.eyJjYW5hcnki.c2ln", "jwt [redacted]"),
        ("bearer canary-1", "bearer [redacted]"),
        ("xoxb-canary-123", "[redacted]"),
        ("https://joe:canary@host/x", "https://[redacted]@host/x"),
    ],
)
def test_what_looks_like_a_secret_is_redacted(text: str, shown: str) -> None:
    assert redact(text, ()) == shown
    assert redact(shown, ()) == shown


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1 answers 401: the token is refused",
        "tokens=4096, max_token: 1234",
        "the secret cannot be read",
        "alive and ready, but not working: no new work for 612 s (limit 300 s)",
        "cycle 17 of basic training, bearer of news",
        "no key press, monkey: banana",
        "task-management-of-everything-and-more",
    ],
)
def test_plain_words_stay(text: str) -> None:
    assert redact(text, ()) == text


def test_a_name_tells_whether_what_bears_it_is_secret() -> None:
    assert all(
        map(is_secret_name, ("password", "DB_PASSWORD", "api-key", "accessKey", "sessionToken", "client_secret"))
    )
    assert not any(map(is_secret_name, ("tokens", "token_count", "model", "key", "monkey", "passing", "")))


def test_no_text_however_long_takes_long() -> None:
    for hostile in (
        "password=" * 10_000,
        "token" + " " * 100_000,
        "eyJ" * 30_000,
        "sk-" + "a-" * 50_000,
        '"' * 100_000,
    ):
        begun = time.process_time()
        redact(hostile, ())
        assert time.process_time() - begun < 1.0
