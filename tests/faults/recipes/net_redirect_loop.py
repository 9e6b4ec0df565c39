"""A page that redirects to itself."""

from tests.faults.families.server import Serving, redirecting
from tests.faults.recipe import DOWN, Expect


class Fault(Serving):
    expect = Expect(DOWN, "redirect loop")
    broken = staticmethod(redirecting(b"/"))
