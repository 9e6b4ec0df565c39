"""The operator marks, sorts, freezes, copies: what the keys do to the view, and what actions then apply to."""

import msgspec

from lifesign.api.documents import Notice, State
from lifesign.tui.answers import SHOWN_FOR_S
from lifesign.tui.drawing.glyphs import ASCII
from lifesign.tui.screens.dialog import Dialog
from tests.tui.desk import Desk, HandClock, seated
from tests.tui.documents import Acted, at, component, down_mind, state
from tests.tui.test_operating import done, listening, mind

NOTICE = Notice(until=at(2520), author="bob (root)", reason="vendor outage", since=at(-60))


def several() -> State:
    """Three of different names, ages and staleness."""
    return state(
        [
            component("a", since=at(-10), staleness_s=10.0),
            component("b", "down", since=at(-900), staleness_s=5.0, consecutive_failures=2),
            component("c", since=at(-300), staleness_s=200.0, consecutive_failures=9),
        ]
    )


def order(desk: Desk) -> list[str]:
    """The names in the table, from the top."""
    return [line.split()[2] for line in desk.lines if line[:3].strip() in {"●", "✖"} and "/5m" in line]


async def test_an_action_applies_to_what_is_marked_and_escape_takes_the_marks_away() -> None:
    async with seated(several()) as desk:
        await desk.press("2", "space", "j", "space")
        assert "2 marked: actions apply to them" in desk.text
        assert desk.line(" b ").startswith("◆")
        await desk.press("c")
        await desk.until(lambda: desk.source.probed == ["b", "c"], "the marked were not checked")
        await desk.press("escape", "g", "c")
        await desk.until(lambda: desk.source.probed == ["b", "c", "b"], "the marks are still there")


async def test_a_silence_of_marked_ones_asks_once_and_reaches_each() -> None:
    async with seated(several(), (80, 24)) as desk:
        await desk.press("space", "space", "s")
        await listening(desk)
        assert "silence b and a" in desk.text
        await desk.press(*"outage", "enter")
        await done(desk, *(Acted(name, "silence", None, "outage", 3600.0) for name in ("b", "a")))


async def test_a_restart_of_marked_ones_names_each_process_and_gives_all_the_same_reason() -> None:
    async with seated(state([mind(), mind(4000, name="other"), component("plain")]), (100, 30)) as desk:
        await desk.press("space", "space", "space", "R")
        await listening(desk)
        for part in ("restart mind and other", "pid 3117", "pid 4000"):
            assert part in desk.text
        assert "plain has no restart section in the config" in desk.toasts
        await desk.press(*"deploy", "enter")
        assert isinstance(desk.app.screen, Dialog), "enter in the reason restarted it"
        await desk.press("right", "enter")
        await done(desk, *(Acted(name, "restart", None, "deploy") for name in ("mind", "other")))


async def test_a_marked_one_that_the_filter_hides_is_not_acted_upon() -> None:
    async with seated(several()) as desk:
        await desk.press("2", "space", "space", "slash", "a", "enter", "c")
        await desk.until(lambda: desk.source.probed == ["a"], "a was not checked")


async def test_the_order_goes_round_both_ways_and_can_be_turned() -> None:
    async with seated(several()) as desk:
        await desk.press("2")
        assert order(desk) == ["b", "a", "c"]
        seen = []
        for _ in range(4):
            await desk.press("greater_than_sign")
            seen.append(order(desk))
        assert seen == [["a", "b", "c"], ["c", "a", "b"], ["c", "b", "a"], ["a", "c", "b"]]
        assert "last changed first" in desk.text
        await desk.press("less_than_sign", "minus")
        assert order(desk) == ["a", "b", "c"]
        assert "most failures first, reversed" in desk.text
        await desk.press("escape")
        assert order(desk) == ["b", "a", "c"]


async def test_p_freezes_the_display_and_never_the_collection() -> None:
    clock = HandClock()
    async with seated(several(), (100, 30), clock) as desk:
        await desk.press("2", "p")
        assert "frozen at 12:00:00Z" in desk.lines[0]
        clock.now_s += 42
        await desk.tell(state([component("z", "down")], seconds=42))
        assert "the display is frozen for 42s" in desk.text
        assert order(desk) == ["b", "a", "c"]
        assert "15m" in desk.line(" b ")
        await desk.press("p")
        assert order(desk) == ["z"]
        assert "frozen" not in desk.text


async def test_escape_too_ends_the_freeze() -> None:
    async with seated(several()) as desk:
        await desk.press("p", "escape")
        assert "frozen" not in desk.text


async def test_y_copies_name_state_and_reason() -> None:
    async with seated(state([down_mind()])) as desk:
        await desk.press("y")
        assert desk.app.clipboard.startswith("mind: down since 2026-11-21T11:54:48.000Z: alive and ready, but not")
        assert any(told.startswith("copied: mind: down") for told in desk.toasts)


async def test_capital_s_lists_only_what_is_silenced_or_held() -> None:
    quiet, held = component("quiet", silence=NOTICE), component("kept", hold=NOTICE)
    async with seated(state([quiet, held, down_mind()]), (80, 24), HandClock()) as desk:
        await desk.press("S")
        await desk.until_shown("silenced by bob (root) for 42m more: vendor outage")
        assert "held by bob (root)" in desk.text
        assert "no new work" not in desk.text
        await desk.press("3")
        assert "no new work" in desk.text
        await desk.press("S", "G", "s")
        await done(desk, Acted("quiet", "unsilence"))


async def test_an_answer_covers_nothing_and_goes_after_a_while() -> None:
    clock = HandClock()
    async with seated(state([component(f"w{i:02}") for i in range(40)]), (80, 24), clock) as desk:
        await desk.until_shown("why, and what next")
        before = [line[:78] for line in desk.lines[:10]]
        desk.app.tell("a long answer " * 12, "error")
        await desk.tick()
        assert "→ a long answer" in desk.text
        assert [line[:78] for line in desk.lines[:10]] == before
        assert "40 shown" in desk.text
        clock.now_s += SHOWN_FOR_S * 3
        await desk.tick()
        assert "a long answer" not in desk.text


async def test_a_screen_that_is_made_smaller_goes_from_panels_to_the_table_and_back() -> None:
    async with seated(state([component(f"w{i}") for i in range(6)]), (160, 50)) as desk:
        await desk.until_shown("limit 5m")
        await desk.resize(80, 24)
        await desk.until_shown("why, and what next")
        await desk.resize(160, 50)
        await desk.until_shown("limit 5m")


async def test_no_state_is_told_twice_in_a_row() -> None:
    starting = component("a", "starting", diagnosis="starting: waiting for heartbeat")
    laid = "restart in 41 s · held by bob until 12:42 UTC: x"
    held = msgspec.structs.replace(down_mind(), next=laid, hold=NOTICE)
    async with seated(state([starting, held]), (150, 24), glyphs=ASCII) as desk:
        await desk.press("2")
        assert "starting: waiting" not in desk.text
        assert "waiting for heartbeat" in desk.line(" a ")
        assert "held by bob until" not in desk.line(" mind ")
        await desk.press("enter")
        assert "held by bob until" not in desk.text
        assert "held by bob (root) for" in desk.text
