"""An operator sees on the component's screen how long it was up, and of how much of that nobody knows."""

from typing import Any

import msgspec

from lifesign.api.report_documents import Window
from lifesign.tui.drawing.uptime import uptime_words
from lifesign.tui.screens.component import UPTIME_EVERY_S
from tests.tui.desk import HandClock, seated
from tests.tui.documents import at, component, state


def window(name: str, uptime: float | None, **changes: Any) -> Window:
    """A window of which everything is known."""
    whole = Window(
        window=name,
        since=at(-86_400),
        uptime=uptime,
        watched=1.0,
        up_s=0.0,
        down_s=0.0,
        unknown_s=0.0,
        paused_s=0.0,
        unwatched_s=0.0,
        incidents=0,
        restarts=0,
        restarts_productive=0,
        mean_detect_s=None,
        mean_recover_s=None,
        mean_first_work_s=None,
        layers={},
    )
    return msgspec.structs.replace(whole, **changes)


DAY = window("24h", 0.99958, down_s=36.0, unwatched_s=3720.0)
WEEK = window("7d", 0.99999, down_s=36.0, unknown_s=7200.0, paused_s=600.0)


def test_what_nobody_knows_is_told_apart_from_what_was_down() -> None:
    words = uptime_words([DAY, WEEK, window("30d", 0.5)])
    assert words == ("24h 99.958 %, down 36s, not watched 1h02m   7d 99.999 %, down 36s, unknown 2h, paused 10m")
    assert uptime_words([window("24h", None, unwatched_s=86_400.0)]) == "24h not known, not watched 1d"
    assert uptime_words([window("24h", 1.0)]) == "24h 100 %"
    assert uptime_words([]) == "not known"


async def test_the_component_shows_its_uptime_and_asks_for_it_seldom() -> None:
    clock = HandClock()
    async with seated(state([component("mind")]), (120, 40), clock) as desk:
        desk.source.windows = [DAY, WEEK]
        await desk.tick()
        assert desk.source.reports == 0  # nobody looks at it yet
        await desk.press("enter")
        await desk.until_shown("uptime     24h 99.958 %, down 36s, not watched 1h02m   7d 99.999 %")
        for second in range(5):
            clock.now_s += 1
            await desk.tell(state([component("mind")], seconds=second + 1))
        assert desk.source.reports == 1
        desk.source.windows = [window("24h", 1.0)]
        clock.now_s += UPTIME_EVERY_S
        await desk.tell(state([component("mind")], seconds=UPTIME_EVERY_S + 5))
        await desk.until_shown("uptime     24h 100 %")


async def test_where_nobody_can_tell_it_says_so_and_a_snapshot_shows_none() -> None:
    async with seated(state([component("mind")]), (120, 40), HandClock()) as desk:
        await desk.press("enter")
        await desk.until_shown("uptime     not known")
    async with seated(state([component("mind")]), (120, 40), HandClock(), archived=True) as desk:
        await desk.press("enter")
        await desk.until_shown("failures")
        assert "uptime" not in desk.text
        assert desk.source.reports == 0
