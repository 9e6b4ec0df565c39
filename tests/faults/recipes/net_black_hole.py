"""A port that answers nobody: its queue is full, and the kernel drops who knocks."""

import socket

from tests.faults.families.port import Port
from tests.faults.recipe import DOWN, Expect


class Fault(Port):
    expect = Expect(DOWN, "did not finish in")

    def inject(self) -> None:
        self.shut()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(0)
        self.fillers = [socket.socket() for _ in range(4)]
        for filler in self.fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))

    def heal(self) -> None:
        for filler in self.fillers:
            filler.close()
        self.listener.close()
        super().heal()
