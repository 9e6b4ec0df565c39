"""What is kept of conversations: what has changed and no more, and its ages right over a step of the wall clock."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import msgspec

from lifesign.alerts.entry import Entry
from lifesign.core.conversation import ConversationMemory
from lifesign.core.model import Observation
from tests.bootstrap.test_alerting_orders import Watch
from tests.core.stage import FAIL, OK, S


class Counting(Watch):
    """`kept`: how often something of a conversation was written."""

    def __init__(self) -> None:
        self.kept = 0
        super().__init__()

    def keep(self, changes: Mapping[str, str | None], then: Callable[[], None] | None = None) -> None:
        self.kept += sum(key.startswith("alerting/") for key in changes)
        super().keep(changes, then)

    def down(self, *names: str) -> "Counting":
        for name in names:
            self.world[name, "port"] = Observation(FAIL, "refused")
        self.run(50)
        return self

    def remembered(self) -> list[ConversationMemory]:
        texts = [text for key, text in self.texts.items() if key.startswith("alerting/")]
        return [msgspec.json.decode(text, type=ConversationMemory) for text in texts]


def test_of_an_incident_that_only_goes_on_nothing_is_written_again() -> None:
    watch = Counting().down("lone", "parent")
    written = watch.kept
    assert 0 < written <= 12
    watch.run(60)
    assert watch.kept == written
    watch.world["lone", "port"] = Observation(OK)
    watch.run(10)
    assert watch.kept == written + 2, "the ends of two"
    assert {memory.component for memory in watch.remembered()} == {"parent"}


def test_over_a_step_of_the_wall_clock_and_our_death_what_was_told_when_is_known() -> None:
    watch = Counting().down("lone")
    assert watch.kept
    told_boot_ns = {c.sink: c.told_boot_ns for c in (m.recalled(watch.now) for m in watch.remembered())}
    watch.now = replace(watch.now, wall_ns=watch.now.wall_ns + 7 * 3600 * S)
    watch.run(1)
    watch.killed(3)
    for memory in watch.remembered():
        assert abs(memory.recalled(watch.now).told_boot_ns - told_boot_ns[memory.sink]) < S
    before = set(watch.texts)
    watch.run(40)
    fresh = [msgspec.json.decode(watch.texts[key], type=Entry) for key in watch.texts.keys() - before]
    assert fresh == [], "no reminder before its time"
