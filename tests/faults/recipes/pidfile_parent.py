"""A pidfile that names who started the monitor."""

import os

from tests.faults.families.process import Pidfile
from tests.faults.recipe import DOWN, Expect


class Fault(Pidfile):
    expect = Expect(DOWN, "lifesign itself or its kin")

    def inject(self) -> None:
        self.write(os.getpid())
