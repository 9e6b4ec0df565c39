"""Ten thousand headers."""

from tests.checks.hostile import saying
from tests.faults.families.server import END, Serving
from tests.faults.recipe import DOWN, Expect


class Fault(Serving):
    expect = Expect(DOWN, "larger than 64 KiB")
    broken = staticmethod(saying(b"HTTP/1.1 200 OK\r\n", *(b"x-%d: yes\r\n" % n for n in range(10_000)), END))
