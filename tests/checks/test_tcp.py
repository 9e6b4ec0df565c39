"""The tcp check against real sockets, most of them hostile."""

import asyncio
import errno
import os
import resource
import socket
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import trustme

from lifesign.checks import net
from lifesign.checks.attempt import Attempt, observed
from lifesign.checks.names import HostPort, Resolver, parse_address
from lifesign.checks.tcp import TcpProbe
from lifesign.core.model import Observation, Verdict
from tests.checks.hostile import (
    deaf,
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


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
    """An authority that this process trusts."""
    with trusted_authority(monkeypatch.setenv) as ca:
        yield ca


async def timed_look(probe: TcpProbe) -> tuple[Observation, float]:
    async with Stopwatch() as watch:
        found = await probe.look(time.time_ns())
    return found, watch.s


async def test_a_listening_port_is_ok() -> None:
    async with serving(silence) as server:
        found = await TcpProbe(address=server.address, timeout_s=30).look(time.time_ns())
    assert (found.verdict, found.message) == (Verdict.OK, f"connected to 127.0.0.1:{server.port}")
    assert 0 < found.latency_s < 30


async def test_a_closed_port_fails_and_says_refused() -> None:
    port = free_port()
    found = await TcpProbe(address=f"127.0.0.1:{port}", timeout_s=30).look(time.time_ns())
    assert (found.verdict, found.message) == (Verdict.FAIL, f"connection refused by 127.0.0.1:{port}")


async def test_localhost_reaches_a_server_that_listens_on_ipv6_only() -> None:
    with socket.socket(socket.AF_INET6) as listening:
        try:
            listening.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
        listening.listen()
        port = listening.getsockname()[1]
        found = await TcpProbe(address=f"localhost:{port}", timeout_s=30).look(time.time_ns())
        assert found.verdict is Verdict.OK
        found = await TcpProbe(address=f"[::1]:{port}", timeout_s=30).look(time.time_ns())
        assert (found.verdict, found.message) == (Verdict.OK, f"connected to [::1]:{port}")


async def test_localhost_with_nobody_listening_fails_with_or_without_ipv6() -> None:
    found = await TcpProbe(address=f"localhost:{free_port()}", timeout_s=30).look(time.time_ns())
    assert found.verdict is Verdict.FAIL
    assert "refused" in found.message


@contextmanager
def black_hole() -> Iterator[int]:
    """A port of 127.0.0.1 whose backlog is full: the kernel drops who knocks."""
    with ExitStack() as held:
        listening = held.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            filler = held.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        yield int(listening.getsockname()[1])


async def test_a_black_hole_fails_by_its_timeout() -> None:
    with black_hole() as port:
        found, took_s = await timed_look(TcpProbe(address=f"127.0.0.1:{port}", timeout_s=0.4))
    assert (found.verdict, found.message) == (Verdict.FAIL, f"connecting to 127.0.0.1:{port} did not finish in 0.4 s")
    assert took_s < 0.9


async def test_an_address_in_a_black_hole_leaves_time_for_the_next() -> None:
    with black_hole() as port, socket.socket(socket.AF_INET6) as listening:
        try:
            listening.bind(("::1", port))
        except OSError:
            pytest.skip("no IPv6 here")
        listening.listen()
        found, took_s = await timed_look(TcpProbe(address=f"localhost:{port}", timeout_s=1))
    assert found.verdict is Verdict.OK
    assert took_s < 0.9


async def test_a_name_server_that_eats_the_time_makes_no_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nsleep 1.1\necho 127.0.0.1\n")
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    with black_hole() as port:
        found, took_s = await timed_look(TcpProbe(address=f"slow.example:{port}", timeout_s=2, resolver=Resolver()))
    assert found.verdict is Verdict.UNKNOWN
    assert "resolving the name took 1." in found.message
    assert took_s < 2.5


async def test_one_name_is_looked_up_once_for_all_who_ask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    counting = tmp_path / "python"
    counting.write_text(f"#!/bin/sh\necho asked >>'{tmp_path}/log'\nsleep 0.1\necho 127.0.0.1\n")
    counting.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(counting))
    resolver = Resolver()
    async with serving(silence) as server:
        probe = TcpProbe(address=f"busy.example:{server.port}", timeout_s=30, resolver=resolver)
        founds = await asyncio.gather(*(probe.look(0) for _ in range(5)))
    assert {found.verdict for found in founds} == {Verdict.OK}
    assert (tmp_path / "log").read_text() == "asked\n"


