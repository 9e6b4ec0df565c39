"""The `http` check: one request a look, judged by status, body and certificate.

Safe by default: one total deadline, capped header and body, no decompression, no redirect across hosts, and neither
proxy nor netrc nor cookies from anywhere. Not here: parsing.
"""

import re
import socket
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple, TypeAlias

from lifesign.checks.attempt import Attempt, Trouble, bounded, observed
from lifesign.checks.certificate import Certificate
from lifesign.checks.expectation import JsonPart, Pattern, Statuses
from lifesign.checks.flight import Flight
from lifesign.checks.http_exchange import Exchange, Request, encoded, status_words
from lifesign.checks.http_plain import read_plainly
from lifesign.checks.names import SHARED, Resolver, SocketAddress, numeric_address
from lifesign.checks.net import SocketStream, Stream, open_stream
from lifesign.checks.webheaders import HeaderValue, RequestHeaders
from lifesign.checks.weburl import WebUrl, parse_url
from lifesign.core.model import JsonValue, Observation, Verdict
from lifesign.text import clean, redact

Finding: TypeAlias = Observation | Coroutine[Any, Any, Observation]
"""What came of a look: the answer, or what is to be awaited for it."""

Done: TypeAlias = Callable[[Callable[[], Finding]], None]

MAX_REDIRECTS = 5
_METHOD = re.compile(r"[A-Z]{1,20}")
_REDIRECTS = (301, 302, 303, 307, 308)
_KEEPS_METHOD = (307, 308)


class _Answer(NamedTuple):
    """What a request led to. `body` is None where nobody asked for it; `leads_to` where it is a redirect."""

    status: int
    peer: str
    body: bytes | None = None
    leads_to: str | None = None
    certificate: Certificate | None = None


