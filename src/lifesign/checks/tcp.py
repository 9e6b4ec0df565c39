"""The `tcp` check: a port accepts, and answers where an answer is expected. No protocol of its own."""

import time
from typing import TYPE_CHECKING

from lifesign.checks.attempt import Attempt, Trouble, bounded, observed
from lifesign.checks.names import SHARED, HostPort, Resolver, ascii_host, loopback_address, parse_address
from lifesign.checks.net import Security, Stream, knock, open_stream
from lifesign.core.model import Observation, Verdict

if TYPE_CHECKING:
    from lifesign.checks.expectation import Pattern

MAX_ANSWER_BYTES = 65536
_OK = Verdict.OK  # Python 3.11 takes 0.14 µs to find it in its enumeration


class TcpProbe:
    """Connects to `address` (`host:port`, `[IPv6]:port`) within `timeout_s` seconds.

    `send`: said first, as UTF-8. `expect`: an RE2 pattern, searched in the first 64 KiB that come back. `tls`: after
    a handshake; `server_name` is whom the certificate must be for (default: the host). Raises ValueError.
    """

    def __init__(
        self,
        *,
        address: str,
        timeout_s: float,
        send: str | None = None,
        expect: str | None = None,
        tls: bool = False,
        verify_tls: bool = True,
        server_name: str | None = None,
        resolver: Resolver = SHARED,
    ) -> None:
        self._target = parse_address(address)
        self._timeout_s = timeout_s
        self._send = None if send is None else send.encode("utf-8", "surrogateescape")
        self._expect = None if expect is None else _pattern(expect)
        name = HostPort(ascii_host(server_name), self._target.port) if server_name else self._target
        self._security = Security(name.host, verify_tls) if tls else None
        self._resolver = resolver
        self._peer = str(self._target)
        self._connected = f"connected to {self._peer}"
        only_knocks = self._send is None and self._expect is None and not tls
        self._at_once = loopback_address(self._target) if only_knocks else None

    async def look(self, now_wall_ns: int) -> Observation:
        """One connection. FAIL where the target does not accept or answer, UNKNOWN where we cannot tell."""
        del now_wall_ns
        return await bounded(self._timeout_s, self._walk)

    def look_at_once(self, now_wall_ns: int) -> Observation | None:
        """The same for a port of the loopback that is only knocked at, which needs no waiting."""
        del now_wall_ns
        if self._at_once is None:
            return None
        began_s = time.monotonic()
        try:
            accepted = knock(self._at_once)
        except OSError as error:
            found = observed(self._peer, error)
            return Observation(found.verdict, found.message, time.monotonic() - began_s)
        return Observation(_OK, self._connected, time.monotonic() - began_s) if accepted else None

    def close(self) -> None:
        """Nothing is held between two looks."""

    async def _walk(self, attempt: Attempt) -> Observation:
        stream = await open_stream(self._target, attempt, self._security, self._resolver)
        try:
            if self._send is not None:
                attempt.at(f"{stream.peer} did not take what was sent in {attempt.limit}")
                await stream.send(self._send)
            if self._expect is not None:
                await _answer(stream, self._expect, attempt)
                return Observation(Verdict.OK, f"{stream.peer} answered as expected")
            return Observation(Verdict.OK, self._connected)
        finally:
            stream.close()


def _pattern(text: str) -> "Pattern":
    from lifesign.checks.expectation import Pattern  # RE2 is not needed to knock at a port

    return Pattern(text)


async def _answer(stream: Stream, expected: "Pattern", attempt: Attempt) -> None:
    """Reads until `expected` matches. Raises Trouble."""

    def in_vain() -> str:
        return (
            f"{stream.peer} answered {attempt.quoted(answer)}, and nothing that matches {expected} in {attempt.limit}"
        )

    answer = bytearray()
    attempt.at(f"{stream.peer} accepted the connection and said nothing for {attempt.limit}")
    while len(answer) < MAX_ANSWER_BYTES:
        data = await stream.receive()
        if not data and not answer:
            raise Trouble(f"{stream.peer} closed the connection and said nothing")
        if not data:
            break
        answer += data[: MAX_ANSWER_BYTES - len(answer)]
        if expected.found_in(answer):
            return
        attempt.at(
            f"{stream.peer} answered {attempt.quoted(answer)}, and nothing that matches {expected} in {attempt.limit}"
        )
    raise Trouble(f"{stream.peer} answered {attempt.quoted(answer)}, which does not match {expected}")