async def test_what_a_name_server_says_is_cleaned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rude = tmp_path / "python"
    rude.write_text("#!/bin/sh\nprintf '! \\033]0;go away\\007\\n'\n")
    rude.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(rude))
    found = await TcpProbe(address="rude.example:80", timeout_s=30, resolver=Resolver()).look(0)
    assert found.verdict is Verdict.UNKNOWN
    assert "go away" in found.message
    assert found.message.isprintable()


async def test_a_machine_without_ipv6_still_believes_a_refusal_over_ipv4() -> None:
    refused, absent = ConnectionRefusedError(errno.ECONNREFUSED, ""), OSError(errno.EADDRNOTAVAIL, "")
    attempt = Attempt(1.0)
    assert net._most_telling([refused, absent], "here", attempt).verdict is Verdict.FAIL
    assert net._most_telling([absent], "here", attempt).verdict is Verdict.UNKNOWN


async def test_reading_what_is_already_there_gives_others_their_turn() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.sendall(b"x" * (3 * net.CHUNK_BYTES))
        stream = net.SocketStream(ours, "here")
        other = asyncio.create_task(asyncio.sleep(0))
        for _ in range(3):
            await stream.receive()
        assert other.done()


@pytest.mark.parametrize(
    ("number", "verdict"),
    [
        (errno.ECONNREFUSED, Verdict.FAIL),
        (errno.ECONNRESET, Verdict.FAIL),
        (errno.EPIPE, Verdict.FAIL),
        (errno.EHOSTUNREACH, Verdict.FAIL),
        (errno.ENETUNREACH, Verdict.FAIL),
        (errno.ETIMEDOUT, Verdict.FAIL),
        (errno.EMFILE, Verdict.UNKNOWN),
        (errno.ENFILE, Verdict.UNKNOWN),
        (errno.EADDRNOTAVAIL, Verdict.UNKNOWN),
        (errno.ENOBUFS, Verdict.UNKNOWN),
        (errno.ENOMEM, Verdict.UNKNOWN),
    ],
)
def test_whose_fault_a_system_error_is(number: int, verdict: Verdict) -> None:
    found = observed("here:1", OSError(number, os.strerror(number)))
    assert found.verdict is verdict
    assert "here:1" in found.message


async def test_a_port_that_accepts_and_stays_silent_fails_by_its_timeout() -> None:
    async with serving(silence) as server:
        found, took_s = await timed_look(TcpProbe(address=server.address, timeout_s=0.4, expect="PONG"))
    assert (found.verdict, found.message) == (
        Verdict.FAIL,
        f"127.0.0.1:{server.port} accepted the connection and said nothing for 0.4 s",
    )
    assert took_s < 0.9


async def test_an_answer_that_matches_is_ok_though_it_comes_in_pieces() -> None:
    async with serving(saying(b"+PO", b"NG\r\n", pause_s=0.05, then_wait=True, wait_for=b"PING\r\n")) as server:
        found = await TcpProbe(address=server.address, timeout_s=30, send="PING\r\n", expect="^.PONG").look(0)
    assert (found.verdict, found.message) == (Verdict.OK, f"127.0.0.1:{server.port} answered as expected")


async def test_another_answer_fails_and_is_shown_without_its_escapes() -> None:
    async with serving(saying(b"\x1b]52;c;eA==\x07-ERR \xff no\r\n")) as server:
        found = await TcpProbe(address=server.address, timeout_s=30, expect="PONG").look(0)
    assert found.verdict is Verdict.FAIL
    assert "-ERR" in found.message
    assert found.message.endswith('which does not match "PONG"')
    assert "\x1b" not in found.message
    assert "\x07" not in found.message


