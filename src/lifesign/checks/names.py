"""From a host's name to its addresses, without a name server ever blocking or starving anything of ours.

Numbers and `localhost` are told inline; every other name is looked up in a disposable child, one at a time for
each name. Not here: connecting.
"""

import re
import socket
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeAlias

from lifesign.checks.attempt import Attempt, Trouble
from lifesign.checks.turns import Turns
from lifesign.core.model import Verdict
from lifesign.records import dataclass

if TYPE_CHECKING:
    from lifesign.processes.child import ChildResult

SocketAddress: TypeAlias = tuple[str, int] | tuple[str, int, int, int]

KEEP_S = 60.0  # how long an answer of the name server is trusted
_MAX_NAMES = 256
_MAX_ADDRESSES = 8
_FORM = re.compile(r"(?:\[(?P<six>[^\[\]\s/@]+)\]|(?P<host>[^:\[\]\s/@]+)):(?P<port>\d{1,5})")
_NAME = re.compile(r"(?!-)[\w-]{1,63}(\.[\w-]{1,63})*\.?", re.ASCII)
_LOOK_UP = """
import socket, sys
try:
    found = socket.getaddrinfo(sys.argv[1], None, type=socket.SOCK_STREAM)
except (OSError, UnicodeError) as error:
    print("!", getattr(error, "strerror", None) or error)
else:
    for entry in found:
        print(entry[4][0])
"""


@dataclass(frozen=True, slots=True)
class HostPort:
    """Where to connect to; `str()` is what people read. `port` 1 to 65535."""

    host: str
    port: int

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise ValueError(f"a port is a number from 1 to 65535, not {self.port}")
        if ":" in self.host:
            ip_address(self.host)  # raises ValueError with words of its own
        elif len(self.host) > 253 or _NAME.fullmatch(self.host) is None:
            raise ValueError("a host is a name, an IPv4 address or an IPv6 address")

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(address: str) -> HostPort:
    """`HOST:PORT` or `[IPv6]:PORT`. Raises ValueError with a sentence for the user."""
    match = _FORM.fullmatch(address.strip())
    if match is None:
        raise ValueError('an address is "host:port" or "[IPv6]:port"')
    return HostPort(ascii_host(match["six"] or match["host"]), int(match["port"]))


def ascii_host(host: str) -> str:
    """A host as DNS spells it. Raises ValueError where it cannot."""
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError("this host name cannot be written in DNS") from None


class Resolver:
    """Remembers answers for `KEEP_S` seconds of the loop's monotonic clock; never remembers trouble."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._turns = Turns()

    async def resolve(self, target: HostPort, attempt: Attempt) -> Sequence[SocketAddress]:
        """Socket addresses of `target`, never empty. Raises Trouble with verdict UNKNOWN."""
        numbers = _numeric(target.host, target.port)
        if numbers is None and target.host.lower().rstrip(".") == "localhost":
            return (("127.0.0.1", target.port), ("::1", target.port, 0, 0))
        if numbers is not None:
            return (numbers,)
        attempt.at(f"cannot resolve {target.host}: no answer in {attempt.limit}", Verdict.UNKNOWN)
        before = attempt.elapsed_s
        found = await self._ask(target.host, attempt)
        attempt.resolving_s += attempt.elapsed_s - before
        addresses = tuple(a for a in (_numeric(text, target.port) for text in found) if a is not None)
        if not addresses:
            raise Trouble(f"cannot resolve {target.host}: no address", Verdict.UNKNOWN)
        return addresses

    def forget(self, host: str) -> None:
        """Ask again next time: what was known of `host` did not lead there."""
        self._known.pop(host, None)

    async def _ask(self, host: str, attempt: Attempt) -> tuple[str, ...]:
        import asyncio

        from lifesign.processes.child import run_child

        loop = asyncio.get_running_loop()
        async with self._turns.of(host):
            known = self._known.get(host)
            # A time in the future is another loop's: tests and one-shots run several.
            if known is not None and 0 <= loop.time() - known[0] <= KEEP_S:
                return known[1]
            result = await run_child(
                [sys.executable, "-I", "-S", "-c", _LOOK_UP, host], timeout_s=max(attempt.remaining_s, 0.001)
            )
            found = _addresses(host, result, attempt)
            while len(self._known) >= _MAX_NAMES:
                del self._known[next(iter(self._known))]
            self._known[host] = (loop.time(), found)
            return found


def _numeric(host: str, port: int) -> SocketAddress | None:
    """The address where `host` is a number; asks nobody."""
    try:
        found = socket.getaddrinfo(
            host.encode("ascii"), port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        )
    except (OSError, UnicodeError):
        return None
    address = found[0][4]
    return (str(address[0]), port) if len(address) == 2 else (str(address[0]), port, int(address[2]), int(address[3]))


def loopback_address(target: HostPort) -> SocketAddress | None:
    """The address of `target` where it is a number of this machine's loopback, and nobody need be asked."""
    address = _numeric(target.host, target.port)
    return address if address is not None and ip_address(address[0].partition("%")[0]).is_loopback else None


def numeric_address(target: HostPort) -> SocketAddress | None:
    """The address of `target` where it is a number; of `localhost` the first. Asks nobody."""
    local = target.host.lower().rstrip(".") == "localhost"
    return _numeric("127.0.0.1" if local else target.host, target.port)


def _addresses(host: str, result: "ChildResult", attempt: Attempt) -> tuple[str, ...]:
    if result.start_error is not None:
        raise Trouble(f"cannot resolve {host}: {result.start_error}", Verdict.UNKNOWN)
    if result.timed_out:
        raise Trouble(f"cannot resolve {host}: no answer in {attempt.limit}", Verdict.UNKNOWN)
    lines = result.stdout.decode("utf-8", "replace").splitlines()
    for line in lines:
        if line.startswith("!"):
            raise Trouble(f"cannot resolve {host}: {line[1:].strip()}", Verdict.UNKNOWN)
    if not lines:
        raise Trouble(f"cannot resolve {host}: the look-up ended without an answer", Verdict.UNKNOWN)
    return tuple(dict.fromkeys(lines))[:_MAX_ADDRESSES]


SHARED = Resolver()
