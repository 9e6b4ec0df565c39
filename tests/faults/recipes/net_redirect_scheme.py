"""A redirect to a file of ours."""

from tests.faults.families.server import Serving, redirecting
from tests.faults.recipe import DOWN, Expect


class Fault(Serving):
    expect = Expect(DOWN, "an address that cannot be used")
    broken = staticmethod(redirecting(b"file:///etc/passwd"))