async def test_a_drip_that_never_matches_fails_by_the_one_deadline() -> None:
    async with serving(dripping(b"x", pause_s=0.1)) as server:
        found, took_s = await timed_look(TcpProbe(address=server.address, timeout_s=0.5, expect="PONG"))
    assert found.verdict is Verdict.FAIL
    assert 'and nothing that matches "PONG" in 0.5 s' in found.message
    assert took_s < 1.0


async def test_an_endless_answer_fails_at_its_cap_and_costs_no_memory() -> None:
    async with serving(flooding(b"", b"x" * 4096)) as server:
        probe = TcpProbe(address=server.address, timeout_s=30, expect="PONG")
        tracemalloc.start()
        try:
            found, took_s = await timed_look(probe)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert found.verdict is Verdict.FAIL
    assert "does not match" in found.message
    assert peak < 4 << 20
    assert took_s < 20


async def test_an_end_without_a_word_fails() -> None:
    async with serving(saying()) as server:
        found = await TcpProbe(address=server.address, timeout_s=30, expect="x").look(0)
    assert (found.verdict, found.message) == (
        Verdict.FAIL,
        f"127.0.0.1:{server.port} closed the connection and said nothing",
    )


async def test_a_reset_fails() -> None:
    async with serving(reset) as server:
        found = await TcpProbe(address=server.address, timeout_s=30, send="hello", expect="x").look(0)
    assert (found.verdict, found.message) == (Verdict.FAIL, f"127.0.0.1:{server.port} reset the connection")


async def test_a_peer_that_takes_nothing_fails_by_the_deadline() -> None:
    async with serving(deaf) as server:
        found, took_s = await timed_look(TcpProbe(address=server.address, timeout_s=0.4, send="x" * (48 << 20)))
    assert (found.verdict, found.message) == (
        Verdict.FAIL,
        f"127.0.0.1:{server.port} did not take what was sent in 0.4 s",
    )
    assert took_s < 0.9


async def test_a_connection_to_ourselves_is_refused() -> None:
    """The kernel may give us the very port we knock at; then connect() succeeds with nobody listening."""
    with socket.socket() as proof:
        proof.bind(("127.0.0.1", 0))
        proof.connect(proof.getsockname())  # it does
    with socket.socket() as knocking:
        knocking.bind(("127.0.0.1", 0))
        knocking.setblocking(False)
        with pytest.raises(ConnectionRefusedError):
            await net._settle(knocking, knocking.getsockname())


async def test_no_descriptor_left_is_unknown_and_no_failure() -> None:
    async with serving(silence) as server:
        probe = TcpProbe(address=server.address, timeout_s=30)
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
        try:
            found = await probe.look(0)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert found.verdict is Verdict.UNKNOWN
    assert "descriptor" in found.message


async def test_a_name_that_does_not_resolve_is_unknown() -> None:
    found = await TcpProbe(address="no-such-name.invalid:80", timeout_s=30, resolver=Resolver()).look(0)
    assert found.verdict is Verdict.UNKNOWN
    assert found.message.startswith("cannot resolve no-such-name.invalid: ")


async def test_a_name_of_this_machine_resolves_in_a_child_and_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    name = socket.gethostname()
    resolver = Resolver()
    with socket.socket() as listening:
        listening.bind(("0.0.0.0", 0))
        listening.listen()
        probe = TcpProbe(address=f"{name}:{listening.getsockname()[1]}", timeout_s=30, resolver=resolver)
        first = await probe.look(0)
        if first.verdict is Verdict.UNKNOWN:
            pytest.skip("this machine cannot resolve its own name")
        assert first.verdict is Verdict.OK
        monkeypatch.setattr(sys, "executable", "/nonexistent/python")  # another look-up would fail
        assert (await probe.look(0)).verdict is Verdict.OK
    assert (await probe.look(0)).verdict is Verdict.FAIL  # refused: forgets the address
    assert (await probe.look(0)).verdict is Verdict.UNKNOWN


