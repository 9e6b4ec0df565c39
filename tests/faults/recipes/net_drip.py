"""One byte each third of a second: no single read takes long, and the whole never ends."""

from tests.checks.hostile import dripping
from tests.faults.families.server import Serving
from tests.faults.recipe import DOWN, Expect


class Fault(Serving):
    expect = Expect(DOWN, "did not end in 1 s")
    broken = staticmethod(dripping(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 99))
