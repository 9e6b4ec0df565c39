"""The monitor alone is stopped for some seconds; its targets live on."""

from tests.faults.families.stop import Stopped


class Fault(Stopped):
    pass
