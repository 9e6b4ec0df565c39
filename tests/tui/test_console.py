"""What the operator does at the console, and what it answers."""

import json
import os
import threading
from pathlib import Path

import msgspec
import pytest

from lifesign.api.documents import EventDocument, Incident, Layers, OutboxInfo, State
from lifesign.tui import commands
from lifesign.tui.drawing.glyphs import ASCII
from lifesign.tui.widgets.listing import RESTS_FOR_S, Listing
from tests.tui.desk import Desk, HandClock, seated
from tests.tui.documents import at, component, down_mind, state

GREEN = "#7cc495"


def three(seconds: float = 0.0, **states: str) -> State:
    """Components a, b and c in these states, the rest healthy."""
    return state([component(name, states.get(name, "healthy")) for name in ("a", "b", "c")], seconds=seconds)


def cursor_of(desk: Desk) -> str:
    """The name under the cursor."""
    listing = next(one for one in desk.app.screen.query(Listing) if one.display and one.parent.display)  # type: ignore[union-attr]
    assert listing.current is not None
    return listing.current.name


async def test_the_first_screen_tells_what_is_down_since_when_why_and_what_next() -> None:
    async with seated(state([component("gateway"), down_mind()]), (80, 24)) as desk:
        await desk.until_shown("mind")
        assert "✖ down" in desk.line("mind")
        assert "for 5m" in desk.line("mind")
        text = desk.text
        assert "alive and ready, but not working: no new work for 612 s (limit 300 s)" in text
        assert "→ restart in 41 s (1 of 3)" in text
        assert "✖ working failed" in text
        assert "61 failures in a row" in text
        assert "limit 5m" in text
        assert text.index("mind") < text.index("gateway")
        assert "✖ down" in desk.lines[0]
        assert "1 healthy" in desk.lines[0]


async def test_the_table_at_80x24_shows_each_on_one_line_and_the_one_under_the_cursor_in_full() -> None:
    async with seated(state([component("gateway"), down_mind()]), (80, 24)) as desk:
        await desk.press("2")
        line = desk.line("mind")
        for part in ("✖ down", "● ● · ✖", "10m/5m", "61", "5m1"):
            assert part in line, part
        assert "alive and ready, but not working: no new work for 612 s (limit 300 s)" in desk.text
        assert "→ restart in 41 s (1 of 3)" in desk.text
        assert all(len(row) <= 80 for row in desk.lines)


async def test_hundreds_open_as_a_table_and_few_as_panels() -> None:
    async with seated(state([component(f"w{i:03}") for i in range(300)])) as desk:
        await desk.until_shown("why, and what next")
    async with seated(three()) as desk:
        await desk.until_shown("limit 5m")


async def test_c_checks_the_component_under_the_cursor_and_says_so() -> None:
    async with seated(three(b="down")) as desk:
        await desk.until_shown("down")
        await desk.press("c")
        await desk.until(lambda: desk.source.probed == ["b"], "b was not checked")
        await desk.until(lambda: "checked b" in desk.toasts, "nothing was said")


async def test_capital_c_checks_what_is_shown_and_nothing_else() -> None:
    async with seated(three(a="down", c="down")) as desk:
        await desk.press("f", "C")
        await desk.until(lambda: sorted(desk.source.probed) == ["a", "c"], "a and c were not checked")
        await desk.until(lambda: "checked 2 components" in desk.toasts, "nothing was said")


async def test_a_check_that_the_daemon_refuses_is_told() -> None:
    async with seated(three()) as desk:
        desk.source.problem = "not possible: [/] \x1b[31mpaused"
        await desk.press("c")
        await desk.until(lambda: any("not checked: a: not possible: [/]" in told for told in desk.toasts), "no word")
        assert "\x1b" not in desk.text


async def test_a_read_only_console_has_no_key_that_acts() -> None:
    async with seated(three(), read_only=True) as desk:
        await desk.press("c", "C")
        assert "check" not in desk.lines[-1]
        await desk.press("question_mark")
        assert "check this component now" not in desk.text
        assert desk.source.probed == []


async def test_slash_filters_with_every_letter_and_escape_shows_all_again() -> None:
    async with seated(state([component("mind"), component("gateway")])) as desk:
        await desk.press("slash", "m", "i")
        assert "gateway" not in desk.text
        await desk.press("enter", "j")
        assert "filter mi, 1 of 2" in desk.text
        await desk.press("escape")
        assert "gateway" in desk.text