async def test_a_hung_resolver_is_unknown_by_the_deadline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hung = tmp_path / "python"
    hung.write_text("#!/bin/sh\nexec sleep 60\n")
    hung.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(hung))
    resolver = Resolver()
    probes = [TcpProbe(address="slow.example:80", timeout_s=0.6, resolver=resolver) for _ in range(5)]
    async with Stopwatch() as watch:
        founds = await asyncio.gather(*(probe.look(0) for probe in probes))
    assert watch.s < 1.5
    assert {found.verdict for found in founds} == {Verdict.UNKNOWN}
    assert founds[0].message == "cannot resolve slow.example: no answer in 0.6 s"


async def test_a_cancelled_look_hangs_up() -> None:
    came, gone = asyncio.Event(), asyncio.Event()

    async def watching(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await reader.read()
        gone.set()

    async with serving(watching) as server:
        look = asyncio.create_task(TcpProbe(address=server.address, timeout_s=30, expect="x").look(0))
        await came.wait()
        look.cancel()
        with pytest.raises(asyncio.CancelledError):
            await look
        async with asyncio.timeout(40):
            await gone.wait()


@pytest.mark.parametrize("address", ["", "host", "host:", ":80", "host:0", "host:65536", "a b:80", "::1:80", "h:1:2"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"address|port"):
        TcpProbe(address=address, timeout_s=1)


def test_addresses_are_read_as_people_write_them() -> None:
    assert parse_address("[::1]:8765") == HostPort("::1", 8765)
    assert parse_address("localhost:80") == HostPort("localhost", 80)
    assert parse_address("bücher.example:443") == HostPort("xn--bcher-kva.example", 443)


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        TcpProbe(address="h:1", timeout_s=1, expect="(")


def test_the_module_imports_no_http_and_no_websocket_library() -> None:
    script = "import sys, lifesign.checks.tcp; print(sorted({'h11', 'wsproto', 'aiohttp', 're2'} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


async def test_tls_with_a_good_certificate_is_ok(authority: trustme.CA) -> None:
    async with serving(saying(b"hello", then_wait=True), presenting(authority.issue_cert("127.0.0.1"))) as server:
        found = await TcpProbe(address=server.address, timeout_s=30, tls=True, expect="hello").look(0)
    assert (found.verdict, found.message) == (Verdict.OK, f"127.0.0.1:{server.port} answered as expected")


async def test_a_stalled_tls_handshake_fails_by_the_deadline() -> None:
    async with serving(silence) as server:
        found, took_s = await timed_look(TcpProbe(address=server.address, timeout_s=0.4, tls=True))
    assert (found.verdict, found.message) == (
        Verdict.FAIL,
        f"TLS handshake with 127.0.0.1:{server.port} did not finish in 0.4 s",
    )
    assert took_s < 0.9


async def test_a_port_without_tls_fails_and_says_so() -> None:
    async with serving(saying(b"220 mail.example ESMTP\r\n", then_wait=True)) as server:
        found = await TcpProbe(address=server.address, timeout_s=30, tls=True).look(0)
    assert (found.verdict, found.message) == (Verdict.FAIL, f"127.0.0.1:{server.port} does not speak TLS")


async def test_an_unknown_authority_fails_unless_verification_is_off() -> None:
    async with serving(silence, presenting(trustme.CA().issue_cert("127.0.0.1"))) as server:
        strict = await TcpProbe(address=server.address, timeout_s=30, tls=True).look(0)
        loose = await TcpProbe(address=server.address, timeout_s=30, tls=True, verify_tls=False).look(0)
    assert strict.verdict is Verdict.FAIL
    assert "not trusted here" in strict.message
    assert loose.verdict is Verdict.OK
