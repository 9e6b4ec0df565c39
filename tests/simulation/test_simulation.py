"""Whole lives of a monitor, made from seeds: no law of reliability.md is broken in any of them."""

import sys
import time
from dataclasses import replace

import pytest

from lifesign.core.events import EventName
from tests.simulation.faults import Fault, Kind, S
from tests.simulation.invariants import Checker
from tests.simulation.shrinking import explain, law, shrink
from tests.simulation.simulator import START, Result, Simulator

YEAR_NS = 31_557_600 * S


def live(seed: int, count: int) -> Result:
    """One life; a broken law is shrunk to a few faults and told."""
    simulator = Simulator(seed, count=count)
    result = simulator.run()
    if result.violations:

        def again(faults: tuple[Fault, ...]) -> Simulator:
            return Simulator(seed, faults, trace=True)

        pytest.fail(explain(seed, shrink(again, simulator.plan, law(result)), again))
    return result


def figures(results: list[Result], spent_s: float) -> str:
    """What a run came to, in one line."""
    faults, seen = sum(r.faults for r in results), sum(r.observations for r in results)
    years = sum(r.service_ns for r in results) / YEAR_NS
    lived = sum(r.lived_ns for r in results) * 4 / YEAR_NS
    return (
        f"{years:.2f} service-years ({lived:.2f} lived through, the rest calm), {faults} faults, "
        f"{seen} observations, {seen / spent_s:.0f} a second, 0 violations\n"
    )


def test_no_law_is_broken_in_a_few_lives() -> None:
    began_s = time.perf_counter()
    results = [live(seed, 250) for seed in range(6)]
    sys.stdout.write(figures(results, time.perf_counter() - began_s))
    assert sum(result.faults for result in results) == 1_500
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


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_no_law_is_broken_in_many_lives() -> None:
    began_s = time.perf_counter()
    results: list[Result] = []
    while time.perf_counter() - began_s < 170:
        results.append(live(1_000 + len(results), 500))
    sys.stdout.write(figures(results, time.perf_counter() - began_s))
    assert sum(result.faults for result in results) >= 5_000


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


def test_a_broken_law_is_found_and_shrunk_to_the_faults_that_break_it() -> None:
    """The judge is told of one more failure than the monitor asks for: that must come out, in few words."""

    def misjudged(faults: tuple[Fault, ...] | None = None) -> Simulator:
        simulator = Simulator(5, faults, count=120, trace=True)
        stricter = tuple(
            replace(c, checks=tuple(replace(k, failure_threshold=k.failure_threshold + 1) for k in c.checks))
            for c in simulator.components
        )
        checker = Checker(stricter, START.mono_ns)
        for name in ("mind", "feed"):
            checker.wrote(next(at for at in simulator._specs if at == (name, "beat")), START.mono_ns)
        simulator.checker = checker
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
