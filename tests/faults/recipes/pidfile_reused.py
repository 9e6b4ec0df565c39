"""A pid that a later process got, which the pidfile never meant."""

import os

from tests.faults.families.process import Pidfile
from tests.faults.recipe import DOWN, Expect


class Fault(Pidfile):
    expect = Expect(DOWN, "started after the pidfile was written")

    def inject(self) -> None:
        os.utime(self.pidfile, (1_700_000_000, 1_700_000_000))
