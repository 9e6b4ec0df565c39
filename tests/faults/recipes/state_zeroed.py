"""Every file of an earlier life is full of zeros, as after a power cut."""

from tests.faults.families.state import StateFault


class Fault(StateFault):
    proof = True
    is_writable = None
    had_a_life_before = True

    def spoil(self) -> None:
        for path in self.state.rglob("*"):
            if path.is_file():
                path.write_bytes(bytes(path.stat().st_size))
