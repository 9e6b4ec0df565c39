"""A firewall on the way that drops every packet without a word."""

from tests.faults.families.network import Host
from tests.faults.recipe import DOWN, Expect


class Fault(Host):
    expect = Expect(DOWN, "did not finish in")

    def inject(self) -> None:
        self.there.run("nft", "add table inet fault")
        self.there.run("nft", "add chain inet fault input { type filter hook input priority 0 ; policy drop ; }")

    def heal(self) -> None:
        self.there.run("nft", "delete table inet fault")