class HttpProbe:
    """Requests `url` within `timeout_s` seconds in all, redirects to the same host included.

    `headers`: a value may be called for its secret. `expect_status`: `"200-299"`, `"200,404"`. `expect_body`: an RE2
    pattern. `expect_json`: a part of the document, see `JsonPart`; an empty one asks for nothing. `cert_days`: WARN
    where the certificate expires in fewer days. Raises ValueError with a sentence that repeats no secret.
    """

    def __init__(
        self,
        *,
        url: str,
        timeout_s: float,
        method: str = "GET",
        headers: Mapping[str, HeaderValue] | None = None,
        body: str | None = None,
        expect_status: str = "200-299",
        expect_body: str | None = None,
        expect_json: Mapping[str, JsonValue] | None = None,
        verify_tls: bool = True,
        cert_days: float | None = None,
        resolver: Resolver = SHARED,
    ) -> None:
        self._url = parse_url(url, ("http", "https"))
        self._timeout_s = timeout_s
        self._method = method.upper()
        if not _METHOD.fullmatch(self._method) or self._method == "CONNECT":
            raise ValueError("a method is GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS")
        self._headers = RequestHeaders(headers or {})
        self._body = None if body is None else body.encode("utf-8")
        self._statuses = Statuses(expect_status)
        self._pattern = None if expect_body is None else Pattern(expect_body)
        self._json = JsonPart(expect_json) if expect_json else None
        self._verify_tls = verify_tls
        self._cert_days = cert_days
        self._resolver = resolver
        self._wants_body = self._pattern is not None or self._json is not None
        self._peer = str(self._url.address)
        self._good = 0, "", ""  # status, peer and words of the last good answer
        self._plain: bytes | None = None
        self._address: SocketAddress = ("", 0)
        self._flight: Flight | None = None

    async def look(self, now_wall_ns: int) -> Observation:
        """One request; `now_wall_ns` (CLOCK_REALTIME) tells how long the certificate has yet to live."""

        async def walk(attempt: Attempt) -> Observation:
            answer = await self._follow(attempt)
            return self._judged(answer, attempt, now_wall_ns)

        return await bounded(self._timeout_s, walk)

    def begin(self, now_wall_ns: int, done: Done) -> bool:
        """Begins a look that takes no task; `done` is called with what comes of it. False where only `look` will do."""
        plain = self._plain_request() if self._plain is None else self._plain
        if not plain:
            return False
        self.close()

        def landed(flight: Flight, came: bytes | OSError | None) -> None:
            done(lambda: self._landed(flight, came, now_wall_ns))

        flight = Flight(self._address, self._peer, plain, self._timeout_s, landed)
        if not flight.start():
            return False
        self._flight = flight
        return True

    def _plain_request(self) -> bytes:
        """What a look says that needs neither name server nor TLS nor a secret; empty where it takes one of them."""
        url, self._plain = self._url, b""
        address = numeric_address(url.address)
        is_plain = url.scheme == "http" and url.authorization is None and self._headers.is_public
        if address is not None and is_plain and self._body is None and self._method in ("GET", "HEAD"):
            self._address = address
            headers = self._headers.read(url, Attempt(self._timeout_s))
            self._plain = encoded(Request(self._method, url.target, headers))
        return self._plain

    def _landed(self, flight: Flight, came: bytes | OSError | None, now_wall_ns: int) -> Finding:
        attempt, self._flight = flight.attempt, None
        if isinstance(came, bytes):
            answer = self._plainly_answered(came)
            if answer is None:
                return self._go_on(flight.take(), came, attempt, now_wall_ns)
            flight.close()
            found = self._judged(answer, attempt, now_wall_ns)
            if found.verdict is Verdict.OK:  # the words of a good answer are all our own
                return found
        else:
            flight.close()
            found = attempt.out_of_time() if came is None else observed(self._peer, came)
        return Observation(found.verdict, redact(clean(found.message), ()), attempt.elapsed_s, found.metrics)

    def _plainly_answered(self, data: bytes) -> _Answer | None:
        """None where it takes more than a glance: more to read, a redirect to follow, anything unusual."""
        plain = read_plainly(data)
        if plain is None:
            return None
        if plain.status not in self._statuses:
            leads_on = plain.is_redirect and plain.status in _REDIRECTS
            return None if leads_on else _Answer(plain.status, self._peer)
        if not self._wants_body:
            return _Answer(plain.status, self._peer)
        return None if plain.body is None or self._method == "HEAD" else _Answer(plain.status, self._peer, plain.body)

    async def _go_on(self, sock: socket.socket, heard: bytes, attempt: Attempt, now_wall_ns: int) -> Observation:
        """The rest of a look that was begun without a task."""

        async def walk(attempt: Attempt) -> Observation:
            request = Request(self._method, self._url.target, self._headers.read(self._url, attempt))
            answer = await self._ask(SocketStream(sock, self._peer), request, attempt, heard)
            return self._judged(await self._follow(attempt, answer), attempt, now_wall_ns)

        return await bounded(self._timeout_s, walk, attempt)

    def close(self) -> None:
        """Ends a look that was begun. Nothing is held between two looks."""
        if self._flight is not None:
            self._flight.close()
            self._flight = None

    async def _follow(self, attempt: Attempt, first: _Answer | None = None) -> _Answer:
        """The answer at the end of the redirects, of which `first` is known already. Raises Trouble."""
        url, method, body = self._url, self._method, self._body
        visited = {(method, url)}
        for _ in range(MAX_REDIRECTS + 1):
            answer = first or await self._request(url, method, body, attempt)
            first = None
            if answer.leads_to is None:
                return answer
            there = url.redirected(answer.leads_to)
            if isinstance(there, str):
                raise Trouble(f"{answer.peer} redirects to {there}: not followed")
            if answer.status not in _KEEPS_METHOD and method != "HEAD":
                method, body = "GET", None
            if (method, there) in visited:
                raise Trouble(f"redirect loop at {answer.peer}")
            visited.add((method, there))
            url = there
        raise Trouble(f"{answer.peer} redirects more than {MAX_REDIRECTS} times")

    async def _request(self, url: WebUrl, method: str, body: bytes | None, attempt: Attempt) -> _Answer:
        """One exchange. Raises Trouble."""
        request = Request(method, url.target, self._headers.read(url, attempt), body)
        stream = await open_stream(url.address, attempt, url.security(self._verify_tls), self._resolver)
        return await self._ask(stream, request, attempt)

    async def _ask(self, stream: Stream, request: Request, attempt: Attempt, heard: bytes | None = None) -> _Answer:
        """One exchange over `stream`, which is closed after it. Raises Trouble."""
        try:
            exchange = Exchange(stream, attempt)
            answer = _Answer(await exchange.ask(request, heard), stream.peer, certificate=stream.certificate)
            if answer.status in self._statuses:
                return answer._replace(body=await exchange.body() if self._wants_body else None)
            location = exchange.header("location")
            return answer._replace(leads_to=location or None) if answer.status in _REDIRECTS else answer
        finally:
            stream.close()

    def _judged(self, answer: _Answer, attempt: Attempt, now_wall_ns: int) -> Observation:
        metrics = {"status": float(answer.status)}
        if answer.status not in self._statuses:
            words = f"{answer.peer} answered {status_words(answer.status)}, expected {self._statuses}"
            return Observation(Verdict.FAIL, words, metrics=metrics)
        fault = self._body_fault(answer.body or b"", attempt)
        if fault is not None:
            return Observation(Verdict.FAIL, f"{answer.peer} answered {answer.status}, but {fault}", metrics=metrics)
        if self._good[:2] != (answer.status, answer.peer):
            self._good = answer.status, answer.peer, f"{status_words(answer.status)} from {answer.peer}"
        words = self._good[2]
        if self._cert_days is None or answer.certificate is None:
            return Observation(Verdict.OK, words, attempt.elapsed_s, metrics)
        days = answer.certificate.days_left(now_wall_ns)
        metrics["cert_days"] = round(days, 2)
        if days >= self._cert_days:
            return Observation(Verdict.OK, words, attempt.elapsed_s, metrics)
        return Observation(Verdict.WARN, f"{words}, but {_expiry(answer.certificate, days)}", metrics=metrics)

    def _body_fault(self, body: bytes, attempt: Attempt) -> str | None:
        if self._pattern is not None and not self._pattern.found_in(body):
            return f"the body {attempt.quoted(body)} does not match {self._pattern}"
        return None if self._json is None else self._json.mismatch(body, attempt.hide)


def _expiry(certificate: Certificate, days: float) -> str:
    date = f"{certificate.not_after:%Y-%m-%d}"
    return (
        f"its certificate expires in {days:.1f} days, on {date}" if days > 0 else f"its certificate expired on {date}"
    )