async def test_keys_typed_into_the_filter_are_letters_and_not_commands() -> None:
    async with seated(state([component("quick")])) as desk:
        await desk.press("slash", "q", "c", "f")
        assert desk.source.probed == []
        assert "no component matches" in desk.text


async def test_f_shows_only_problems_and_all_again() -> None:
    async with seated(three(b="degraded")) as desk:
        await desk.press("2", "f")
        assert "problems only, 1 of 3" in desk.text
        await desk.press("f")
        assert "3 shown" in desk.text


async def test_enter_opens_the_component_and_escape_leaves_it() -> None:
    async with seated(state([down_mind(), component("gateway")]), (80, 40)) as desk:
        await desk.until_shown("mind")
        await desk.press("enter")
        for part in (
            "Consciousness loop",
            "no new work for 612 s",
            "restart",
            "cycle=88",
            "pid 3117",
            "2026-11-21 11:49",
        ):
            assert part in desk.text, part
        await desk.press("escape")
        assert "gateway" in desk.text


async def test_an_open_component_that_is_no_longer_watched_says_so() -> None:
    async with seated(state([down_mind()])) as desk:
        await desk.press("enter")
        await desk.tell(state([component("gateway")], seconds=1))
        assert "mind is no longer watched" in desk.text


async def test_the_help_names_every_key_that_works_here() -> None:
    async with seated(three(), (100, 50)) as desk:
        await desk.press("question_mark")
        for command in commands.MAIN:
            assert command.help in desk.text, command.id
            assert command.spelled_keys() in desk.line(command.help), command.id
        await desk.press("escape")
        assert "3 shown" in desk.text


async def test_the_footer_has_at_most_eight_keys_at_80_columns_and_all_fit() -> None:
    async with seated(three(), (80, 24)) as desk:
        for word in ("? help", "enter open", "c check", "s silence", "R restart", "a ack", "/ filter", "q quit"):
            assert word in desk.lines[-1]


async def test_the_cursor_stays_on_its_component_when_the_order_changes_and_between_views() -> None:
    clock = HandClock()
    async with seated(three(), clock=clock) as desk:
        await desk.press("2", "j")
        assert cursor_of(desk) == "b"
        clock.now_s += RESTS_FOR_S + 1
        await desk.tell(three(1, c="down"))
        assert cursor_of(desk) == "b"
        assert desk.text.index(" c ") < desk.text.index(" a ")
        await desk.press("1")
        assert cursor_of(desk) == "b"


async def test_nothing_moves_while_the_cursor_rests_and_the_console_says_that_it_would() -> None:
    clock = HandClock()
    async with seated(three(), clock=clock) as desk:
        await desk.press("2", "j")
        await desk.tell(three(1, c="down"))
        rows = [line for line in desk.lines if "10m" in line]
        assert [row.split()[2] for row in rows] == ["a", "b", "c"]
        assert "the order is held while you read" in desk.text
        clock.now_s += RESTS_FOR_S + 1
        await desk.tell(three(RESTS_FOR_S + 2, c="down"))
        assert "the order is held" not in desk.text
        assert [line.split()[2] for line in desk.lines if "10m" in line] == ["c", "a", "b"]


async def test_a_cursor_that_nobody_placed_follows_the_worst() -> None:
    async with seated(three()) as desk:
        await desk.tell(three(1, c="down"))
        assert cursor_of(desk) == "c"


async def test_whoever_opened_a_component_finds_the_cursor_on_it_afterwards() -> None:
    async with seated(three(b="down")) as desk:
        await desk.press("2", "enter")
        await desk.tell(three(1, c="down"))
        await desk.press("escape")
        assert cursor_of(desk) == "b"


async def test_ages_run_between_two_polls_on_the_consoles_own_clock() -> None:
    clock = HandClock()
    async with seated(state([component("a", since=at(-10), staleness_s=3.0)]), clock=clock) as desk:
        await desk.press("2")
        assert " 10s" in desk.line(" a ")
        assert " 3s/5m" in desk.line(" a ")
        clock.now_s += 4
        await desk.tick()
        assert " 14s" in desk.line(" a ")
        assert " 7s/5m" in desk.line(" a ")


async def test_without_its_daemon_the_console_is_grey_says_since_when_and_never_green() -> None:
    clock = HandClock()
    async with seated(state([component("a"), component("b", "down")]), clock=clock) as desk:
        await desk.press("2")
        assert GREEN in desk.colors(" a ")
        clock.now_s += 42
        await desk.tell(problem="connection refused")
        assert "disconnected since 12:00:00Z  (42s)" in desk.lines[0]
        assert "connection refused" in desk.text
        assert "last known state, reconnecting" in desk.text
        assert desk.colors(" a ") == desk.colors(" b ")
        assert all(GREEN not in desk.colors(line) for line in desk.lines if line.strip())
        await desk.press("enter")
        assert "disconnected since" in desk.lines[0]
        assert all(GREEN not in desk.colors(line) for line in desk.lines if line.strip())


