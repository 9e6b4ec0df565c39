"""An HTTP answer as nearly all servers give it, understood at once; None for everything that is in any way unusual.

A strict part of what h11 accepts (RFC 9112): whatever is not plainly well-formed and whole is left to it
(`http_exchange`). Not here: sockets.
"""

import re
from typing import NamedTuple

_MOST_BYTES = 16384
# No alternative here can match in two ways: the time is linear, whatever the text.
_HEAD = re.compile(
    rb"HTTP/1\.[01] ([2-5]\d\d)(?: [\x20-\x7e]*)?((?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e]*)*)\r\n\r\n"
)
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,7})[ \t]*(?=\r\n|$)")
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*(?=\r\n|$)")


class PlainAnswer(NamedTuple):
    """`body` is None where it has not all come, or in a way that takes reading; `is_redirect`: it says where to.

    A tuple, for one is made for every look.
    """

    status: int
    body: bytes | None
    is_redirect: bool


def read_plainly(data: bytes) -> PlainAnswer | None:
    """The answer that `data` begins with, its head whole."""
    if len(data) > _MOST_BYTES:
        return None
    match = _HEAD.match(data)
    if match is None:
        return None
    status, fields = int(match[1]), match[2].lower()
    lengths, codings = fields.count(b"\r\ncontent-length:"), fields.count(b"\r\ntransfer-encoding:")
    length = _LENGTH.search(fields) if lengths == 1 else None
    if lengths + codings > 1 or (lengths and length is None) or (codings and _CHUNKED.search(fields) is None):
        return None
    body = None
    if length is not None and status == 200 and b"\r\ncontent-encoding:" not in fields:
        body = data[match.end() :]
        if len(body) != int(length[1]):
            body = None
    return PlainAnswer(status, body, b"\r\nlocation:" in fields)
