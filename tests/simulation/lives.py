"""Many lives: a broken law is shrunk and told, and what they came to is counted."""

from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from tests.simulation.faults import Fault
from tests.simulation.shrinking import explain, law, shrink
from tests.simulation.simulator import SERVICES, YEAR_NS, Result, Simulator

MINUTE_S = (60,)
MIXED_S = (10, 30, 60)


def live(seed: int, count: int, intervals_s: tuple[int, ...] = MIXED_S) -> Result:
    """One life of so many faults; a broken law is shrunk to a few faults and told."""
    simulator = Simulator(seed, count=count, intervals_s=intervals_s)
    result = simulator.run()
    if result.violations:

        def again(faults: tuple[Fault, ...]) -> Simulator:
            return Simulator(seed, faults, intervals_s=intervals_s, trace=True)

        pytest.fail(explain(seed, shrink(again, simulator.plan, law(result)), again))
    return result


@dataclass
class Sum:
    """What lives came to. A service-year is a year of one of the four services; calm that was skipped counts in it."""

    service_years: float = 0.0
    lived_years: float = 0.0
    faults: int = 0
    observations: int = 0

    def add(self, results: Iterable[Result]) -> "Sum":
        """Counts these too."""
        for result in results:
            self.service_years += result.service_ns / YEAR_NS
            self.lived_years += result.lived_ns * SERVICES / YEAR_NS
            self.faults += result.faults
            self.observations += result.observations
        return self
