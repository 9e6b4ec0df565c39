"""An operator acts at the console: every key, what it asks first, what reaches the daemon, and what keeps harm away."""

from typing import Any

import msgspec
import pytest

from lifesign.api.documents import Component, Layers, Notice, Process, Restart, RestartMade, State
from lifesign.tui.screens import dialog as dialog_module
from lifesign.tui.screens.dialog import Dialog
from tests.tui.desk import Desk, HandClock, seated
from tests.tui.documents import Acted, at, component, down_mind, state

NOTICE = Notice(until=at(2520), author="bob (root)", reason="vendor outage", since=at(-60))


def mind(pid: int | None = 3117, phase: str = "waiting", **changes: Any) -> Component:
    """The contract's mind, down, with a process behind it."""
    whole = down_mind()
    assert whole.restart is not None
    restart = msgspec.structs.replace(whole.restart, phase=phase, unproductive=3 if phase == "exhausted" else 0)
    process = msgspec.UNSET if pid is None else Process(pid=pid, started_at=at(-11_100))
    return msgspec.structs.replace(whole, **{"restart": restart, "process": process, **changes})


def shown(*components: Component) -> State:
    return state([*components, component("gateway")])


async def listening(desk: Desk) -> Dialog:
    """The dialog, once it takes keys."""
    await desk.until(lambda: isinstance(desk.app.screen, Dialog) and desk.app.screen.listens, "no dialog listens")
    assert isinstance(desk.app.screen, Dialog)
    return desk.app.screen


def focus(desk: Desk) -> str | None:
    """The id of what takes the keys."""
    assert desk.app.focused is not None
    return desk.app.focused.id


async def done(desk: Desk, *acted: Acted) -> None:
    """Waits until just this has reached the daemon."""
    await desk.until(lambda: len(desk.source.acted) >= len(acted), "nothing reached the daemon")
    assert desk.source.acted == list(acted)


# --- silence and hold ---


@pytest.mark.parametrize(("key", "action"), [("s", "silence"), ("h", "hold")])
async def test_a_key_and_a_reason_silence_or_hold_for_an_hour(key: str, action: str) -> None:
    async with seated(shown(mind()), (80, 24), author="alice") as desk:
        await desk.press(key)
        await listening(desk)
        assert f"{action} mind" in desk.text
        await desk.press(*"outage", "enter")
        await done(desk, Acted("mind", action, "alice", "outage", 3600.0))
        await desk.until(lambda: any("mind" in told for told in desk.toasts), "nothing was said")


async def test_the_duration_can_be_another_and_one_that_is_none_is_told() -> None:
    async with seated(shown(mind())) as desk:
        await desk.press("s")
        await listening(desk)
        await desk.press("shift+tab", "end", "backspace", "backspace", *"soon", "enter")
        await desk.until_shown("is no duration")
        await desk.press("end", *["backspace"] * 4, *"90m", "tab", "x", "enter")
        await done(desk, Acted("mind", "silence", None, "x", 5400.0))


async def test_without_a_reason_nothing_is_silenced_and_escape_leaves_everything_as_it_was() -> None:
    async with seated(shown(mind())) as desk:
        await desk.press("s")
        await listening(desk)
        await desk.press("enter")
        await desk.until_shown("a reason is needed")
        await desk.press("escape")
        assert not isinstance(desk.app.screen, Dialog)
        assert desk.source.acted == []


@pytest.mark.parametrize(("key", "field", "action"), [("s", "silence", "unsilence"), ("h", "hold", "release")])
async def test_ending_one_asks_nothing(key: str, field: str, action: str) -> None:
    laid: dict[str, Any] = {field: NOTICE}
    async with seated(shown(mind(**laid))) as desk:
        await desk.press(key)
        await done(desk, Acted("mind", action))


# --- acknowledge, pause ---


@pytest.mark.parametrize("why", ["", "the vendor knows"])
async def test_a_acknowledges_the_open_incident_with_a_reason_or_none_and_says_where_no_incident_is(why: str) -> None:
    async with seated(shown(mind())) as desk:
        await desk.press("a")
        await listening(desk)
        await desk.press(*["space" if letter == " " else letter for letter in why], "enter")
        await done(desk, Acted("mind", "ack", None, why or None))
        await desk.press("j", "a")
        await desk.until(lambda: "gateway has no open incident" in desk.toasts, "nothing was said")
        assert not isinstance(desk.app.screen, Dialog)
        assert len(desk.source.acted) == 1


async def test_pausing_asks_first_and_resuming_does_not() -> None:
    async with seated(shown(mind())) as desk:
        await desk.press("P")
        await listening(desk)
        await desk.press("enter")
        await done(desk, Acted("mind", "pause"))
        await desk.tell(shown(mind(state="paused")))
        await desk.press("P")
        await done(desk, Acted("mind", "pause"), Acted("mind", "resume"))


# --- restart ---


