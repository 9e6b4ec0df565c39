"""A question without a task: every way it can end is told once, and none leaves a socket."""

import asyncio
import gc
import os
import socket
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from lifesign.checks.flight import Flight
from lifesign.checks.readiness import READABLE, Readiness


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


@contextmanager
def listening(backlog: int = 8) -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as server:
        yield server


async def flown(
    server: socket.socket, timeout_s: float = 40.0
) -> tuple[Flight, asyncio.Future[bytes | OSError | None]]:
    came: asyncio.Future[bytes | OSError | None] = asyncio.get_running_loop().create_future()
    flight = Flight(server.getsockname(), "it", b"hello", timeout_s, lambda _, found: came.set_result(found))
    assert flight.start()
    assert not came.done()
    return flight, came


async def test_an_answer_comes_back_once() -> None:
    with listening() as server:
        flight, came = await flown(server)
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(16) == b"hello"
            accepted.sendall(b"world")
            assert await came == b"world"
            accepted.sendall(b"again")
        flight.close()


async def test_it_is_gone_with_its_holder_and_waits_for_no_collection_of_garbage() -> None:
    gc.disable()
    try:
        with listening() as server:
            flight, came = await flown(server)
            accepted, _ = server.accept()
            with accepted:
                accepted.sendall(b"world")
                assert await came == b"world"
            attempt = weakref.ref(flight.attempt)
            flight.close()
            del flight
            assert attempt() is None
    finally:
        gc.enable()


async def test_an_end_without_a_word_and_a_reset_are_told_apart() -> None:
    with listening() as server:
        flight, came = await flown(server)
        accepted, _ = server.accept()
        accepted.recv(16)
        accepted.close()
        assert await came == b""
        flight.close()
        flight, came = await flown(server)
        accepted, _ = server.accept()
        accepted.close()  # with a byte unread, which is a reset
        assert isinstance(await came, ConnectionResetError)
        flight.close()


async def test_silence_ends_with_the_time_and_says_where_it_stood() -> None:
    with listening() as server:
        flight, came = await flown(server, timeout_s=0.05)
        assert await came is None
        assert flight.attempt.out_of_time().message == "it accepted the connection and did not answer in 0.05 s"
        flight.close()


async def test_a_connection_that_does_not_come_about_is_waited_for_until_the_time_is_up() -> None:
    with listening(backlog=0) as server, socket.socket() as first, socket.socket() as second:
        for sock in (first, second):
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
        flight, came = await flown(server, timeout_s=0.05)
        assert await came is None
        assert flight.attempt.out_of_time().message == "connecting to it did not finish in 0.05 s"
        flight.close()


async def test_a_connection_that_comes_about_late_is_asked_then() -> None:
    with listening(backlog=0) as server, socket.socket() as first:
        first.setblocking(False)
        first.connect_ex(server.getsockname())
        flight, came = await flown(server, timeout_s=20)
        server.accept()[0].close()  # makes room; the kernel knocks again after a second
        server.setblocking(False)
        accepted, _ = await asyncio.get_running_loop().sock_accept(server)
        with accepted:
            accepted.sendall(b"late")
            assert await came == b"late"
        flight.close()


async def test_a_closed_port_is_no_flight_and_nothing_is_held_afterwards() -> None:
    before = descriptors()
    with listening() as server:
        address = server.getsockname()
    refused = Flight(address, "it", b"x", 5.0, lambda *_: None)
    assert not refused.start()
    assert descriptors() <= before


async def test_one_that_is_closed_is_never_heard_of_again() -> None:
    with listening() as server:
        flight, came = await flown(server, timeout_s=0.05)
        before = descriptors()
        flight.close()
        flight.close()
        assert descriptors() == before - 1
        await asyncio.sleep(0.1)
        assert not came.done()


async def test_a_number_with_a_new_owner_is_not_called_for_the_old_one() -> None:
    readiness, called = Readiness(), list[str]()
    ours, theirs = socket.socketpair()
    with theirs:
        readiness.wait(ours.fileno(), READABLE, lambda: called.append("old"))
        theirs.sendall(b"x")
        readiness.forget(ours.fileno())
        readiness.wait(ours.fileno(), READABLE, lambda: called.append("new"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert called == ["new"]
        readiness.forget(ours.fileno())
        ours.close()


def test_each_event_loop_waits_for_itself() -> None:
    for _ in range(2):
        asyncio.run(test_an_answer_comes_back_once())