async def test_it_reconnects_by_itself() -> None:
    async with seated(three()) as desk:
        await desk.tell(problem="connection refused")
        assert "disconnected" in desk.text
        desk.source.document, desk.source.problem = three(60, a="down"), ""
        await desk.until(lambda: "disconnected" not in desk.text, "it did not reconnect")
        assert "✖ 1 down" in desk.lines[0]


async def test_a_daemon_that_answers_with_an_old_state_is_not_believed() -> None:
    clock = HandClock()
    async with seated(three(), clock=clock) as desk:
        clock.now_s += 4
        await desk.tick()
        assert "disconnected" not in desk.text
        clock.now_s += 2
        await desk.tick()
        assert "disconnected since" in desk.lines[0]
        assert "its state does not move" in desk.text


async def test_a_console_that_never_reached_a_daemon_says_so_and_shows_nothing_as_good() -> None:
    async with seated(three()) as desk:
        desk.app.snapshot = type(desk.app.snapshot)(problem="no such socket")
        await desk.tick()
        assert "not connected" in desk.lines[0]
        assert "healthy" not in desk.text


async def test_a_monitor_that_distrusts_itself_is_shown_as_such() -> None:
    async with seated(state([component("a")], observer="suspect")) as desk:
        await desk.until_shown("the monitor distrusts its own eyes just now: it had stalled")


async def test_a_common_cause_is_told_as_one_and_not_as_a_stall_of_the_monitor() -> None:
    incident = Incident(id="a-1", opened_at=at(-60), url=None)
    crowd = [component(name, "down", incident=incident) for name in "ab"]
    being_restarted = component("c", "starting", incident=incident)
    async with seated(state([*crowd, being_restarted, component("d"), component("e")], observer="suspect")) as desk:
        await desk.until_shown("most went down at once: one common cause")
        assert "distrusts" not in desk.text


async def test_a_small_terminal_is_told_and_a_larger_one_shows_all_again() -> None:
    async with seated(three()) as desk:
        for size in ((50, 10), (43, 38), (100, 14)):
            await desk.resize(*size)
            words = "lifesign needs 60x15, this is {}x{}".format(*size)
            assert [line.strip() for line in desk.lines if line.strip()] == [words]
        await desk.resize(1, 1)
        await desk.resize(60, 15)
        assert "needs" not in desk.text
        assert "3 shown" in desk.text


async def test_t_and_t_again_goes_through_the_shipped_themes() -> None:
    async with seated(three()) as desk:
        seen = {desk.app.theme}
        for _ in range(5):
            await desk.press("t")
            seen.add(desk.app.theme)
        assert seen == {"night", "day", "contrast", "colorblind", "ansi"}


async def test_the_ascii_set_reaches_the_screen_whole() -> None:
    async with seated(state([down_mind(), component("grün", "degraded")]), glyphs=ASCII) as desk:
        await desk.until_shown("X down")
        for key in ("2", "question_mark", "escape", "enter"):
            await desk.press(key)
            assert desk.text.isascii(), [c for c in desk.text if not c.isascii()]


async def test_4_shows_what_happened_and_follows() -> None:
    clock = HandClock()
    async with seated(three(), clock=clock) as desk:
        first = EventDocument(ts=at(0), level="ERROR", event="component.down", component="a", message="x1")
        desk.source.history = [first]
        await desk.press("4")
        await desk.until_shown("x1")
        desk.source.history.append(EventDocument(ts=at(1), level="INFO", event="component.recovered", component="a"))
        clock.now_s += 1
        await desk.tick()
        await desk.until_shown("component.recovered")
        assert desk.text.count("x1") == 1


@pytest.mark.parametrize("above", [("4",), ("enter",), ("4", "question_mark")])
async def test_1_and_2_lead_back_to_the_views_from_any_screen(above: tuple[str, ...]) -> None:
    async with seated(three()) as desk:
        for key, view in (("2", "why, and what next"), ("1", "startable")):
            await desk.press(*above)
            await desk.press(key)
            await desk.until_shown(view)
            assert len(desk.app.screen_stack) == 2