async def test_a_restart_names_component_pid_age_and_method_asks_why_and_enter_leads_to_cancel_alone() -> None:
    async with seated(shown(mind()), (80, 24)) as desk:
        await desk.press("R")
        await listening(desk)
        for part in (
            "restart mind",
            "down for 5m",
            "no new work for 612 s",
            "by signal: SIGTERM → pid 3117",
            "running for 3h05m",
        ):
            assert part in desk.text, part
        assert focus(desk) == "reason"
        await desk.press(*"hangs", "enter")
        assert focus(desk) == "cancel"
        assert "the right arrow goes on to Restart; enter on Cancel does nothing" in desk.text
        await desk.press("enter")
        assert not isinstance(desk.app.screen, Dialog)
        assert desk.toasts == ["not restarted: mind"]
        assert desk.source.acted == []


async def test_a_restart_does_not_say_of_a_process_that_is_not_seen_that_it_runs() -> None:
    async with seated(shown(mind(layers=Layers(alive="failed", working="failed"))), (80, 24)) as desk:
        await desk.press("R")
        await listening(desk)
        assert "pid 3117, began 3h05m ago, not seen now" in desk.text
        assert "running for" not in desk.text


async def test_an_open_question_follows_what_happens_below_it_but_the_process_asked_about_stays() -> None:
    async with seated(shown(mind()), (80, 24), HandClock()) as desk:
        await desk.press("R")
        await listening(desk)
        await desk.press(*"hangs")
        await desk.tell(shown(mind(4000, state="healthy", diagnosis="", since=at(-1))))
        await desk.until_shown("healthy for 1s")
        assert "pid 3117" in desk.line("SIGTERM")
        assert "Now there is pid 4000: cancel, and press the key again" in desk.text
        assert "hangs" in desk.text
        await desk.tell(state([component("gateway")]))
        await desk.until_shown("mind is no longer watched")
        await desk.press("escape")
        assert desk.source.acted == []


async def test_confirmed_it_is_sent_and_the_component_opens_to_show_it() -> None:
    async with seated(shown(mind()), author="alice") as desk:
        await desk.press("R")
        await listening(desk)
        await desk.press(*"hangs", "enter", "right", "enter")
        await done(desk, Acted("mind", "restart", "alice", "hangs"))
        assert "Consciousness loop" in desk.text
        await desk.until_shown("1 of 3" if "1 of 3" in desk.text else "0 of 3 in vain")


async def test_keys_typed_ahead_reach_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialog_module, "DEAF_FOR_S", 3600.0)  # so that a busy machine cannot make a key too late
    async with seated(shown(mind())) as desk:
        await desk.press("R", "right", "enter", "tab", "enter", "escape", "q")
        dialog = desk.app.screen
        assert isinstance(dialog, Dialog)
        assert desk.source.acted == []
        dialog._listen()
        await listening(desk)
        assert dialog.is_running
        assert desk.source.acted == []
        assert focus(desk) == "reason"


@pytest.mark.parametrize("now", [mind(4000), mind(None), mind(3117, process=Process(pid=3117, started_at=at(-5)))])
async def test_another_process_than_the_one_that_was_asked_about_is_left_alone(now: Component) -> None:
    async with seated(shown(mind())) as desk:
        await desk.press("R")
        await listening(desk)
        desk.source.document = shown(now)  # in the daemon's eyes; ours have not seen it yet
        await desk.press("enter", "right", "enter")
        await desk.until(lambda: any("you were asked about pid 3117" in told for told in desk.toasts), "no word")
        assert desk.source.acted == []


async def test_the_cursor_may_be_moved_by_the_daemon_but_the_question_stays_with_its_component() -> None:
    async with seated(shown(mind())) as desk:
        await desk.press("R")
        await listening(desk)
        await desk.tell(state([mind(), component("another", "down")]))
        await desk.press("enter", "right", "enter")
        await done(desk, Acted("mind", "restart"))


async def test_after_too_many_in_vain_it_offers_to_re_arm() -> None:
    async with seated(shown(mind(phase="exhausted")), (80, 24)) as desk:
        await desk.press("R")
        await listening(desk)
        assert "given up after 3 in vain" in desk.text
        assert "Re-arm" in desk.text
        await desk.press("enter", "right", "enter")
        await done(desk, Acted("mind", "rearm"))


async def test_a_component_without_a_restart_section_says_so() -> None:
    async with seated(shown()) as desk:
        await desk.press("R")
        await desk.until(lambda: "gateway has no restart section in the config" in desk.toasts, "nothing was said")
        assert not isinstance(desk.app.screen, Dialog)


async def test_what_the_daemon_refuses_is_told_with_its_reason() -> None:
    async with seated(shown(mind())) as desk:
        desk.source.refusal = "a restart \x1b[31mis [/] under way"
        await desk.press("a")
        await listening(desk)
        await desk.press("enter")
        await desk.until(lambda: any("is [/] under way" in told for told in desk.toasts), "nothing was said")
        assert "\x1b" not in desk.text


# --- where it shows ---


