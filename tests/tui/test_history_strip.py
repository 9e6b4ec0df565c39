"""The last verdicts and latencies: those that the console has seen itself, and before it was opened what was told."""

from lifesign.api.documents import Component, EventDocument
from lifesign.tui.drawing.glyphs import ASCII, UNICODE
from lifesign.tui.drawing.strips import sparkline, verdict_spans
from lifesign.tui.memory import VERDICTS, Memory
from lifesign.tui.recall import recalled
from tests.tui.desk import HandClock, seated
from tests.tui.documents import at, check, component, state


def looked(seconds: int, word: str = "healthy", latency_ms: float = 1.0) -> Component:
    return component("a", word, checks=[check(last_at=at(seconds), latency_ms=latency_ms)])


def test_a_verdict_is_remembered_for_each_look_and_sixty_at_most() -> None:
    memory = Memory()
    for second in range(70):
        for _ in range(3):
            memory.take(state([looked(second, "down" if second == 69 else "healthy")]))
    assert len(memory.verdicts("a")) == VERDICTS
    assert memory.verdicts("a")[-2:] == ("healthy", "down")
    memory.take(state([component("b")]))
    assert memory.verdicts("a") == ()


def test_every_state_has_a_sign_of_its_own_in_both_sets() -> None:
    states = ["healthy", "degraded", "down", "unknown", "starting", "paused"]
    for glyphs in (UNICODE, ASCII):
        strip = "".join(text for text, _ in verdict_spans(states, 60, glyphs))
        assert len(set(strip)) == 6
    assert "".join(text for text, _ in verdict_spans(states, 2, ASCII)) == "o="


def test_a_sparkline_rises_to_its_largest_value() -> None:
    assert sparkline([0.0, 4.0, 8.0], 60, UNICODE) == "▁▅█"
    assert sparkline([0.0, 0.0], 60, ASCII) == "__"
    assert sparkline([1.0], 60, UNICODE) == ""


async def test_the_panel_and_the_component_show_what_has_been_seen() -> None:
    clock = HandClock()
    first, second, third = (
        state([looked(0)]),
        state([looked(10, "down", 8.0)], seconds=10),
        state([looked(20, "degraded", 4.0)], seconds=20),
    )
    async with seated(first, (80, 40), clock) as desk:
        for document in (second, third):
            clock.now_s += 10
            await desk.tell(document)
        await desk.until_shown("▁█▄")
        await desk.press("enter")
        await desk.until_shown("history    ▁█▄")
        await desk.until_shown("latency ▂█▅  1.0 to 8.0 ms")


def told(seconds: float, event: str, component: str | None = "a", **data: object) -> EventDocument:
    return EventDocument(ts=at(seconds), level="INFO", event=event, component=component, data=data or None)


def watched(state_word: str = "healthy", since: float = -5.0, name: str = "a") -> Component:
    """Looked at every ten seconds."""
    return component(name, state_word, since=at(since), checks=[check(last_at=at(-2), next_at=at(8))])


def test_what_was_before_is_what_was_told_one_verdict_a_look() -> None:
    events = [
        told(-95, "component.healthy"),
        told(-65, "component.degraded"),
        told(-45, "component.down"),
        told(-45, "alert.sent"),
        told(-15, "component.recovered"),
    ]
    before = recalled(state([watched(), watched(name="b")]), events)
    healthy, degraded, down = ["healthy"] * 3, ["degraded"] * 2, ["down"] * 4
    assert list(before["a"]) == [*healthy, *degraded, *down]  # ten seconds ago, still as it was told last
    assert before["b"] == ()  # of which nothing was told
    assert recalled(state([watched(since=-86_400)]), [])["a"] == ("healthy",) * (VERDICTS - 1)


def test_where_nobody_watched_there_was_no_look() -> None:
    stopped = [
        told(-95, "component.down"),
        told(-65, "monitor.stopped", None),
        told(-25, "monitor.started", None, away_s=40.0),
    ]
    assert recalled(state([watched(since=-15)]), stopped)["a"] == ("down",) * 4 + ("healthy",)
    killed = [told(-95, "component.down"), told(-25, "monitor.started", None, away_s=40.0)]
    assert recalled(state([watched(since=-15)]), killed)["a"] == ("down",) * 4 + ("healthy",)
    paused = [told(-35, "operator.action", action="pause"), told(-25, "operator.action", action="resume")]
    assert recalled(state([watched()]), paused)["a"] == ("paused", "unknown", "unknown")


async def test_the_strip_is_there_as_soon_as_the_console_opens() -> None:
    async with seated(state([component("mind", since=at(-25))]), (80, 40), HandClock(), recalls=True) as desk:
        await desk.until_shown("▁▁▁")
        await desk.press("enter")
        await desk.until_shown("history    ▁▁▁  now")
        assert desk.source.asked_for_events == 1