async def test_x_writes_the_state_shown_and_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with seated(state([down_mind()])) as desk:
        await desk.press("x")
        (written,) = [tmp_path / name for name in os.listdir(tmp_path)]  # noqa: PTH208 - a moment's look
        assert msgspec.json.decode(written.read_bytes(), type=State) == desk.source.document
        before = written.read_bytes()
        await desk.press("x")
        assert any("is there already" in told for told in desk.toasts)
        assert written.read_bytes() == before
    assert json.loads(before)["schema"] == "lifesign.state/1"


async def test_a_key_remapped_by_id_moves_in_the_footer_and_the_help_too() -> None:
    keys = {"component.probe": "f8", "component.restrat": "f9", "console.help": "q"}
    async with seated(three(a="down"), keys=keys) as desk:
        await desk.press("c")
        await desk.press("f8")
        await desk.until(lambda: desk.source.probed == ["a"], "f8 did not check a")
        assert "f8 check" in desk.lines[-1]
        told = "\n".join(desk.toasts)
        assert "no command is called component.restrat, perhaps component.restart" in told
        assert "q of console.help is the key of console.quit too" in told


async def test_the_palette_runs_a_command_by_its_name() -> None:
    async with seated(three()) as desk:
        await desk.press("colon")
        await desk.press(*"table")
        await desk.until_shown("a line for each component")
        await desk.press("enter")
        await desk.until_shown("why, and what next")


async def test_every_flag_stands_beside_the_state() -> None:
    shown = component("a", "down", optional=True, flapping=True, suppressed_by="gateway", layers=Layers(alive="failed"))
    async with seated(state([shown]), (120, 30)) as desk:
        await desk.press("2")
        assert "optional · flapping · waits for gateway" in desk.line(" a ")


async def test_b_turns_the_bell_off_and_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with seated(three()) as desk:
        rung: list[bool] = []
        monkeypatch.setattr(desk.app, "bell", lambda: rung.append(True))
        await desk.press("b")
        await desk.tell(three(1, a="down"))
        assert not rung
        assert "the bell is off" in desk.text
        await desk.press("b")
        await desk.tell(three(2, a="down", b="down"))
        assert rung == [True]


async def test_q_ends_the_console() -> None:
    async with seated(three()) as desk:
        await desk.press("q")
        assert desk.app._exit


async def test_while_a_check_runs_the_console_says_so() -> None:
    async with seated(three(b="down")) as desk:
        inside, go_on = threading.Event(), threading.Event()

        def hold() -> None:
            inside.set()
            go_on.wait(40)

        desk.source.before_probe = hold
        await desk.press("c")
        await desk.until(inside.is_set, "b is not being checked")
        assert "checking b" in desk.text
        go_on.set()
        await desk.until(lambda: "checking b" not in desk.text, "it never ended")


async def test_a_link_lost_while_the_palette_is_open_is_seen_behind_it() -> None:
    async with seated(three()) as desk:
        await desk.press("colon")
        await desk.tell(problem="connection refused")
        await desk.until_shown("disconnected since")


async def test_a_storm_of_sizes_leaves_the_console_whole() -> None:
    async with seated(state([down_mind(), *(component(f"w{i}") for i in range(50))])) as desk:
        for width, height in ((1, 1), (300, 100), (60, 15), (2, 80), (160, 4), (80, 24)):
            await desk.resize(width, height)
            await desk.press("2" if width % 3 else "1", "G", "pageup")
        await desk.press("1", "g")
        await desk.until_shown("alive and ready, but not working")


async def test_the_line_under_a_placed_cursor_keeps_its_place_on_the_screen() -> None:
    clock = HandClock()
    calm = [component(f"w{i:02}") for i in range(60)]
    async with seated(state(calm), clock=clock) as desk:
        await desk.press("2", *["pagedown"] * 2)
        before = desk.lines.index(desk.line(cursor_of(desk)))
        name = cursor_of(desk)
        clock.now_s += RESTS_FOR_S + 1
        late = [component(f"w{i:02}", "down" if i > 55 else "healthy") for i in range(60)]
        await desk.tell(state(late, seconds=RESTS_FOR_S + 2))
        assert cursor_of(desk) == name
        await desk.tick()
        assert [i for i, line in enumerate(desk.lines) if f" {name} " in line] == [before]


async def test_the_open_history_asks_once_a_second_and_no_more() -> None:
    clock = HandClock()
    async with seated(three(), clock=clock) as desk:
        await desk.press("4")
        await desk.until(lambda: desk.source.asked_for_events == 1, "it did not ask")
        for _ in range(20):
            await desk.tick()
        assert desk.source.asked_for_events == 1
        clock.now_s += 1
        await desk.tick()
        await desk.until(lambda: desk.source.asked_for_events == 2, "it did not ask again")


