"""The other host's cable is pulled: nobody answers who asks for it."""

from tests.faults.families.network import Host
from tests.faults.recipe import DOWN, Expect


class Fault(Host):
    expect = Expect(DOWN, "198.51.100.2:7000")

    def inject(self) -> None:
        self.there.run("ip", "link", "set", "cable", "down")

    def heal(self) -> None:
        self.there.run("ip", "link", "set", "cable", "up")
