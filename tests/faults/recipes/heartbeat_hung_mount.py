"""A mount that hangs: whoever touches it waits in the kernel, and nobody can say what the file holds."""

from tests.faults.families.mount import Mounted
from tests.faults.recipe import UNKNOWN, Expect


class Fault(Mounted):
    expect = Expect(UNKNOWN, "does not answer")
