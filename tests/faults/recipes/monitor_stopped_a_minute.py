"""The monitor alone is stopped for a minute, longer than any limit of its checks."""

from tests.faults.families.stop import Stopped


class Fault(Stopped):
    for_s = 60.0
    proof = True
