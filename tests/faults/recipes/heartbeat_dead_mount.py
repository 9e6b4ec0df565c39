"""A mount whose server died: every touch is an error, which is none of the heartbeat's writer."""

from tests.faults.families.mount import Mounted
from tests.faults.recipe import UNKNOWN, Expect


class Fault(Mounted):
    expect = Expect(UNKNOWN, "the file system's server is gone")

    def inject(self) -> None:
        super().inject()
        self.end_server()
