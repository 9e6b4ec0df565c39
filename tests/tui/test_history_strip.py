"""The last verdicts and latencies that the console has seen itself."""

from lifesign.api.documents import Component
from lifesign.tui.drawing.glyphs import ASCII, UNICODE
from lifesign.tui.drawing.strips import sparkline, verdict_spans
from lifesign.tui.memory import VERDICTS, Memory
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
