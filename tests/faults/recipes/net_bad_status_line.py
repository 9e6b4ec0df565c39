"""An answer that is no HTTP."""

from tests.checks.hostile import saying
from tests.faults.families.server import Serving
from tests.faults.recipe import DOWN, Expect


class Fault(Serving):
    expect = Expect(DOWN, "HTTP")
    broken = staticmethod(saying(b"ICY 200 yes\r\n\r\n", wait_for=b"\r\n\r\n"))
