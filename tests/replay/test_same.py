"""The same config decides the same: every transition, alert and restart, to the microsecond."""

from pathlib import Path
from typing import Any

import pytest

from lifesign.core.conversation import Notify
from lifesign.core.effects import Restart
from lifesign.core.events import Event
from lifesign.replay.playing import Playing
from lifesign.replay.recorded import Range, lives, told_then
from lifesign.replay.tape import Told
from lifesign.store.history_reader import HistoryReader
from tests.figures import Figures
from tests.replay.living import lived


def of(told: list[Told], kind: Any) -> list[Told]:
    return [entry for entry in told if isinstance(entry.what, kind)]


def expect_the_same(folder: Path, seed: int, hours: float, deaths: int, figures: Figures) -> None:
    living = lived(folder, seed, hours, deaths=deaths)
    reader = HistoryReader(folder)
    then = [told for life in reader.lives() for told in told_then(reader, life)]
    playing = Playing()
    now = list(playing.play(lives(reader, Range()), then))
    reader.close()
    for kind in (Event, Restart, Notify):
        before, after = of(then, kind), of(now, kind)
        for number, (one, other) in enumerate(zip(before, after, strict=False)):
            assert one == other, f"{kind.__name__} {number} of seed {seed}"
        assert len(before) == len(after)
    assert [told.what for told in of(then, Event)] == living.told
    assert len(of(then, Restart)) > hours / 3
    assert len(of(then, Notify)) > hours / 3
    figures(
        "replayed exactly as recorded",
        hours=hours,
        observations=playing.observations,
        events=len(of(now, Event)),
        restarts=len(of(now, Restart)),
        alerts=len(of(now, Notify)),
    )


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a look that a stop overtook
def test_some_hours_of_a_failing_stack_are_decided_the_same(tmp_path: Path, figures: Figures) -> None:
    expect_the_same(tmp_path, 1, 4, 1, figures)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [2])
def test_ten_days_of_a_failing_stack_are_decided_the_same(tmp_path: Path, seed: int, figures: Figures) -> None:
    expect_the_same(tmp_path, seed, 240, 5, figures)
