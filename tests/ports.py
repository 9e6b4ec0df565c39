"""Ports of the loopback that a test may call its own: for a server that it starts later, or for nobody at all."""

import itertools
import os
import socket
from contextlib import suppress

# Below those that the kernel gives to whoever asks for any port (32768 and up): between our choice and our use nobody
# else comes to one. Each process begins at a place of its own, so that those which run side by side do not meet.
_FIRST, _COUNT = 10_000, 22_000
_PORTS = itertools.count(os.getpid() * 7919)


def free_port() -> int:
    """A port where nobody listens, another one each time."""
    for number in itertools.islice(_PORTS, _COUNT):
        port = _FIRST + number % _COUNT
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port is taken")
