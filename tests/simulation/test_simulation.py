"""Whole lives of a monitor, made from seeds: no law of reliability.md is broken in any of them."""

from dataclasses import asdict, replace
from random import Random

import pytest

from lifesign.core.events import EventName
from tests.figures import Figures
from tests.simulation.faults import STEPS_S, Fault, Kind
from tests.simulation.invariants import Checker
from tests.simulation.lives import MINUTE_S, MIXED_S, Sum, live
from tests.simulation.shrinking import explain, law, shrink
from tests.simulation.simulator import START, Simulator

PARTS, LIVES, FAULTS = 20, 100, 510  # 20 parts of 100 lives of 510 faults: 1,020,000


def test_no_law_is_broken_in_a_few_lives(figures: Figures) -> None:
    results = [live(seed, 250, MIXED_S if seed % 2 else MINUTE_S) for seed in range(6)]
    done = Sum().add(results)
    assert done.faults == 1_500
    told = {name for result in results for name, _, _ in result.told}
    assert told >= {
        EventName.COMPONENT_DOWN,
        EventName.COMPONENT_RECOVERED,
        EventName.COMPONENT_UNKNOWN,
        EventName.COMPONENT_FLAPPING,
        EventName.PROCESS_REPLACED,
        EventName.MONITOR_STALLED,
        EventName.CLOCK_JUMPED,
    }
    figures("simulated", **asdict(done))


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_law_is_broken_in_a_million_faults_and_a_hundred_service_years(part: int, figures: Figures) -> None:
    """Each part asserts its share; every tenth life has shorter intervals than a minute, which is more work."""
    first = 1_000 + part * LIVES
    lives = (live(seed, FAULTS, MINUTE_S if seed % 10 else MIXED_S) for seed in range(first, first + LIVES))
    done = Sum().add(lives)
    assert done.faults >= 1_000_000 / PARTS
    assert done.service_years >= 100 / PARTS
    figures("simulated", **asdict(done))


def test_s5_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    first, again, other = live(77, 80), live(77, 80), live(78, 80)
    assert first.digest == again.digest
    assert first.digest != other.digest


def test_t1_a_life_with_steps_of_the_wall_clock_is_the_same_life_without_them() -> None:
    jumps = 0
    for seed in range(200, 204):
        faults = tuple(fault for fault in Simulator(seed, count=100).plan if fault.kind is not Kind.SUSPEND)
        told, calm = Simulator(seed, faults).run().told, Simulator(seed, faults, steps=False).run().told
        jumps += sum(1 for name, _, _ in told if name is EventName.CLOCK_JUMPED)
        assert [entry for entry in told if entry[0] is not EventName.CLOCK_JUMPED] == calm
    assert jumps > 5


def _with_steps(seed: int, count: int) -> tuple[Fault, ...]:
    """A plan in which nearly every fault is followed by steps of the wall clock, some of them at once."""
    random = Random(f"{seed}/steps")
    steps = [
        [Fault(random.uniform(0, random.choice((0, 1, 30, 200))), Kind.STEP, amount_s=random.choice(STEPS_S))
         for _ in range(random.choice((0, 1, 2, 3)))]
        for _ in range(count)
    ]  # fmt: skip
    plan = Simulator(seed, count=count).plan
    return tuple(each for fault, after in zip(plan, steps, strict=True) for each in (fault, *after))


def test_t1_the_wall_clock_may_be_stepped_again_and_again_before_a_heartbeat_is_read() -> None:
    results = [Simulator(seed, _with_steps(seed, 120)).run() for seed in range(300, 304)]
    assert [result.violations for result in results] == [[]] * 4
    assert sum(name is EventName.CLOCK_JUMPED for result in results for name, _, _ in result.told) > 400


def test_a_broken_law_is_found_and_shrunk_to_the_faults_that_break_it() -> None:
    """The judge is told of one more failure than the monitor asks for: that must come out, in few words."""

    def misjudged(faults: tuple[Fault, ...] | None = None) -> Simulator:
        simulator = Simulator(5, faults, count=120, trace=True)
        stricter = tuple(
            replace(c, checks=tuple(replace(k, failure_threshold=k.failure_threshold + 1) for k in c.checks))
            for c in simulator.components
        )
        simulator.judged_by(Checker(stricter, START.mono_ns))
        return simulator

    whole = misjudged()
    broken = law(whole.run())
    assert broken == "S1-S4"
    left = shrink(misjudged, whole.plan, broken)
    assert len(left) <= 2
    assert {fault.kind for fault in left} <= set(Kind)
    account = explain(5, left, misjudged)
    assert "S1-S4: " in account
    assert "check.failed" in account
