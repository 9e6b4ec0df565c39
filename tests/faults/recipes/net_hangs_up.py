"""A server that hangs up without a word."""

from tests.checks.hostile import saying
from tests.faults.families.server import Serving
from tests.faults.recipe import DOWN, Expect


class Fault(Serving):
    expect = Expect(DOWN, "127.0.0.1")
    broken = staticmethod(saying())
