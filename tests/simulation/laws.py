"""Which law of reliability.md is held by what: the one place to look. A test keeps it true.

`judge`: broken in a simulated life it is told under that name (`invariants.Checker`, with `books` and `rollup`), and
`test_judge` plants such a break. `tests`: other tests that hold it, as path::function.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Law:
    """One promise."""

    name: str
    words: str
    judge: str = ""
    tests: tuple[str, ...] = ()


LAWS = (
    Law(
        "S1",
        "a run of failures too short or too few never changes a verdict",
        "S1-S4",
        ("core/test_check_machine.py::test_s1_a_run_of_failures_too_short_or_too_few_changes_no_verdict",),
    ),
    Law("S2", "what fails for F + 2I is failed, by the truth alone", "S2"),
    Law("S3", "recovery needs its successes in a row, for every check that was to blame", "S3"),
    Law("S4", "unknown moves no streak, and is shown after 2I + timeout", "S1-S4"),
    Law(
        "S5",
        "the same input, the same bytes, whatever other checks interleave",
        "",
        (
            "simulation/test_simulation.py::test_s5_the_same_seed_gives_the_same_bytes_and_another_one_others",
            "core/test_monitor.py::test_s5_the_same_input_gives_the_same_bytes",
            "core/test_monitor.py::test_s5_what_becomes_of_a_component_is_its_own_whatever_others_do",
        ),
    ),
    Law("S6", "flapping by its window, one incident at most, calm one window after", "S6"),
    Law("S7", "down and recovered alternate, each incident has one id and one end, over deaths too", "S7"),
    Law(
        "S8",
        "a reload that changes nothing tells nothing and moves no timer, streak or incident",
        "S8",
        ("core/test_reload.py::test_s8_a_reload_of_the_same_changes_nothing_at_whatever_moment",),
    ),
    Law("S9", "a silence changes no state, and tells of no check or component", "S9"),
    Law("S10", "a dependency that is down suppresses, and turns no row green", "S10"),
    Law(
        "S11",
        "no signal is ok unless it advances in time",
        "S1-S4",
        ("core/test_signal.py::test_s11_no_unmoving_signal_stays_ok",),
    ),
    Law("S12", "a counter that rests for stuck_after fails unless the writer is not busy", "S1-S4"),
    Law(
        "T1",
        "a step of the wall clock adds no transition",
        "",
        ("simulation/test_simulation.py::test_t1_a_life_with_steps_of_the_wall_clock_is_the_same_life_without_them",),
    ),
    Law("T2", "what began or ended in a stall and the grace after it is no failure", "S1-S4"),
    Law("T3", "after it S2 holds again; stalls that repeat turn the whole unknown", "T3"),
    Law("T4", "two looks of one check never overlap", "T4"),
    Law("T5", "every check has run within 2I, or is shown overdue", "T5"),
    Law("roll-up", "components and the whole are what the contract makes of their parts", "roll-up"),
    Law("calm", "an hour after the last fault all is healthy and every incident has its end", "calm"),
)
