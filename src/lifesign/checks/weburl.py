"""A web address taken apart, and where a redirect may lead. Pure; the user part never comes out as text."""

import base64
import re
from dataclasses import field, replace
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from lifesign.checks.names import HostPort, ascii_host
from lifesign.checks.net import Security
from lifesign.records import dataclass

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_SECURE = ("https", "wss")
_TARGET_SAFE = "!#$%&'()*+,/:;=?@[]~"
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class WebUrl:
    """`target`: path and query as they are sent. `authorization`: a Basic header's value made of the user part."""

    scheme: str
    address: HostPort
    target: str
    authorization: str | None = field(default=None, repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def host_header(self) -> str:
        """As RFC 9110, 7.2 wants it: without the scheme's own port."""
        text = str(self.address)
        return text.removesuffix(f":{self.address.port}") if self.address.port == _PORTS[self.scheme] else text

    def security(self, verify: bool) -> Security | None:
        """The TLS that the scheme asks for."""
        return Security(self.address.host, verify) if self.scheme in _SECURE else None

    def redirected(self, location: str) -> "WebUrl | str":
        """Where `location` leads, with our credentials; or, where it leads too far to follow, words for where."""
        try:
            there = _parse(urljoin(f"{self.scheme}://{self.host_header}{self.target}", location), ("http", "https"))
        except ValueError:
            return "an address that cannot be used"
        if there.address.host.lower() != self.address.host.lower():
            return f"another host ({there.address.host})"
        upgraded = (self.scheme, self.address.port, there.scheme, there.address.port) == ("http", 80, "https", 443)
        if there.scheme != self.scheme and not upgraded:
            return f"another scheme ({there.scheme})"
        if there.address.port != self.address.port and not upgraded:
            return f"another port ({there.address})"
        return replace(there, authorization=self.authorization, secrets=self.secrets)


def parse_url(text: str, schemes: tuple[str, ...]) -> WebUrl:
    """Raises ValueError with a sentence for the user, which repeats nothing of the address but its scheme."""
    return _parse(text.strip(), schemes)


def _parse(text: str, schemes: tuple[str, ...]) -> WebUrl:
    if _UNPRINTABLE.search(text):
        raise ValueError("an address has no white space and no control characters in it")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("this is no web address") from None
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"an address here is {' or '.join(f'{scheme}://host…' for scheme in schemes)}")
    address = HostPort(ascii_host(parts.hostname), port if port is not None else _PORTS[parts.scheme])
    target = quote(parts.path or "/", safe=_TARGET_SAFE) + (
        f"?{quote(parts.query, safe=_TARGET_SAFE)}" if parts.query else ""
    )
    authorization, secrets = _credentials(parts)
    return WebUrl(parts.scheme, address, target, authorization, secrets)


def _credentials(parts: SplitResult) -> tuple[str | None, frozenset[str]]:
    if not parts.username and not parts.password:
        return None, frozenset()
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    # A lone user part is a token more often than a name.
    hidden = {encoded, password, parts.password or ""} | (set() if password else {user})
    return f"Basic {encoded}", frozenset(secret for secret in hidden if secret)
