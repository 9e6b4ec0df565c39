"""The comparison that README.md shows is the one that can be run, and it still runs."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.comparison.cases import CASES
from tests.comparison.run import Seen, run
from tests.comparison.table import PROGRAMS, cell, drawn, placed, titles
from tests.readme import README

ABSENT = [name for name in ("monit", "supervisord") if shutil.which(name) is None]
HANDFUL = (
    "process killed",
    "fresh timestamps, the counter rests",
    "port closed",
    "HTTP 500",
    "one bad answer, then good ones",
)
TOLD, MISSED, BLIND = Seen(2.5, ()), Seen(None, ()), Seen(None, (), is_blind=True)


def test_the_readme_shows_every_fault_and_no_other() -> None:
    assert titles(README.read_text()) == [case.title for case in CASES]


def test_a_cell_tells_seconds_misses_blindness_and_false_alarms() -> None:
    fails = CASES[0]
    is_well = next(case for case in CASES if not case.must_tell)
    assert [cell(fails, seen) for seen in (TOLD, MISSED, BLIND)] == ["2.5 s", "missed", "cannot see"]
    assert cell(fails, Seen(2.5, ("before",))) == "2.5 s, **false alarm**"
    assert [cell(is_well, seen) for seen in (MISSED, Seen(None, ("it",)))] == ["quiet", "**false alarm**"]


def test_a_table_takes_the_place_of_the_one_before() -> None:
    table = drawn({case.title: dict.fromkeys(PROGRAMS, TOLD) for case in CASES})
    once = placed("a\n<!-- measured: comparison -->\nold\n<!-- end -->\nb", table)
    assert titles(once) == [case.title for case in CASES]
    assert placed(once, table) == once


@pytest.mark.proof
@pytest.mark.timeout(400)
@pytest.mark.skipif(ABSENT != [], reason=f"needs {', '.join(ABSENT)}")
def test_a_handful_of_faults_still_runs_against_all_three(tmp_path: Path) -> None:
    cases = [case for case in CASES if case.title in HANDFUL]
    with ThreadPoolExecutor(len(cases)) as pool:
        seen = dict(zip(HANDFUL, pool.map(lambda case: run(case, tmp_path / str(id(case))), cases), strict=True))
    assert [title for title in HANDFUL if seen[title]["lifesign"].false_alarms] == []
    told = {name: {title for title in HANDFUL if seen[title][name].after_s is not None} for name in PROGRAMS}
    assert told["lifesign"] == {*HANDFUL[:4]}
    assert told["Monit"] == {"process killed", "port closed", "HTTP 500"}
    assert told["Supervisor"] == {"process killed"}
