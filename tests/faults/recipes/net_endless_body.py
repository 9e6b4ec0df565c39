"""A body without an end."""

from tests.checks.hostile import flooding
from tests.faults.families.server import Serving
from tests.faults.recipe import DOWN, Expect


class Fault(Serving):
    expect = Expect(DOWN, "larger than 1 MiB")
    broken = staticmethod(flooding(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536))
