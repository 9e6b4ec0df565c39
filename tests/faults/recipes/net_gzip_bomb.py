"""Fifty megabytes in fifty kilobytes."""

import gzip

from tests.checks.hostile import saying
from tests.faults.families.server import Serving
from tests.faults.recipe import DOWN, Expect

BOMB = gzip.compress(b"a" * 50_000_000)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB)


class Fault(Serving):
    expect = Expect(DOWN, "compressed")
    broken = staticmethod(
        saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB)
    )
