"""A port that accepts and says nothing."""

from tests.checks.hostile import saying, silence
from tests.faults.families.server import TCP, Serving
from tests.faults.recipe import DOWN, Expect


class Fault(Serving):
    expect = Expect(DOWN, "said nothing")
    check = TCP
    good = staticmethod(saying(b"yes"))
    broken = staticmethod(silence)
