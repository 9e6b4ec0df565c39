"""A firewall on the way that turns every packet away, and says so."""

from tests.faults.families.network import Host
from tests.faults.recipe import DOWN, Expect


class Fault(Host):
    expect = Expect(DOWN, "refused")

    def inject(self) -> None:
        self.there.run("nft", "add table inet fault")
        self.there.run("nft", "add chain inet fault input { type filter hook input priority 0 ; }")
        self.there.run("nft", "add rule inet fault input tcp dport 7000 reject with tcp reset")

    def heal(self) -> None:
        self.there.run("nft", "delete table inet fault")
