"""The right status over the wrong page."""

from tests.checks.hostile import saying
from tests.faults.families.server import Serving
from tests.faults.recipe import DOWN, Expect


class Fault(Serving):
    expect = Expect(DOWN, "does not match")
    broken = staticmethod(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", wait_for=b"\r\n\r\n"))
