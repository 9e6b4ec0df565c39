"""The http check against real servers, honest and hostile."""

import asyncio
import base64
import functools
import gzip
import http.server
import json
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from lifesign.checks.http import Finding, HttpProbe
from lifesign.checks.webheaders import HeaderValue
from lifesign.checks.weburl import WebUrl, parse_url
from lifesign.core.model import JsonValue, Observation, Verdict
from tests.checks.hostile import (
    Behaviour,
    Server,
    dripping,
    flooding,
    presenting,
    reset,
    saying,
    serving,
    silence,
    trusted_authority,
)
from tests.ports import free_port
from tests.stopwatch import Stopwatch

CANARY = "canary-7f3a9e1b"


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
    """An authority that this process trusts."""
    with trusted_authority(monkeypatch.setenv) as ca:
        yield ca


def answering(head: str, body: bytes = b"", **headers: str) -> Behaviour:
    lines = [head, *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return saying("\r\n".join(lines).encode() + b"\r\n\r\n" + body, wait_for=b"\r\n\r\n")


async def look(behaviour: Behaviour, timeout_s: float = 30.0, path: str = "/", **options: object) -> Observation:
    async with serving(behaviour) as server:
        probe = HttpProbe(url=f"http://{server.address}{path}", timeout_s=timeout_s, **options)  # type: ignore[arg-type]
        first, second = [await timed(way(probe), server, timeout_s) for way in (awaited, called_back)]
        assert (second.verdict, second.message, second.metrics) == (first.verdict, first.message, first.metrics)
        return first


async def timed(looking: Awaitable[Observation], server: Server, timeout_s: float) -> Observation:
    async with Stopwatch() as watch:
        found = await looking
    assert watch.s < timeout_s + 0.5
    assert found.latency_s > 0, "a good answer too, whichever way it came"
    assert found.message.count("127.0.0.1") == 0 or server.address in found.message
    return Observation(found.verdict, found.message.replace(server.address, "HERE"), found.latency_s, found.metrics)


async def awaited(probe: HttpProbe) -> Observation:
    return await probe.look(time.time_ns())


async def called_back(probe: HttpProbe) -> Observation:
    """The same look as the engine makes it, without a task where that is possible."""
    came: asyncio.Future[Callable[[], Finding]] = asyncio.get_running_loop().create_future()
    if not probe.begin(time.time_ns(), came.set_result):
        return await awaited(probe)
    found = (await came)()
    return found if isinstance(found, Observation) else await found


@asynccontextmanager
async def application(app: web.Application) -> AsyncIterator[str]:
    """An aiohttp server; gives its address."""
    runner = web.AppRunner(app)
    await runner.setup()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        await web.SockSite(runner, listening).start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            await runner.cleanup()


async def test_pythons_own_server_is_ok(tmp_path: Path) -> None:
    (tmp_path / "health").write_text("all well")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/health"
        good = await HttpProbe(url=url, timeout_s=30, expect_body="^all w.ll$").look(0)
        bad = await HttpProbe(url=url, timeout_s=30, expect_body="broken").look(0)
        missing = await HttpProbe(url=url + "x", timeout_s=30).look(0)
        server.shutdown()
    assert (good.verdict, good.metrics) == (Verdict.OK, {"status": 200.0})
    assert good.message == f"200 OK from 127.0.0.1:{server.server_address[1]}"
    assert bad.verdict is Verdict.FAIL
    assert bad.message.endswith('answered 200, but the body "all well" does not match "broken"')
    assert missing.verdict is Verdict.FAIL
    assert missing.message.endswith("answered 404 Not Found, expected 200-299")


async def test_the_request_says_what_was_configured_and_nothing_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password netrc-password\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free_port()}")
    seen: list[web.Request] = []
    bodies: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(request)
        bodies.append(await request.text())
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    async with application(app) as address:
        found = await HttpProbe(
            url=f"http://user:p%40ss@{address}/a b?q=ü".replace(" ", "%20"),
            timeout_s=30,
            method="post",
            headers={"X-One": "1", "X-Key": lambda: CANARY, "Connection": "keep-alive", "Content-Length": "999"},
            body='{"ä": 1}',
        ).look(0)
    assert found.verdict is Verdict.OK
    request = seen[0]
    assert (request.method, request.path, request.query["q"]) == ("POST", "/a b", "ü")
    assert bodies == ['{"ä": 1}']
    assert request.headers["X-One"] == "1"
    assert request.headers["X-Key"] == CANARY
    assert request.headers["Host"] == address
    assert request.headers["Connection"] == "close"
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.headers["User-Agent"] == "lifesign/0.1"
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(b"user:p@ss").decode()
    assert "Cookie" not in request.headers


