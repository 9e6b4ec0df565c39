"""Kinds of value that name a place on the network: addresses and URLs. Checked for their form, never looked up."""

import re
from typing import Any, ClassVar, Self

from lifesign.config.values import Context, OpenValue, read_text
from lifesign.text import clean

_NAME = re.compile(r"(?!-)[\w-]{1,63}(\.[\w-]{1,63})*\.?", re.ASCII)
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")


def check_host(host: str) -> None:
    """Raise ValueError where `host` (an IPv6 address without brackets) is neither a name nor an address."""
    if ":" in host:
        _check_ipv6(host)
        return
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_host = ""
    if len(ascii_host) > 253 or not _NAME.fullmatch(ascii_host):
        raise ValueError(f"{clean(host, 60)!r} is no host name or address")


def _check_ipv6(host: str) -> None:
    import ipaddress  # 4 ms that few configs need

    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        raise ValueError(f"{clean(host, 60)!r} is no IPv6 address") from None


class Address(str):
    """`host:port`, an IPv6 address in brackets."""

    __slots__ = ()
    lowest_port: ClassVar[int] = 1
    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": r"^.+:\d+$"}

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """Checked for its form, not looked up."""
        del context
        text = read_text(value, 'an address like "127.0.0.1:8765"')
        host, colon, port = text.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or not host:
            raise ValueError(f'{clean(text, 60)!r} is no address: write "host:port", as in "127.0.0.1:8765"')
        if not cls.lowest_port <= int(port[:9]) <= 65535:
            raise ValueError(f"port {clean(port, 12)} is out of range ({cls.lowest_port} to 65535)")
        if host.startswith("[") and host.endswith("]"):
            _check_ipv6(host[1:-1])
        elif ":" in host:
            raise ValueError(f'an IPv6 address stands in brackets: "[{clean(host, 60)}]:{port}"')
        else:
            check_host(host)
        return cls(text)

    @property
    def host(self) -> str:
        """Without brackets."""
        return self.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """1 to 65535; of a listener also 0, any free one."""
        return int(self.rpartition(":")[2])


class ListenAddress(Address):
    """Where we listen: port 0 is any free one."""

    __slots__ = ()
    lowest_port: ClassVar[int] = 0

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        import ipaddress

        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class HttpUrl(str):
    """An absolute URL without a user part: what is secret goes into a header by reference."""

    __slots__ = ()
    schemes: ClassVar[tuple[str, ...]] = ("http", "https")
    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^https?://"}

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """Checked for scheme, host, port and for a password in it."""
        del context
        return cls(cls.checked(read_text(value, f"a URL like {cls.schemes[0]}://host/path")))

    @classmethod
    def checked(cls, text: str) -> str:
        """`text` where it is such a URL; ValueError otherwise, without a password in its message."""
        from urllib.parse import urlsplit

        expected = " or ".join(f"{scheme}://" for scheme in cls.schemes)
        if _SPACE.search(text) or not text.lower().startswith(tuple(f"{scheme}://" for scheme in cls.schemes)):
            raise ValueError(f"must be a URL that begins with {expected}")
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError("the host or the port of this URL is none") from None
        if "@" in parts.netloc:
            raise ValueError('no user or password in a URL: put it into headers, as { env = "NAME" }')
        if not host:
            raise ValueError("this URL names no host")
        if port == 0:
            raise ValueError("port 0 is out of range (1 to 65535)")
        check_host(host)
        return text


class WebsocketUrl(HttpUrl):
    """The same for `ws://` and `wss://`."""

    __slots__ = ()
    schemes: ClassVar[tuple[str, ...]] = ("ws", "wss")
    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^wss?://"}


class PrivateUrl(OpenValue):
    """A URL that may be a secret as a whole: a webhook with a token in its path."""

    __slots__ = ()

    @classmethod
    def read(cls, value: object, context: Context) -> Self:
        """A plain `http://` or `https://` URL, or a secret by reference."""
        if isinstance(value, str):
            HttpUrl.read(value, context)
        secret = super().read(value, context)
        if context.reads_secrets:
            HttpUrl.checked(secret.reveal())
        return secret
