"""A server that resets every connection."""

from tests.checks.hostile import reset
from tests.faults.families.server import Serving
from tests.faults.recipe import DOWN, Expect


class Fault(Serving):
    expect = Expect(DOWN, "reset")
    broken = staticmethod(reset)