@pytest.mark.parametrize(
    ("document", "expected", "words"),
    [
        ({"overall": "healthy"}, {"overall": "healthy"}, None),
        ({"overall": "healthy", "more": [1]}, {"overall": "healthy"}, None),
        ({"db": {"state": "up", "n": 1}}, {"db.state": "up"}, None),
        ({"db": {"state": "up", "n": 1}}, {"db": {"state": "up"}}, None),
        ({"a.b": 1, "a": {"b": 2}}, {"a.b": 1}, None),
        ({"list": [1, {"x": 2}]}, {"list": [1, {"x": 2}]}, None),
        ({"overall": "degraded"}, {"overall": "healthy"}, 'overall is "degraded", expected "healthy"'),
        ({}, {"overall": "healthy"}, 'overall is missing, expected "healthy"'),
        ({"db": {"state": "down"}}, {"db.state": "up"}, 'db.state is "down", expected "up"'),
        ({"db": {"state": "down"}}, {"db": {"state": "up"}}, 'db.state is "down", expected "up"'),
        ({"n": 1}, {"n": True}, "n is 1, expected true"),
        ({"n": False}, {"n": 0}, "n is false, expected 0"),
        ({"n": None}, {"n": 0}, "n is null, expected 0"),
        ({"list": [1, 2]}, {"list": [1]}, "list is a list, expected a list"),
        ([1], {"n": 0}, "n is missing, expected 0"),
    ],
)
async def test_a_part_of_a_json_document_is_compared_strictly(
    document: JsonValue, expected: dict[str, JsonValue], words: str | None
) -> None:
    found = await look(answering("HTTP/1.1 200 OK", json.dumps(document).encode()), expect_json=expected)
    if words is None:
        assert found.verdict is Verdict.OK
    else:
        assert (found.verdict, found.message) == (Verdict.FAIL, f"HERE answered 200, but {words}")


@pytest.mark.parametrize("body", [b"", b"{", b'{"n": NaN}', b"\xff\xfe", b"[" * 500_000, b'{"n": "\x1b"}'])
async def test_a_body_that_is_no_json_fails(body: bytes) -> None:
    found = await look(answering("HTTP/1.1 200 OK", body), expect_json={"n": 1})
    assert found.verdict is Verdict.FAIL
    assert "not JSON" in found.message


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (saying(b"", wait_for=b"\r\n\r\n"), "HERE closed the connection without an answer"),
        (reset, "HERE reset the connection"),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "HERE answers with something that is not HTTP/1.1: "),
        (saying(b"\x00" * 100 + b"\r\n\r\n"), "HERE answers with something that is not HTTP/1.1: "),
        (answering("HTTP/1.1 abc OK"), "HERE answers with something that is not HTTP/1.1: "),
        (answering("HTTQ/1.1 200 OK"), "HERE answers with something that is not HTTP/1.1: "),
        (answering("HTTP/1.1 999 Odd"), "HERE answered 999, expected 200-299"),
        (answering("HTTP/1.1 101 Switching Protocols"), "HERE answers with something that is not HTTP/1.1: "),
        (answering("HTTP/1.1 200 OK", content_length="-1"), "HERE answers with something that is not HTTP/1.1: "),
        (answering("HTTP/1.1 200 OK", transfer_encoding="gzip"), "HERE answers with something that is not HTTP/1.1: "),
        (
            answering("HTTP/1.1 200 OK\r\n" + "\r\n".join(f"x-{n:05}: y" for n in range(10_000))),
            "the header from HERE is larger than 64 KiB",
        ),
        (answering("HTTP/1.1 200 OK", x="y" * 100_000), "the header from HERE is larger than 64 KiB"),
        (flooding(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 500), "the header from HERE is larger than 64 KiB"),
        (flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "HERE keeps announcing an answer (1xx) and sends none"),
        (answering("HTTP/1.1 503 Go \x1b[31maway"), "HERE answered 503 Service Unavailable, expected 200-299"),
    ],
)
async def test_a_broken_answer_fails_with_its_own_words(behaviour: Behaviour, words: str) -> None:
    found = await look(behaviour)
    assert found.verdict is Verdict.FAIL
    assert found.message.startswith(words)
    assert "\x1b" not in found.message


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (silence, "HERE accepted the connection and did not answer in 0.5 s"),
        (dripping(b"HTTP/1.1 200 OK\r\nx: y\r\n" + b"a: b\r\n" * 99), "the header from HERE did not end in 0.5 s"),
        (
            saying(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", then_wait=True),
            "the body from HERE did not end in 0.5 s",
        ),
    ],
)
async def test_a_slow_answer_fails_by_the_one_deadline(behaviour: Behaviour, words: str) -> None:
    found = await look(behaviour, timeout_s=0.5, expect_body="x")
    assert (found.verdict, found.message) == (Verdict.FAIL, words)


