"""Not one byte is left on the disk of the state folder."""

import contextlib

from tests.faults.families.state import Tmpfs


class Fault(Tmpfs):
    def spoil(self) -> None:
        with (self.state / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(1024))
