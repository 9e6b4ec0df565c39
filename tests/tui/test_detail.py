"""The page of one component, by what it says."""

import pytest

from lifesign.api.documents import Component, Layers, Process
from lifesign.tui.drawing.detail import detail_lines
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.snapshot import Reading, Snapshot
from tests.tui.documents import at, component, state


def work_line(staleness_s: float, last_work_at: str | None) -> str:
    """The line of a component's work, ten seconds after its state was asked for."""
    return line_of("work", component("mind", staleness_s=staleness_s, last_work_at=last_work_at))


def line_of(word: str, mind: Component) -> str:
    """The line that begins with `word`, likewise."""
    scene = Scene(Snapshot().after(Reading(100.0, 100.0, state([mind]))), 110.0)
    lines = ["".join(text for text, _ in line) for line in detail_lines(mind, scene, 120)]
    [found] = [line for line in lines if line.startswith(f" {word} ")]
    return found


@pytest.mark.parametrize("worked_before_s", [5.0, 6.5])
def test_work_of_this_life_was_so_long_ago(worked_before_s: float) -> None:
    assert "15s ago" in work_line(5.0, at(-worked_before_s))


def test_a_new_life_without_work_is_not_said_to_have_worked_when_it_began() -> None:
    work = work_line(5.0, at(-500))
    assert "none for 15s of this life" in work
    assert "ago" not in work
    assert "last at 2026-11-21 11:51:40Z" in work


@pytest.mark.parametrize(
    ("alive", "words"),
    [
        ("passing", "running for 100s"),
        (None, "running for 100s"),
        ("failing", "began 100s ago"),
        ("failed", "began 100s ago"),
    ],
)
def test_a_process_that_is_not_seen_alive_is_not_said_to_run(alive: str | None, words: str) -> None:
    mind = component("mind", layers=Layers(alive=alive), process=Process(pid=3117, started_at=at(-90)))
    assert line_of("process", mind).split(None, 1)[1].strip() == f"pid 3117, {words}"