async def test_a_body_that_nobody_asked_for_is_not_waited_for() -> None:
    found = await look(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", then_wait=True))
    assert (found.verdict, found.message) == (Verdict.OK, "200 OK from HERE")
    assert found.latency_s < 20


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (flooding(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536), "the body is larger than 1 MiB"),
        (
            flooding(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000),
            "the body comes in more than 20000 pieces",
        ),
        (answering("HTTP/1.1 200 OK", content_length="9" * 15), "the body is larger than 1 MiB"),
        (answering("HTTP/1.1 200 OK", b"short", content_length="9"), "the body from HERE is broken off or malformed"),
        (
            answering("HTTP/1.1 200 OK", b"zz\r\n", transfer_encoding="chunked"),
            "the body from HERE is broken off or malformed",
        ),
        (
            answering("HTTP/1.1 200 OK", gzip.compress(bytes(1 << 24)), content_encoding="gzip"),
            "the body is compressed (gzip), which is never unpacked, so it cannot be judged",
        ),
    ],
)
async def test_a_hostile_body_fails_and_costs_no_memory(behaviour: Behaviour, words: str) -> None:
    tracemalloc.start()
    try:
        found = await look(behaviour, expect_body="never")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.verdict is Verdict.FAIL
    assert found.message.startswith(words)
    assert peak < 4 << 20


async def test_a_compressed_body_that_nobody_asked_for_is_judged_by_its_status() -> None:
    bomb = gzip.compress(bytes(1 << 24))
    found = await look(answering("HTTP/1.1 200 OK", bomb, content_encoding="gzip"))
    assert found.verdict is Verdict.OK


async def test_a_body_of_exactly_the_cap_is_read() -> None:
    found = await look(answering("HTTP/1.1 200 OK", b"x" * ((1 << 20) - 3) + b"end"), expect_body="end$")
    assert found.verdict is Verdict.OK


async def redirecting(location: str, status: int = 302, **options: object) -> tuple[Observation, list[str]]:
    """An observation of a server whose /start leads to `location`, and the paths it was asked for."""
    paths: list[str] = []

    async def start(request: web.Request) -> web.Response:
        paths.append(f"{request.method} {request.path}")
        return web.Response(status=status, headers={"Location": location.replace("HERE", address)})

    async def count(request: web.Request) -> web.Response:
        paths.append(f"{request.method} {request.path}")
        return web.Response(status=302, headers={"Location": f"/count/{int(request.match_info['n']) + 1}"})

    async def end(request: web.Request) -> web.Response:
        paths.append(f"{request.method} {request.path} {request.headers.get('X-Key', '')}")
        return web.Response(text="arrived")

    app = web.Application()
    app.router.add_route("*", "/start", start)
    app.router.add_route("*", "/end", end)
    app.router.add_route("*", "/count/{n}", count)
    async with application(app) as address:
        probe = HttpProbe(url=f"http://{address}/start", timeout_s=30, headers={"X-Key": lambda: CANARY}, **options)  # type: ignore[arg-type]
        found = await probe.look(0)
    return Observation(found.verdict, found.message.replace(address, "HERE")), paths


