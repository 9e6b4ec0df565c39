"""Who may ask what: the rules of each listener, as pure functions over what a connection and a request say.

Not here: sockets (`api.sockets`), limits of time and number (`api.guard`).
"""

import array
import hmac
import ipaddress
import os
import pwd
import re
import socket
import struct
from dataclasses import field
from functools import lru_cache

from lifesign.records import dataclass

_SO_PEERGROUPS = 59  # Linux 4.13; Python has no name for it
_MAX_OPTION_BYTES = 1024
_HOST = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[^\[\]:]+))(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a UNIX socket, by the kernel's word. None of it can be forged."""

    pid: int
    uid: int
    groups: frozenset[int]


@dataclass(frozen=True, slots=True)
class UnixListener:
    """The daemon's own socket. `group_id`: who else may attach."""

    group_id: int | None = None

    def admits(self, peer: Peer | None) -> bool:
        """Our own uid, root, or a member of the socket's group."""
        if peer is None:
            return False
        return peer.uid in {0, os.getuid()} or (self.group_id is not None and self.group_id in peer.groups)


@dataclass(frozen=True, slots=True)
class TcpListener:
    """A TCP port. `off_loopback`: other machines reach it, so nothing but health is told without the token."""

    token: str | None = field(repr=False)
    allowed_hosts: frozenset[str] = frozenset({"127.0.0.1", "localhost"})
    off_loopback: bool = False

    def serves_host(self, host: str) -> bool:
        """Whether a Host header names us, with or without a port: a page of a rebound name cannot."""
        folded = host.lower()
        return bool(folded) and not self.allowed_hosts.isdisjoint({folded, _without_port(folded)})

    def trusts(self, token: str | None) -> bool:
        """Whether `token` is ours; False where none is set."""
        return self.token is not None and token is not None and same_secret(self.token, token)


Listener = UnixListener | TcpListener


def same_secret(expected: str, given: str) -> bool:
    """Compares in a time that does not depend on where the two differ."""
    return hmac.compare_digest(expected.encode("utf-8", "surrogatepass"), given.encode("utf-8", "surrogatepass"))


def bearer(header: str | None) -> str | None:
    """The token of an Authorization header; None where it has none, or bytes that are no text."""
    scheme, _, token = (header or "").partition(" ")
    is_text = not any("\ud800" <= sign <= "\udfff" for sign in token)
    return token.strip() or None if scheme.lower() == "bearer" and is_text else None


def is_same_origin(origin: str, host: str) -> bool:
    """Whether a browser's Origin header names the very host that was asked. Any other page is foreign."""
    scheme, separator, netloc = origin.partition("://")
    return bool(separator) and scheme.lower() in {"http", "https"} and netloc.lower() == host.lower()


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches `address`, a literal IP address."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def read_peer(sock: socket.socket) -> Peer | None:
    """The peer of a connected UNIX socket; None where the kernel does not tell."""
    try:
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError:
        return None
    pid, uid, group_id = struct.unpack("3i", raw)
    return Peer(pid, uid, frozenset({group_id}) | _read_groups(sock))


def _read_groups(sock: socket.socket) -> frozenset[int]:
    """The peer's supplementary groups. Python reads at most 1 KiB, so that of over 256 groups none is seen."""
    groups = array.array("I")
    try:
        groups.frombytes(sock.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MAX_OPTION_BYTES))
    except OSError:
        return frozenset()
    return frozenset(groups)


@lru_cache(maxsize=64)
def author_of(uid: int) -> str:
    """The name that goes beside an action of a peer: the user's, else `uid N`."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def signed(told: str | None, proven: str) -> str:
    """The proven user; where a client names another (the human behind sudo), that name with the proven one beside it.

    No name can pretend to be another's proof: brackets in it are squared.
    """
    name = (told or "").translate({ord("("): "[", ord(")"): "]"})
    return proven if name in {"", proven} else f"{name} ({proven})"


def _without_port(host: str) -> str:
    """`name`, `1.2.3.4` or `::1` of a Host header; what is no host stays as it is, and matches nothing."""
    found = _HOST.fullmatch(host)
    return host if found is None else found["address"] or found["name"]
