"""Text from data in every field, on every screen: no crash, and nothing but printable text reaches the terminal."""

import re
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len

from lifesign.api.documents import EventDocument, Incident, Layers, Notice, Process, Restart, RestartMade, State
from lifesign.api.past import OpenThen, Past, PastCheck, PastState
from lifesign.api.past_incidents import IncidentsThen, PastIncident, PastIncidents
from tests.tui.desk import Desk, seated
from tests.tui.documents import check, component, state

STRINGS = (
    "\x1b[2J\x1b]52;c;ZXZpbA==\x07",
    "[/]",
    "[/][bold red]x[/bold] [@click=app.quit]q[/]",
    "\u202egnp.exe\u2066\u200b\ufeff",
    "nul\x00 del\x7f c1\x9b31m \x85 \u2028",
    "wide 漢字漢字 👩‍👩‍👧‍👦 e\u0301\u0301\u0301",
    "tab\tnew\nline\r\v",
    "\ud800 lone",
)
HOSTILE = {"all": " ".join(STRINGS), "reversed": "".join(reversed(STRINGS)), "long": "long " * 3000, "empty": ""}

# As in reliability.md, P2, written down anew: C0, DEL, C1, bidi, zero-width.
STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def poisoned_past(text: str) -> tuple[PastState, IncidentsThen]:
    """The same of the past."""
    told = [EventDocument(ts=text, level=text, event=text, component=text, check=text, message=text)]
    gone = PastCheck(
        name=text,
        type=text,
        layer=text,
        optional=True,
        state=text,
        message=text,
        last_at=text,
        latency_ms=float("inf"),
        consecutive_failures=10**18,
    )
    stood = PastState(
        at=text,
        until=text,
        events=told,
        state=text,
        since=text,
        diagnosis=text,
        restart=text,
        incident=OpenThen(id=text, opened_at=text),
        notices=[text],
        layers={"alive": text, text: text},
        last_work_at=text,
        consecutive_failures=-1,
        checks=[gone],
    )
    one = PastIncident(component=text, incident=text, opened_at=text, why=text, notices=[text, text])
    return stood, IncidentsThen(at=text, until=text, known_since=text, events=told, incidents=[one])


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_no_hostile_text_of_the_past_reaches_the_terminal(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stood, then = poisoned_past(text)
    past = Past(schema="lifesign.past/1", generated_at=text, component=text, moment=stood)
    incidents = PastIncidents(schema="lifesign.past_incidents/1", generated_at=text, moment=then)
    async with seated(state([component("mind")]), (80, 40)) as desk:
        monkeypatch.setattr(desk.source, "past", lambda *_: past)
        monkeypatch.setattr(desk.source, "past_incidents", lambda *_: incidents)
        for keys in (("enter", "left_square_bracket"), ("3", "left_square_bracket")):
            await desk.press(*keys)
            await desk.until_shown("THE PAST")
            for _ in range(3):
                assert all(STEERING.search(line) is None for line in desk.lines)
                assert {cell_len(line) for line in desk.lines} == {80}
                await desk.press("pagedown")


def poisoned(text: str) -> State:
    """A document with `text` wherever a string may stand."""
    notice = Notice(until=text, author=text, reason=text, since=text)
    whole = component(
        text,
        text,
        title=text,
        tags=[text, text],
        since=text,
        diagnosis=text,
        next=text,
        layers=Layers(startable=text, alive=text, ready=text, working=text),
        last_work_at=text,
        staleness_s=float("inf"),
        stale_after_s=float("nan"),
        consecutive_failures=10**18,
        suppressed_by=text,
        silence=notice,
        hold=notice,
        acknowledged=notice,
        incident=Incident(id=text, opened_at=text, url=text),
        restart=Restart(
            method=text,
            automatic=True,
            phase=text,
            incarnation=-1,
            unproductive=0,
            max_unproductive=0,
            budget_left=0,
            last_at=text,
            next_at=text,
            withheld=text,
            history=[_made(text, text), _made(text, "pending")],
        ),
        process=Process(pid=1, started_at=text),
        checks=[check(text, **_check(text))],
    )
    sane = component("sane", "down", diagnosis=text, next=text)
    document = state([whole, sane], name=text, host=text, version=text, started_at=text)
    return msgspec.structs.replace(document, generated_at=text, overall=text)


def _made(text: str, outcome: str) -> RestartMade:
    return RestartMade(
        attempt=1,
        at=text,
        automatic=False,
        author=text,
        reason=text,
        words=text,
        pid_before=10**18,
        pid_after=-1,
        process_after_s=float("inf"),
        work_after_s=float("nan"),
        outcome=outcome,
    )


def _check(text: str) -> dict[str, Any]:
    return {
        "type": text,
        "layer": text,
        "state": text,
        "last_at": text,
        "next_at": text,
        "message": text,
        "metrics": {text: 1.5, "b" + text: float("inf")},
        "data": {text: text, "k" + text: [text, {text: None}]},
    }


def assert_harmless(desk: Desk) -> None:
    """Every cell of the screen as it goes to the terminal is printable."""
    for line in desk.lines:
        assert not STEERING.search(line), repr(line)
    for row in desk.rows:
        assert not any(segment.control for segment in row)


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("all", (200, 60)),
        pytest.param("reversed", (60, 15), marks=pytest.mark.proof),
        pytest.param("long", (80, 24), marks=pytest.mark.proof),
        pytest.param("empty", (60, 15), marks=pytest.mark.proof),
    ],
)
async def test_hostile_text_in_every_field_harms_no_screen(kind: str, size: tuple[int, int]) -> None:
    text = HOSTILE[kind]
    async with seated(poisoned(text), size) as desk:
        desk.source.history = [EventDocument(ts=text, level=text, event=text, component=text, check=text, message=text)]
        for keys in (
            ["1"],
            ["2", "j"],
            ["enter"],
            ["end"],
            ["escape", "3"],
            ["escape", "4"],
            ["escape", "question_mark"],
            ["escape"],
        ):
            await desk.press(*keys)
            assert_harmless(desk)
        await desk.press("c")
        await desk.until(lambda: bool(desk.source.probed), "nothing was checked")
        assert_harmless(desk)
        await desk.tell(problem=f"lost: {text}")
        assert_harmless(desk)
        assert "<svg" in desk.app.export_screenshot()


async def test_what_is_pasted_into_the_filter_is_cleaned() -> None:
    async with seated(state([component("a")])) as desk:
        await desk.press("slash")
        desk.app.screen.focused.insert_text_at_cursor("a\x1b]52;c;eA==\x07\u202eb")  # type: ignore[union-attr]
        await desk.tick()
        assert_harmless(desk)
        assert "a]52;c;eA==b" in desk.text