@pytest.mark.parametrize("location", ["/end", "end", "http://HERE/end", "//HERE/end", "./x/../end#part"])
async def test_a_redirect_to_the_same_server_is_followed_with_its_headers(location: str) -> None:
    found, paths = await redirecting(location, expect_body="arrived")
    assert found.verdict is Verdict.OK
    assert paths == ["GET /start", f"GET /end {CANARY}"]


@pytest.mark.parametrize(("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
async def test_a_redirected_post_keeps_its_method_only_where_the_status_says_so(status: int, method: str) -> None:
    _, paths = await redirecting("/end", status, method="POST", body="x")
    assert paths == ["POST /start", f"{method} /end {CANARY}"]


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://example.org/end", "HERE redirects to another host (example.org): not followed"),
        ("//example.org/", "HERE redirects to another host (example.org): not followed"),
        ("http://localhost/", "HERE redirects to another host (localhost): not followed"),
        ("https://HERE/end", "HERE redirects to another scheme (https): not followed"),
        ("http://127.0.0.1:1/", "HERE redirects to another port (127.0.0.1:1): not followed"),
        ("ftp://HERE/", "HERE redirects to an address that cannot be used: not followed"),
        ("file:///etc/passwd", "HERE redirects to an address that cannot be used: not followed"),
        ("http://[", "HERE redirects to an address that cannot be used: not followed"),
        ("http://HERE:99999/", "HERE redirects to an address that cannot be used: not followed"),
        ("/start", "redirect loop at HERE"),
        ("/count/0", "HERE redirects more than 5 times"),
    ],
)
async def test_a_redirect_that_leads_away_or_nowhere_fails(location: str, words: str) -> None:
    found, paths = await redirecting(location)
    assert (found.verdict, found.message) == (Verdict.FAIL, words)
    assert len(paths) <= 6


async def test_a_redirect_that_is_expected_is_ok_wherever_it_leads() -> None:
    found, paths = await redirecting("http://example.org/", expect_status="302")
    assert found.verdict is Verdict.OK
    assert paths == ["GET /start"]


