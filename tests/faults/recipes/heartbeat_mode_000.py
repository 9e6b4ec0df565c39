"""A file that may not be read, by a monitor without the power to pass over modes: we cannot tell."""

import os

from tests.faults.families.heartbeat_file import HeartbeatFile
from tests.faults.recipe import UNKNOWN, Expect


class Fault(HeartbeatFile):
    expect = Expect(UNKNOWN, "could not read")
    batch = "without the power to pass over modes"
    programs = ("setpriv",)
    proof = True

    def inject(self) -> None:
        self.path.chmod(0)

    def prefix(self) -> list[str]:
        if os.geteuid() != 0:
            return []
        return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
