"""A Hypothesis state machine of restarts: whatever operators, workers and clocks do in whatever order, no law breaks.

The same world and the same judge as in the seeded lives, but every chance is Hypothesis's: what breaks is shrunk.
"""

from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lifesign.core.restart import Phase
from tests.simulation.governor_world import FAULTS, NAMES, Life

names = st.sampled_from(NAMES)
QUICK = settings(max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))


class Restarts(RuleBasedStateMachine):
    """One monitor over four workers."""

    life: Life
    dry_run = False

    @initialize(chance=st.randoms(use_true_random=False))
    def begin(self, chance: Random) -> None:
        """A life whose chances are drawn."""
        self.life = Life(0, chance=chance, dry_run=self.dry_run)
        self.life.live_for(60)

    @rule(seconds=st.sampled_from((1, 20, 90, 300, 2_000)))
    def live(self, seconds: int) -> None:
        """Time goes by."""
        self.life.live_for(seconds)

    @rule(fault=st.sampled_from((*sorted(set(FAULTS)), "mend")), name=names)
    def strike(self, fault: str, name: str) -> None:
        """Something breaks, or mends itself."""
        self.life.strike(fault, name)

    @rule(action=st.sampled_from(("hold", "release", "rearm", "restart", "kill")), name=names)
    def operate(self, action: str, name: str) -> None:
        """Somebody interferes."""
        self.life.operate(action, name)

    @invariant()
    def every_law_holds(self) -> None:
        """By the judge's own books."""
        if hasattr(self, "life"):
            assert self.life.judge.violations == []

    @invariant()
    def what_is_shown_fits_together(self) -> None:
        """Phases and figures as the contract words them."""
        if not hasattr(self, "life"):
            return
        for view in self.life.monitor.view(self.life.now).components:
            shown, spec = view.restart, view.spec.restart
            assert shown is not None
            assert spec is not None
            assert 0 <= shown.budget_left <= spec.max_restarts
            assert (shown.budget_left == 0) is (shown.budget_at_wall_ns is not None)
            assert (shown.phase is Phase.EXHAUSTED) <= (shown.unproductive >= spec.max_unproductive)
            assert (shown.next_at_wall_ns is not None) is (shown.phase in (Phase.WAITING, Phase.BACKOFF))


class DryRestarts(Restarts):
    """A dry run: it decides and tells, and asks for no deed."""

    dry_run = True


TestRestarts = Restarts.TestCase
TestRestarts.settings = QUICK
TestDryRestarts = DryRestarts.TestCase
TestDryRestarts.settings = settings(QUICK, max_examples=8)


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(900)
@pytest.mark.parametrize("machine", [Restarts, DryRestarts])
def test_no_law_of_restarts_breaks_in_whatever_order(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(QUICK, max_examples=300, stateful_step_count=50))