def test_only_the_plain_port_may_upgrade_to_the_secure_one() -> None:
    plain = parse_url("http://me:secret@host.example/a", ("http",))
    there = plain.redirected("https://HOST.example/b?c=d")
    assert isinstance(there, WebUrl)
    assert (there.scheme, there.address.port, there.target) == ("https", 443, "/b?c=d")
    assert there.authorization == plain.authorization
    assert there.host_header == "host.example"
    assert plain.redirected("https://host.example:8443/") == "another scheme (https)"
    secure = parse_url("https://host.example/", ("https",))
    assert secure.redirected("http://host.example/") == "another scheme (http)"


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers with the lines that may hold a secret, after a long start, so that a cut falls into it."""
    head = await reader.readuntil(b"\r\n\r\n")
    secret = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"authorization"))
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"A" * 60 + secret)
    await writer.drain()


@pytest.mark.parametrize(
    ("behaviour", "expectation"),
    [
        (echo, {"expect_body": "never"}),
        (answering("HTTP/1.1 200 OK", b"A" * 70 + CANARY.encode()), {"expect_body": "never"}),
        (answering("HTTP/1.1 200 OK", b'{"key": "' + b"A" * 70 + CANARY.encode() + b'"}'), {"expect_json": {"key": 1}}),
        (answering(CANARY), {}),
        (silence, {}),
        (reset, {}),
    ],
)
@pytest.mark.parametrize("where", ["password", "user", "header", "literal header"])
async def test_no_secret_comes_back_in_a_message_though_the_target_repeats_it(
    behaviour: Behaviour, expectation: dict[str, JsonValue], where: str
) -> None:
    user = {"password": f"user:{CANARY}@", "user": f"{CANARY}@", "header": "", "literal header": ""}[where]
    value: HeaderValue = f"Bearer {CANARY}" if where == "literal header" else lambda: f"Bearer {CANARY}"
    headers = {} if user else {"Authorization": value}
    encoded = base64.b64encode(user.rstrip("@").encode() + (b":" if where == "user" else b"")).decode()
    async with serving(behaviour) as server:
        url = f"http://{user}{server.address}/{CANARY}?token={CANARY}"
        found = await HttpProbe(url=url, timeout_s=0.3, headers=headers, **expectation).look(0)  # type: ignore[arg-type]
    assert found.verdict is Verdict.FAIL
    assert "canary" not in found.message
    assert not encoded or encoded[:10] not in found.message
    assert "AAAA" in found.message or behaviour in (silence, reset) or "HTTP/1.1" in found.message


async def test_a_secret_that_cannot_be_read_is_unknown_and_nothing_is_sent() -> None:
    def missing() -> str:
        raise ValueError("the secret $TOKEN is not set")

    async with serving(silence) as server:
        url = f"http://{server.address}/"
        found = await HttpProbe(url=url, timeout_s=30, headers={"X-Key": missing}).look(0)
        bad = await HttpProbe(url=url, timeout_s=30, headers={"X-Key": lambda: f"{CANARY}\r\nX-Evil: 1"}).look(0)
        assert server.connections == 0
    assert (found.verdict, found.message) == (
        Verdict.UNKNOWN,
        "cannot read the header x-key: the secret $TOKEN is not set",
    )
    assert bad.verdict is Verdict.UNKNOWN
    assert "canary" not in bad.message


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Upgrade"])
async def test_a_header_that_would_frame_the_message_is_left_out(name: str) -> None:
    heads: list[bytes] = []

    async def noting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await writer.drain()

    value = {"Content-Length": "999", "transfer-encoding": "chunked", "Upgrade": "h2c"}[name]
    assert (await look(noting, headers={name: value})).verdict is Verdict.OK
    assert name.lower().encode() not in heads[0].lower()


async def test_a_closed_port_fails() -> None:
    port = free_port()
    found = await HttpProbe(url=f"http://127.0.0.1:{port}/", timeout_s=30).look(0)
    assert (found.verdict, found.message) == (Verdict.FAIL, f"connection refused by 127.0.0.1:{port}")


@pytest.mark.parametrize(
    "options",
    [
        {"url": "ftp://host/"},
        {"url": "host:80"},
        {"url": "http://"},
        {"url": "http://a b/"},
        {"url": "http://h:99999/"},
        {"url": f"http://user:{CANARY}@h:port/"},
        {"url": "http://h/", "method": "GET /"},
        {"url": "http://h/", "method": "CONNECT"},
        {"url": "http://h/", "headers": {"a b": "c"}},
        {"url": "http://h/", "headers": {"a": f"{CANARY}\r\nc: d"}},
        {"url": "http://h/", "expect_status": "2xx"},
        {"url": "http://h/", "expect_status": "299-200"},
        {"url": "http://h/", "expect_body": "("},
    ],
)
def test_options_that_make_no_request_are_refused_without_repeating_a_secret(options: dict[str, object]) -> None:
    with pytest.raises(ValueError) as refusal:
        HttpProbe(timeout_s=1, **options)  # type: ignore[arg-type]
    assert "canary" not in str(refusal.value)


async def test_https_is_ok_and_warns_of_a_certificate_near_its_end(authority: trustme.CA) -> None:
    until = datetime.now(UTC) + timedelta(days=10)
    certificate = authority.issue_cert("127.0.0.1", not_after=until)
    async with serving(answering("HTTP/1.1 200 OK", b"hi", content_length="2"), presenting(certificate)) as server:
        url = f"https://{server.address}/"
        plenty = await HttpProbe(url=url, timeout_s=30, expect_body="hi", cert_days=7).look(time.time_ns())
        short = await HttpProbe(url=url, timeout_s=30, cert_days=14).look(time.time_ns())
        loose = await HttpProbe(url=url, timeout_s=30, cert_days=14, verify_tls=False).look(time.time_ns())
    assert plenty.verdict is Verdict.OK
    assert plenty.metrics["cert_days"] == pytest.approx(10, abs=0.1)
    assert short.verdict is loose.verdict is Verdict.WARN
    assert f"on {until:%Y-%m-%d}" in short.message


async def test_a_bad_certificate_fails_with_the_reason(authority: trustme.CA) -> None:
    past = datetime(2021, 1, 2, tzinfo=UTC)
    future = datetime.now(UTC) + timedelta(days=100)
    cases = [
        (authority.issue_cert("127.0.0.1", not_before=past - timedelta(9), not_after=past), "expired on 2021-01-02"),
        (authority.issue_cert("127.0.0.1", not_before=future), f"is not valid before {future:%Y-%m-%d}"),
        (authority.issue_cert("other.example"), "is for other.example, not 127.0.0.1"),
        (trustme.CA().issue_cert("127.0.0.1"), "is from an issuer that is not trusted here"),
    ]
    for certificate, words in cases:
        async with serving(answering("HTTP/1.1 200 OK"), presenting(certificate)) as server:
            url = f"https://{server.address}/"
            found = await HttpProbe(url=url, timeout_s=30).look(time.time_ns())
            assert (found.verdict, found.message) == (
                Verdict.FAIL,
                f"the certificate of {server.address} {words}",
            )
            assert (await HttpProbe(url=url, timeout_s=30, verify_tls=False).look(0)).verdict is Verdict.OK


async def test_a_self_signed_certificate_fails_and_says_so(tmp_path: Path) -> None:
    lonely = trustme.CA()
    (tmp_path / "lonely.pem").write_bytes(lonely.private_key_pem.bytes() + lonely.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "lonely.pem")
    async with serving(answering("HTTP/1.1 200 OK"), context) as server:
        found = await HttpProbe(url=f"https://{server.address}/", timeout_s=30).look(0)
    assert (found.verdict, found.message) == (
        Verdict.FAIL,
        f"the certificate of {server.address} is self-signed and not trusted here",
    )


async def test_a_host_name_is_sent_to_the_server_and_must_stand_in_the_certificate(authority: trustme.CA) -> None:
    async with serving(answering("HTTP/1.1 200 OK"), presenting(authority.issue_cert("localhost"))) as server:
        good = await HttpProbe(url=f"https://localhost:{server.port}/", timeout_s=30).look(0)
        bad = await HttpProbe(url=f"https://{server.address}/", timeout_s=30).look(0)
    assert good.verdict is Verdict.OK
    assert bad.message.endswith("is for localhost, not 127.0.0.1")


async def test_plain_http_where_tls_is_wanted_fails() -> None:
    async with serving(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n", then_wait=True)) as server:
        found = await HttpProbe(url=f"https://{server.address}/", timeout_s=30).look(0)
    assert (found.verdict, found.message) == (Verdict.FAIL, f"{server.address} does not speak TLS")


async def test_an_end_within_the_tls_handshake_fails_at_once() -> None:
    async with serving(saying(wait_for=b"\x16\x03")) as server:
        found = await HttpProbe(url=f"https://{server.address}/", timeout_s=30).look(0)
    assert found.verdict is Verdict.FAIL
    assert found.message == f"{server.address} closed the connection during the TLS handshake"


async def test_a_tls_server_that_leaves_without_goodbye_is_believed(authority: trustme.CA) -> None:
    async def curt(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall well")
        await writer.drain()
        writer.transport.abort()

    async with serving(curt, presenting(authority.issue_cert("127.0.0.1"))) as server:
        found = await HttpProbe(url=f"https://{server.address}/", timeout_s=30, expect_body="all well").look(0)
    assert found.verdict is Verdict.OK


async def test_a_cut_off_tls_handshake_fails() -> None:
    async with serving(reset) as server:
        found = await HttpProbe(url=f"https://{server.address}/", timeout_s=30).look(0)
    assert (found.verdict, found.message) == (Verdict.FAIL, f"{server.address} reset the connection")
