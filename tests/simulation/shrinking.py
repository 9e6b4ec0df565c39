"""From a life in which a law was broken to the shortest one in which it still is, told line by line."""

from collections.abc import Callable

from tests.simulation.faults import Fault
from tests.simulation.simulator import Result, Simulator

Make = Callable[[tuple[Fault, ...]], Simulator]


def law(result: Result) -> str:
    """The first law that was broken; empty for none."""
    return result.violations[0].partition(":")[0] if result.violations else ""


def shrink(make: Make, faults: tuple[Fault, ...], broken: str) -> tuple[Fault, ...]:
    """Leaves out ever smaller parts of the plan while the same law stays broken."""
    size = max(1, len(faults) // 2)
    while True:
        at = 0
        while at < len(faults):
            shorter = faults[:at] + faults[at + size :]
            if law(make(shorter).run()) == broken:
                faults = shorter
            else:
                at += size
        if size == 1:
            return faults
        size = max(1, size // 2)


def explain(seed: int, faults: tuple[Fault, ...], make: Make) -> str:
    """A readable account: the broken law, the faults that are left, and what was seen and told."""
    simulator = make(faults)
    result = simulator.run()
    lines = [f"seed {seed}: {'; '.join(result.violations)}", *(str(fault) for fault in faults), *result.trace[-60:]]
    return "\n".join(lines)