async def test_a_restart_under_way_is_a_transaction_and_those_before_are_a_table() -> None:
    old = RestartMade(
        attempt=1,
        at=at(-3600),
        automatic=True,
        author="",
        reason="",
        words="SIGTERM to pid 2000",
        pid_before=2000,
        pid_after=3117,
        process_after_s=1.2,
        work_after_s=None,
        outcome="unproductive",
    )
    begun = msgspec.structs.replace(
        old, attempt=2, at=at(-4), automatic=False, author="alice", outcome="pending", words="SIGTERM to pid 3117"
    )
    sent = msgspec.structs.replace(begun, pid_after=None, process_after_s=None)
    renewed = msgspec.structs.replace(begun, pid_after=4000, process_after_s=2.5)
    worked = msgspec.structs.replace(renewed, work_after_s=7.0, outcome="productive", pid_before=3117)

    def told(*history: RestartMade) -> State:
        whole = mind(phase="verifying")
        assert whole.restart is not None
        return shown(mind(restart=msgspec.structs.replace(whole.restart, history=list(history))))

    async with seated(told(old, sent), (80, 50)) as desk:
        await desk.until_shown("mind")
        await desk.press("enter")
        await desk.until_shown("under way, by alice")
        assert "● SIGTERM to pid 3117" in desk.text
        assert "◌ new process: awaited" in desk.text
        assert "unproductive  automatic" in desk.line("2000 → 3117")
        await desk.tell(told(old, renewed))
        await desk.until_shown("● new process 4000 after 2.5 s")
        assert "◌ first work: awaited" in desk.text
        await desk.tell(told(old, worked))
        await desk.until(lambda: "under way" not in desk.text, "it goes on")
        assert "2.5 s / 7.0 s" in desk.line("3117 → 4000")


async def test_silenced_held_and_taken_are_marked_in_panel_table_and_detail() -> None:
    laid = "restart in 41 s (1 of 3) · held by bob (root) until 12:42 UTC · silenced by bob (root) until 12:42 UTC: x"
    held = mind(
        next=laid, silence=NOTICE, hold=NOTICE, acknowledged=msgspec.structs.replace(NOTICE, until=None, reason="")
    )
    async with seated(shown(held), (150, 40), HandClock()) as desk:
        words = "silenced by bob (root) for 42m more: vendor outage"
        await desk.until_shown(f"→ restart in 41 s (1 of 3) · {words} · held by bob (root) for 42m more")
        await desk.press("2")
        assert "silenced · held · acknowledged" in desk.line("mind")
        await desk.press("enter")
        assert words in desk.text
        assert "acknowledged by bob (root)" in desk.text


async def test_3_lists_what_is_open_silenced_or_held_with_author_reason_and_countdown() -> None:
    quiet = component("tools", hold=NOTICE)
    taken = mind(name="a-taken", acknowledged=msgspec.structs.replace(NOTICE, until=None, reason="on it"))
    waiting = mind(suppressed_by="router")
    async with seated(state([quiet, component("gateway"), taken, waiting]), (80, 24), HandClock()) as desk:
        await desk.press("3")
        await desk.until_shown("waits for router · nobody has taken it")
        assert "gateway" not in desk.text
        order = [desk.text.index(name) for name in ("mind", "a-taken", "tools")]
        assert order == sorted(order)
        assert "open for 5m" in desk.line("a-taken")
        assert "acknowledged by bob (root): on it" in desk.text
        assert "held by bob (root) for 42m more: vendor outage" in desk.text
        assert "2 open, 0 silenced, 1 held" in desk.text
        await desk.press("j", "j", "h")
        await done(desk, Acted("tools", "release"))
        await desk.press("enter")
        await desk.until_shown("checks")
        await desk.press("1")
        await desk.until_shown("gateway")
        await desk.tell(shown())
        await desk.press("3")
        await desk.until_shown("no incident is open")


# --- who may not ---


async def test_a_read_only_console_has_none_of_these_keys() -> None:
    async with seated(shown(mind(silence=NOTICE)), (200, 50), read_only=True) as desk:
        for view in ("1", "2", "3", "enter"):
            await desk.press(view, "s", "h", "a", "R", "P", "c")
            assert not isinstance(desk.app.screen, Dialog)
            assert not {"silence", "hold", "ack", "restart", "pause"} & set(desk.lines[-1].split())
        await desk.press("ctrl+p")
        assert not desk.source.acted
        assert not desk.source.probed


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (200, 50)])
async def test_a_dialog_fits_the_smallest_terminal_and_shows_hostile_text_as_text(size: tuple[int, int]) -> None:
    hostile = mind(name="[/]\x1b[2J\u202e", diagnosis="[bold red]" + "x " * 400, restart=_poisoned())
    async with seated(state([hostile]), size) as desk:
        await desk.press("R")
        await listening(desk)
        assert "Cancel" in desk.text
        assert "Restart" in desk.text
        assert "[/]" in desk.text
        assert "\x1b" not in desk.text
        assert "\u202e" not in desk.text
        assert all(len(line) <= size[0] for line in desk.lines)


def _poisoned() -> Restart:
    restart = down_mind().restart
    assert restart is not None
    return msgspec.structs.replace(restart, method="[/]\x1b[31m")
