"""A file has the name of the state folder."""

from tests.faults.families.state import StateFault


class Fault(StateFault):
    def spoil(self) -> None:
        self.state.write_text("in the way")
