"""A body that ends before its announced length."""

from tests.checks.hostile import saying
from tests.faults.families.server import Serving
from tests.faults.recipe import DOWN, Expect


class Fault(Serving):
    expect = Expect(DOWN, "broken off or malformed")
    broken = staticmethod(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nyes", wait_for=b"\r\n\r\n"))
