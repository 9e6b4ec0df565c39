"""What a server's certificate says of itself: until when, for whom. Reads DER, trusts nothing, verifies nothing.

Python tells neither for a certificate that it refused, and refused ones are those that people ask about.
"""

from datetime import UTC, datetime

from lifesign.records import dataclass
from lifesign.text import clean

_SEQUENCE = 0x30
_EXTENSIONS = 0xA3
_OCTETS = 0x04
_OBJECT = 0x06
_UTC_TIME = 0x17
_GENERALIZED_TIME = 0x18
_ALTERNATIVE_NAMES = bytes.fromhex("551d11")
_DNS_NAME = 0x82
_IP_ADDRESS = 0x87
_MAX_NAMES = 4


@dataclass(frozen=True, slots=True)
class Certificate:
    """`not_before`, `not_after`: UTC. `names`: the first few DNS names and addresses, cleaned."""

    not_before: datetime
    not_after: datetime
    names: tuple[str, ...] = ()

    def days_left(self, now_wall_ns: int) -> float:
        """Days until it expires; negative once it has."""
        return self.not_after.timestamp() / 86400 - now_wall_ns / 86_400_000_000_000


def read_certificate(der: bytes) -> Certificate | None:
    """The certificate, or None where `der` is not one."""
    try:
        return _read(der)
    except (ValueError, IndexError, OverflowError):
        return None


def _read(der: bytes) -> Certificate:
    fields = _items(_items(_items(der)[0][1])[0][1])
    if fields[0][0] == 0xA0:  # the version, absent in version 1
        fields = fields[1:]
    times = [_time(tag, value) for tag, value in _items(fields[3][1])]
    extensions = [value for tag, value in fields if tag == _EXTENSIONS]
    return Certificate(times[0], times[1], _names(extensions[0]) if extensions else ())


def _items(data: bytes) -> list[tuple[int, bytes]]:
    """The (tag, content) pairs one level deep. Raises ValueError, IndexError."""
    found = []
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length >= 0x80:
            width = length & 0x7F
            if not 0 < width <= 4:
                raise ValueError("a length that no certificate has")
            length = int.from_bytes(data[at : at + width], "big")
            at += width
        if at + length > len(data):
            raise ValueError("cut off")
        found.append((tag, data[at : at + length]))
        at += length
    return found


def _time(tag: int, value: bytes) -> datetime:
    text = value.decode("ascii")
    if tag == _UTC_TIME:  # RFC 5280, 4.1.2.5.1: two digits, 50 to 99 are of the last century
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("no time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _names(extensions: bytes) -> tuple[str, ...]:
    for _, extension in _items(_items(extensions)[0][1]):
        parts = _items(extension)
        if parts[0] != (_OBJECT, _ALTERNATIVE_NAMES) or parts[-1][0] != _OCTETS:
            continue
        found = []
        for tag, value in _items(_items(parts[-1][1])[0][1])[:_MAX_NAMES]:
            if tag == _DNS_NAME:
                found.append(clean(value.decode("ascii", "replace"), 80))
            elif tag == _IP_ADDRESS and len(value) == 4:
                found.append(".".join(str(octet) for octet in value))
        return tuple(found)
    return ()
