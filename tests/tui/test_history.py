"""An operator looks for what happened ten minutes ago."""

from lifesign.api.documents import EventDocument
from tests.tui.desk import Desk, seated
from tests.tui.documents import at, component, state

LONG = "no new work for 612 s (limit 300 s); its last message: " + "cycle 7 was the last of this morning, then " * 3
HISTORY = [
    EventDocument(ts=at(-600), level="ERROR", event="component.down", component="mind", message=LONG.strip()),
    EventDocument(
        ts=at(-500), level="INFO", event="silence.added", component="feed", message="silenced by ana: vendor"
    ),
    EventDocument(ts=at(-60), level="INFO", event="component.recovered", component="mind", message="up again"),
]


async def history(desk: Desk) -> None:
    desk.source.history = list(HISTORY)
    await desk.press("4")
    await desk.until_shown("component.recovered")


async def test_the_history_is_searched_by_any_word_of_it_and_letters_do_nothing_else() -> None:
    async with seated(state([component("mind"), component("feed")])) as desk:
        await history(desk)
        await desk.press("slash", *"anA")
        assert "silence.added" in desk.text
        assert "component.down" not in desk.text
        assert "component.recovered" not in desk.text
        await desk.press("enter")
        assert "filter anA" in desk.text
        await desk.press("escape")
        assert "component.down" in desk.text
        await desk.press("slash", "exclamation_mark", *"mind")
        assert "component.recovered" not in desk.text
        await desk.press(*"zz")
        assert "component.recovered" in desk.text
        await desk.press("escape", "slash", *"quux")
        await desk.until_shown("none of 3 events has quux")
        assert desk.source.acted == []


async def test_a_moment_is_found_by_its_time() -> None:
    async with seated(state([component("mind")])) as desk:
        await history(desk)
        moment = HISTORY[1].ts[11:16]
        await desk.press("slash", *["colon" if c == ":" else c for c in moment])
        assert "silence.added" in desk.text
        assert "component.down" not in desk.text


async def test_a_long_message_is_read_to_its_end_on_a_narrow_terminal() -> None:
    async with seated(state([component("mind")]), size=(80, 24)) as desk:
        await history(desk)
        assert "…" not in desk.text.split("silence.added")[0].split("component.down")[1]
        assert " ".join(desk.text.split()).count("then cycle 7 was the last of this morning") == 2
