"""A server that answers, and says that it fails."""

from tests.checks.hostile import saying
from tests.faults.families.server import Serving
from tests.faults.recipe import DOWN, Expect


class Fault(Serving):
    expect = Expect(DOWN, "500")
    broken = staticmethod(saying(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", wait_for=b"\r\n\r\n"))
