"""A web server that accepts and says nothing."""

from tests.checks.hostile import silence
from tests.faults.families.server import Serving
from tests.faults.recipe import DOWN, Expect


class Fault(Serving):
    expect = Expect(DOWN, "accepted the connection and did not answer")
    broken = staticmethod(silence)