async def test_alerts_that_do_not_arrive_and_issues_held_back_are_told() -> None:
    for outbox, words in (
        (OutboxInfo(depth=3, oldest_s=300.0), "3 alerts not delivered, the oldest for 5m"),
        (OutboxInfo(depth=1, oldest_s=31.0, held_back=["feed"]), "1 alert not delivered, the oldest for 31s; no issue"),
        (OutboxInfo(held_back=["feed", "mind"]), "no issue, since max_issues are open: feed, mind"),
    ):
        async with seated(state([component("a", "down")], outbox=outbox)) as desk:
            assert words in desk.text
    async with seated(state([component("a", "down")], outbox=OutboxInfo(depth=1, oldest_s=2.0))) as desk:
        assert "not delivered" not in desk.text


@pytest.mark.parametrize("keys", [{}, {"console.redraw": "f5"}])
async def test_the_screen_is_written_anew_by_its_key_above_a_dialog_too(
    keys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with seated(state([down_mind()]), (400, 50), keys=keys) as desk:
        forgot: list[str] = []
        monkeypatch.setattr(desk.app._shown, "forget", lambda: forgot.append(type(desk.app.screen).__name__))
        key = keys.get("console.redraw", "ctrl+l")
        await desk.press(key, "s", key)
        assert forgot == ["MainScreen", "NoticeDialog"]
        await desk.until(lambda: getattr(desk.app.screen, "listens", False), "it does not listen")
        await desk.press(key)
        assert forgot[2:] == ["NoticeDialog"]
        await desk.press("escape")
        assert f"{'f5' if keys else '^l'} redraw" in desk.lines[-1]
        await desk.press("question_mark")
        assert "draw the screen anew" in desk.line(" f5 " if keys else " ^l ")


async def test_a_panel_tells_a_long_reason_on_two_lines_where_that_hides_no_panel() -> None:
    long = "no new work for 612 s (limit 300 s); " + "its last message: waiting for an answer of the model " * 3
    crowd = [component(f"c{number}") for number in range(6)]
    worst = component("mind", "down", diagnosis=long, optional=True)
    async with seated(state([worst]), (80, 24)) as desk:
        await desk.press("1")
        shown = [line.strip(" ▌▐█▅│") for line in desk.lines]
        at_row = next(row for row, line in enumerate(shown) if line.startswith("optional · no new work"))
        assert shown[at_row].endswith("its last message: waiting")
        assert shown[at_row + 1].startswith("for an answer of the model its last message")
        assert "startable" in shown[at_row + 2]
        await desk.tell(state([worst, *crowd]))
        await desk.tick()
        assert any("for an answer of the model" in line for line in desk.lines), "as many panels are seen whole"
        await desk.resize(80, 22)
        at_row = next(row for row, line in enumerate(desk.lines) if "optional · no new work" in line)
        assert "…" in desk.lines[at_row]
        assert "startable" in desk.lines[at_row + 1]


@pytest.mark.parametrize("read_only", [False, True])
async def test_on_a_small_screen_the_keys_that_the_bar_leaves_out_stand_above_it_until_there_is_something_to_say(
    read_only: bool,
) -> None:
    async with seated(state([component("gateway")]), (80, 24), read_only=read_only) as desk:
        await desk.tick()
        for keys in (": palette", "3 incidents", "4 events", "1 panels", "2 table"):
            assert keys in desk.lines[-1] + desk.lines[-2]
        assert desk.lines[-2].endswith(" 1 shown, read-only " if read_only else " 1 shown ")
        await desk.press("space")
        assert "1 marked" in desk.lines[-2]
        assert "palette" not in desk.lines[-2]


async def test_below_the_table_the_reason_is_told_to_its_end_where_there_is_room_and_else_cut_with_a_sign() -> None:
    long = " ".join(f"word{number:02}" for number in range(30))
    worst = component("mind", "down", diagnosis=long, next=f"looked at again in 5s · held by bob: {long[:90]}")
    async with seated(state([worst]), (80, 24)) as desk:
        await desk.press("2")
        below = " ".join(" ".join(desk.lines[3:22]).split())
        assert long in below
        assert f"held by bob: {long[:90].strip()}" in below
        await desk.tell(state([worst, *(component(f"c{number:02}") for number in range(15))]))
        await desk.press("1", "2")
        [first, second, coming] = desk.lines[-5:-2]
        assert "word00" in first
        assert second.rstrip().endswith("…")
        assert coming.startswith(" → looked at again in 5s")
        assert coming.rstrip().endswith("…")
