"""Waiting for many sockets at the price of one: an epoll of our own, which the event loop sees as one descriptor.

The loop's own `add_reader` and `remove_reader` cost 10 µs a look in Python; this costs one system call. A socket that
is closed leaves it by itself. Not here: what is done once a socket is ready.
"""

import asyncio
import select
from collections.abc import Callable

READABLE = select.EPOLLIN
WRITABLE = select.EPOLLOUT
_MOST_AT_ONCE = 64  # then others on the loop have their turn


class Readiness:
    """Calls back once for each `wait`. A call may come though nothing is ready: a number can have a new owner."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._epoll: select.epoll | None = None
        self._waiting: dict[int, Callable[[], None]] = {}

    def wait(self, descriptor: int, events: int, ready: Callable[[], None]) -> None:
        """Calls `ready` when `descriptor` is. Call within an event loop. Raises OSError."""
        epoll = self._of_this_loop()
        try:
            epoll.register(descriptor, events | select.EPOLLONESHOT)
        except FileExistsError:
            epoll.modify(descriptor, events | select.EPOLLONESHOT)
        self._waiting[descriptor] = ready

    def forget(self, descriptor: int) -> None:
        """Does not call back any more: to be said before `descriptor` is closed or given away."""
        if self._waiting.pop(descriptor, None) is not None and self._epoll is not None:
            self._epoll.unregister(descriptor)

    def _of_this_loop(self) -> select.epoll:
        loop = asyncio.get_running_loop()
        if self._epoll is None or loop is not self._loop:
            self._waiting.clear()
            if self._epoll is not None:
                self._epoll.close()
            self._epoll, self._loop = select.epoll(), loop
            loop.add_reader(self._epoll.fileno(), self._ready)
        return self._epoll

    def _ready(self) -> None:
        assert self._epoll is not None
        for descriptor, _ in self._epoll.poll(0, _MOST_AT_ONCE):
            ready = self._waiting.pop(descriptor, None)
            if ready is not None:
                ready()


SHARED = Readiness()
