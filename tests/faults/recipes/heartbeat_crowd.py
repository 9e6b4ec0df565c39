"""A hundred thousand files beside it."""

from tests.faults.families.heartbeat_file import Beating
from tests.faults.recipe import HEALTHY, Expect


class Fault(Beating):
    expect = Expect(HEALTHY)
    proof = True

    def beat_broken(self) -> None:
        self.beat()

    def inject(self) -> None:
        for number in range(100_000):
            self.path.with_name(f"other-{number}").touch()

    def heal(self) -> None:
        for path in self.path.parent.glob("other-*"):
            path.unlink()
        super().heal()
