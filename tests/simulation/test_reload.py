"""A life in which the config is reloaded after every fault is byte for byte the life in which it never was (S8)."""

from dataclasses import replace

import pytest

from lifesign.core.spec import MonitorSpec
from tests.simulation.faults import Fault
from tests.simulation.simulator import Simulator


class Reloading(Simulator):
    """After each fault every component gets another title, and every check stays as it is."""

    reloads = 0

    def _strike(self, fault: Fault) -> None:
        super()._strike(fault)
        self.reloads += 1
        components = self._monitor.spec.components
        renamed = tuple(replace(component, title=f"version {self.reloads}") for component in components)
        self._take(self._monitor.reconfigure(MonitorSpec(renamed), (), self.now))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_s8_reloads_at_the_worst_moments_change_nothing_of_what_stays(seed: int) -> None:
    untouched, reloaded = Simulator(seed, count=100), Reloading(seed, count=100)
    expected, found = untouched.run(), reloaded.run()
    assert reloaded.reloads == found.faults == 100
    assert found.violations == []
    assert (found.digest, found.told) == (expected.digest, expected.told)
