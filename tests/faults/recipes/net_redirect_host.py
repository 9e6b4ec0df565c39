"""A redirect that leads to another host, which the headers are not meant for."""

from tests.faults.families.server import Serving, redirecting
from tests.faults.recipe import DOWN, Expect


class Fault(Serving):
    expect = Expect(DOWN, "another host")
    broken = staticmethod(redirecting(b"http://example.org/"))
