"""A socket in its place."""

import contextlib
import socket

from tests.faults.families.heartbeat_file import OddKind
from tests.faults.recipe import DOWN, Expect


class Fault(OddKind):
    expect = Expect(DOWN, "is a socket")

    def plant(self) -> None:
        with contextlib.chdir(self.path.parent), socket.socket(socket.AF_UNIX) as planted:
            planted.bind(self.path.name)  # a whole path may be longer than a socket's name
