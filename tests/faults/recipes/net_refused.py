"""Nobody listens."""

from tests.faults.families.port import Port
from tests.faults.recipe import DOWN, Expect


class Fault(Port):
    expect = Expect(DOWN, "connection refused")
    """A port that is closed."""
