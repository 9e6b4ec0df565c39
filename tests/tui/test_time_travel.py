"""An operator looks back: `[` and `]` step through a past that never looks like now and takes no order."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lifesign.api.documents import EventDocument, Notice, State
from lifesign.api.failures import ClientError
from lifesign.api.past import OpenThen, PastCheck, PastState, Step
from lifesign.api.past_incidents import IncidentsThen, PastIncident
from lifesign.tui.drawing.spans import Line, width_of
from lifesign.tui.source import SnapshotFile
from lifesign.tui.widgets.lines import Pageful
from tests.tui.desk import Desk, HandClock, seated
from tests.tui.documents import at, check, component, down_mind, state

NOW_WORDS = "no new work for 612 s"  # what the component says now


def looked(name: str = "heartbeat", **changes: Any) -> PastCheck:
    """A check that passed then."""
    whole = PastCheck(
        name=name,
        type="heartbeat",
        layer="working",
        optional=False,
        state="passing",
        message="",
        last_at=at(-903),
        latency_ms=0.4,
        consecutive_failures=None,
    )
    return msgspec.structs.replace(whole, **changes)


def moment(seconds: float, state: str | None, until: float | None, **changes: Any) -> PastState:
    """How it stood so many seconds after noon."""
    name = {"healthy": "component.healthy", "down": "component.down"}.get(state or "", "silence.added")
    words = f"told at {seconds:g}"
    whole = PastState(
        at=at(seconds),
        until=None if until is None else at(until),
        events=[EventDocument(ts=at(seconds), level="INFO", event=name, component="mind", message=words)],
        state=state,
        since=at(seconds),
        diagnosis=words,
        restart="",
        incident=None,
        notices=[],
        layers={"alive": "passing", "working": "passing"},
        last_work_at=at(seconds - 3),
        consecutive_failures=0,
        checks=[looked(), looked("process", type="process", layer="alive", last_at=at(seconds))],
    )
    return msgspec.structs.replace(whole, **changes)


WENT_DOWN = moment(
    -900,
    "down",
    -600,
    restart="restart withheld: grace 0:42",
    incident=OpenThen(id="mind-1", opened_at=at(-900)),
    notices=["alice silenced it for 1 h"],
    layers={"alive": "passing", "working": "failed"},
    consecutive_failures=4,
    checks=[looked(state="failed", message="no new work for 305 s", consecutive_failures=4)],
)
PAST = [moment(-3600, "healthy", -900), WENT_DOWN, moment(-600, "healthy", -300), moment(-300, None, None)]


def shown() -> State:
    """Mind is down now, and everything is laid upon it."""
    notice = Notice(until=at(2520), author="bob (root)", reason="vendor outage", since=at(-60))
    return state([msgspec.structs.replace(down_mind(), silence=notice), component("gateway")])


async def opened(desk: Desk, moments: list[PastState] | None = None) -> None:
    """The component screen of mind."""
    desk.source.moments = PAST if moments is None else moments
    await desk.press("enter")
    await desk.until_shown("checks")
    assert "THE PAST" not in desk.text


async def test_the_past_is_stepped_through_and_the_end_of_it_is_now() -> None:
    async with seated(shown(), (120, 40), HandClock()) as desk:
        await opened(desk)
        for key, words in (
            ("[", "THE PAST: 2026-11-21 11:55:00.000Z, 5m ago"),
            ("[", "THE PAST: 2026-11-21 11:50:00.000Z, 10m ago"),
            ("[", "THE PAST: 2026-11-21 11:45:00.000Z, 15m ago"),
            ("]", "THE PAST: 2026-11-21 11:50:00.000Z, 10m ago"),
            ("]", "THE PAST: 2026-11-21 11:55:00.000Z, 5m ago"),
        ):
            await desk.press("left_square_bracket" if key == "[" else "right_square_bracket")
            await desk.until_shown(words)
        await desk.press("right_square_bracket")
        await desk.until(lambda: "THE PAST" not in desk.text, "it is still the past")
        assert "back at now" in desk.toasts
        assert NOW_WORDS in desk.text
        await desk.press("right_square_bracket")
        assert desk.toasts[-1] == "this is now"


async def test_what_was_so_then_is_shown_and_nothing_of_now() -> None:
    async with seated(shown(), (120, 40), HandClock()) as desk:
        await opened(desk, [WENT_DOWN])
        await desk.press("left_square_bracket")
        await desk.until_shown("THE PAST")
        text = desk.text
        for words in (
            "✖ down",
            "for 5m then",
            "component.down  told at -900",
            "restart withheld: grace 0:42",
            "3s before, at 2026-11-21 11:44:57Z",
            "4 in a row",
            "mind-1, opened 2026-11-21 11:45:00Z",
            "alice silenced it for 1 h",
            "✖ working failed",
            "● alive passing",
            "· ready none",
            "no new work for 305 s",
            "looked 3s before, took 0.4 ms",
        ):
            assert words in text, f"{words!r} is not in\n{text}"
        for words in (NOW_WORDS, "vendor outage", "restart in 41 s", "61", "pid 3117", "mind-20261121T115448"):
            assert words not in text, f"{words!r} of now is in\n{text}"


async def test_what_nobody_can_tell_any_more_says_so() -> None:
    unknown = moment(
        -300,
        None,
        None,
        since=None,
        diagnosis="",
        layers={"alive": None, "working": None},
        last_work_at=None,
        incident=OpenThen(id="mind-0", opened_at=None),
        consecutive_failures=None,
        checks=[
            looked(state=None, last_at=None, latency_ms=None),
            looked("gone", type=None, layer=None, state="failed"),
        ],
    )
    async with seated(shown(), (120, 40), HandClock()) as desk:
        await opened(desk, [unknown])
        await desk.press("left_square_bracket")
        await desk.until_shown("? not known   mind")
        for label in ("why", "since", "failures"):
            line = next(line for line in desk.lines if line.startswith(f" {label} "))
            assert line.split(label)[1].strip() == "not known"
        assert "? alive not known   · ready none   ? working not known" in desk.text
        assert "no look is kept" in desk.text
        assert "mind-0, opened at a time not known" in desk.text
        assert "no longer in the config" in desk.line("gone")


@pytest.mark.parametrize("key", ["c", "s", "h", "a", "R", "P", "l"])
async def test_nothing_can_be_done_to_the_past(key: str) -> None:
    async with seated(shown(), (120, 40), HandClock()) as desk:
        await opened(desk)
        await desk.press("left_square_bracket")
        await desk.until_shown("THE PAST")
        await desk.press(key)
        assert desk.toasts == ["nothing can be done in the past; esc goes back to now"]
        assert (desk.source.acted, desk.source.probed) == ([], [])
        assert "restart" not in desk.lines[-1]  # nor does the key bar offer it
        await desk.press("escape")
        assert NOW_WORDS in desk.text
        await desk.press("c")
        await desk.until(lambda: desk.source.probed == ["mind"], "it is still the past")


async def test_the_palette_does_nothing_to_the_past_either() -> None:
    async with seated(shown(), (120, 40), HandClock()) as desk:
        await opened(desk)
        await desk.press("left_square_bracket")
        await desk.until_shown("THE PAST")
        await desk.press("colon", *"pause mind")
        await desk.until_shown("stop its checks")
        await desk.press("enter")
        await desk.until(lambda: any("in the past" in told for told in desk.toasts), "nothing was said")
        assert desk.source.acted == []


async def test_escape_goes_back_to_now_and_only_then_leaves() -> None:
    async with seated(shown(), (120, 40), HandClock()) as desk:
        await opened(desk)
        await desk.press("left_square_bracket")
        await desk.until_shown("THE PAST")
        await desk.press("escape")
        assert NOW_WORDS in desk.text
        assert "why" in desk.text
        await desk.press("escape")
        assert "2 shown" in desk.text


async def test_before_the_first_change_there_is_nothing_and_the_first_stays() -> None:
    async with seated(shown(), (120, 40), HandClock()) as desk:
        await opened(desk, [WENT_DOWN])
        await desk.press("left_square_bracket")
        await desk.until_shown("THE PAST")
        await desk.press("left_square_bracket")
        await desk.until(lambda: bool(desk.toasts), "nothing was said")
        assert desk.toasts == ["no earlier change is kept"]
        assert "THE PAST: 2026-11-21 11:45:00.000Z" in desk.text


async def test_keys_pressed_while_it_looks_are_asked_for_in_one_go_and_escape_forgets_them() -> None:
    let = threading.Semaphore(0)
    async with seated(shown(), (120, 40), HandClock()) as desk:
        await opened(desk)
        desk.source.before_past = lambda: let.acquire(timeout=20)
        await desk.press(*["left_square_bracket"] * 3)
        await desk.until_shown("looking back")
        let.release(2)
        await desk.until_shown("11:45:00.000Z, 15m ago")
        assert [(step.moment, step.later, step.count) for step in desk.source.steps] == [
            (at(0), False, 1),
            (at(-300), False, 2),
        ]
        await desk.press("left_square_bracket")
        await desk.until(lambda: len(desk.source.steps) == 3, "it did not ask")
        await desk.press("escape")
        let.release()
        await desk.tick()
        assert NOW_WORDS in desk.text


async def test_a_daemon_that_cannot_tell_is_told_and_it_stays_now() -> None:
    async with seated(shown(), (120, 40), HandClock()) as desk:
        await opened(desk)
        desk.source.problem = "404: no such \x1b[31mroute"
        await desk.press("left_square_bracket")
        await desk.until(lambda: any("no such" in told for told in desk.toasts), "nothing was said")
        assert "THE PAST" not in desk.text
        assert "\x1b" not in desk.text


async def test_the_header_tells_of_the_past_however_far_one_scrolls_and_of_the_present_only_as_now() -> None:
    async with seated(shown(), (80, 24), HandClock()) as desk:
        await opened(desk)
        assert "✖ down" in desk.lines[0]
        await desk.press("left_square_bracket")
        await desk.until_shown("THE PAST")
        await desk.press("G")
        assert desk.lines[0].startswith(" THE PAST: 2026-11-21 11:55:00.000Z, 5m ago ")
        assert desk.lines[0].endswith("now   ✖ 1   ● 1   12:00:00Z ")
        await desk.resize(60, 24)
        assert desk.lines[0] == " THE PAST: 2026-11-21 11:55:00.000Z, 5m ago".ljust(60)
        await desk.resize(80, 24)
        await desk.tell(problem="connection refused")
        assert desk.lines[0].endswith("? disconnected ")
        await desk.press("escape")
        assert "THE PAST" not in desk.lines[0]


async def test_the_past_of_the_incidents_is_never_drawn_for_a_width_that_is_not_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[int] = []
    show = Pageful.show

    def noting(page: Pageful, lines: Sequence[Line], *, gone: bool = False) -> None:
        drawn.extend(width_of(line) for line in lines)
        show(page, lines, gone=gone)

    monkeypatch.setattr(Pageful, "show", noting)
    async with seated(shown(), (80, 24), HandClock()) as desk:
        desk.source.turns = [turn(-900, None, WORKER_OPEN)]
        for _ in range(2):
            await desk.press("3", "left_square_bracket")
            await desk.until_shown("open for 18m then")
            await desk.press("escape", "escape")
    assert set(drawn) == {79}  # a column is the scroll bar's


async def test_on_a_small_screen_the_way_back_stands_on_a_line_of_its_own() -> None:
    async with seated(shown(), (80, 24), HandClock()) as desk:
        await opened(desk)
        await desk.press("left_square_bracket")
        await desk.until_shown("THE PAST: 2026-11-21 11:55:00.000Z, 5m ago")
        assert "[ earlier · ] later · esc back to now" in desk.text


async def test_the_keys_can_be_remapped_and_the_banner_names_those() -> None:
    keys = {"past.earlier": "f3", "past.later": "f4", "console.back": "f9"}
    async with seated(shown(), (120, 40), HandClock(), keys=keys) as desk:
        await opened(desk)
        await desk.press("f3")
        await desk.until_shown("f3 earlier · f4 later · f9 back to now")
        await desk.press("question_mark")
        await desk.until_shown("how it was at the change before")


def test_a_snapshot_says_that_it_holds_no_history(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="holds no history"):
        SnapshotFile(tmp_path / "none.json").past("mind", Step())


def turn(seconds: float, until: float | None, *incidents: PastIncident) -> IncidentsThen:
    """What was open so many seconds after noon."""
    told = [EventDocument(ts=at(seconds), level="INFO", event="ack.added", component="mind", message="alice has it")]
    until_at = None if until is None else at(until)
    return IncidentsThen(at=at(seconds), until=until_at, known_since=None, events=told, incidents=list(incidents))


WORKER_OPEN = PastIncident(
    component="worker", incident="worker-7", opened_at=at(-2000), why="no process matches", notices=[]
)
MIND_TAKEN = PastIncident(
    component="mind",
    incident="mind-1",
    opened_at=at(-1000),
    why="no new work",
    notices=["alice has it", "held: deploy"],
)


async def test_the_incident_list_is_stepped_through_and_takes_no_order_there() -> None:
    turns = [turn(-1500, -900, WORKER_OPEN), turn(-900, -300, WORKER_OPEN, MIND_TAKEN), turn(-300, None)]
    async with seated(shown(), (120, 40), HandClock()) as desk:
        desk.source.turns = turns
        await desk.press("3", "left_square_bracket")
        await desk.until_shown("THE PAST: 2026-11-21 11:55:00.000Z, 5m ago")
        await desk.until_shown("no incident was open, and nothing was silenced or held")
        assert "vendor outage" not in desk.text
        await desk.press("left_square_bracket")
        await desk.until_shown("THE PAST: 2026-11-21 11:45:00.000Z, 15m ago")
        for words in ("ack.added  mind: alice has it", "for 10m then", "alice has it · held: deploy"):
            assert words in desk.text
        assert "open for 18m then" in desk.line("✖ open      worker")
        assert "nobody had taken it" in desk.text
        for key in ("c", "R", "a", "space", "enter"):
            await desk.press(key)
        assert "in the past" in desk.toasts[-1]
        assert (desk.source.acted, desk.source.probed) == ([], [])
        await desk.press("right_square_bracket", "right_square_bracket")
        await desk.until_shown("vendor outage")
        assert "back at now" in desk.toasts
        await desk.press("c")
        await desk.until(lambda: desk.source.probed == ["mind"], "the list does not take keys again")


async def test_escape_on_the_incident_list_of_the_past_goes_back_to_now_and_only_then_leaves() -> None:
    async with seated(shown(), (80, 24), HandClock()) as desk:
        desk.source.turns = [turn(-900, None, WORKER_OPEN)]
        await desk.press("3", "left_square_bracket")
        await desk.until_shown("THE PAST")
        await desk.press("escape")
        assert "vendor outage" in desk.text
        await desk.press("left_square_bracket")
        await desk.until_shown("THE PAST")
        await desk.press("3")
        assert "THE PAST" not in desk.text
        await desk.press("escape")
        assert "2 shown" in desk.text


async def test_nothing_is_asked_of_the_past_by_itself() -> None:
    async with seated(state([component("mind", checks=[check()])]), (120, 40), HandClock()) as desk:
        await opened(desk)
        for _ in range(3):
            await desk.tick()
        assert desk.source.steps == []
