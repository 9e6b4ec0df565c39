"""The palette holds every command of the screen, and every command on every component."""

import time

import pytest

from lifesign.api.documents import Notice
from lifesign.tui.commands import MAIN, ON_COMPONENTS
from lifesign.tui.proposals import MOST_PROPOSED, Proposal, proposals
from tests.tui.desk import seated
from tests.tui.documents import Acted, component, state
from tests.tui.test_operating import NOTICE, done, listening, mind

NAMES = ("feed", "feeder", "worker", "mind")


def proposed(typed: str) -> list[Proposal]:
    """What is proposed where these four are watched."""
    return proposals(typed, MAIN, ON_COMPONENTS, NAMES)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("restart worker", "restart worker"),
        ("worker restart", "restart worker"),
        ("resta wor", "restart worker"),
        ("silence feed 30m", "silence feed for 30m"),
        ("feed silence 2h vendor outage", "silence feed for 2h (vendor outage)"),
        ("hold mind deploy of the day", "hold mind (deploy of the day)"),
        ("check MIND", "check mind"),
        ("theme", "theme (t)"),
        ("check all", "check all (C)"),
    ],
)
def test_what_is_meant_stands_first(typed: str, words: str) -> None:
    assert proposed(typed)[0].words == words


def test_before_anything_is_typed_every_command_of_the_screen_is_there() -> None:
    assert [one.command for one in proposed("")] == list(MAIN)


def test_a_components_name_alone_proposes_all_that_can_be_done_with_it() -> None:
    found = [one.words for one in proposed("worker") if one.component]
    assert found == [f"{verb.label} worker" for verb in ON_COMPONENTS]


def test_a_thousand_components_are_searched_between_two_letters() -> None:
    names = [f"worker-{i:04}" for i in range(1000)]
    started_s = time.process_time()
    found = proposals("worker", MAIN, ON_COMPONENTS, names)
    assert time.process_time() - started_s < 0.5
    assert len(found) == MOST_PROPOSED


async def test_restart_worker_typed_into_the_palette_asks_the_question_of_the_key() -> None:
    async with seated(state([component("gateway", "down"), mind(name="worker")])) as desk:
        await desk.press("ctrl+p", *"restart worker")
        await desk.until_shown("restart or re-arm it, after a question")
        await desk.press("enter")
        await listening(desk)
        assert "SIGTERM → pid 3117" in desk.text
        assert desk.source.acted == []


async def test_silence_feed_30m_typed_into_the_palette_needs_only_the_reason_that_is_missing() -> None:
    async with seated(state([component("gateway", "down"), component("feed")])) as desk:
        await desk.press("ctrl+p", *"silence feed 30m")
        await desk.until_shown("silence feed for 30m")
        await desk.press("enter")
        await listening(desk)
        await desk.press(*"outage", "enter")
        await done(desk, Acted("feed", "silence", None, "outage", 1800.0))


@pytest.mark.parametrize(
    ("typed", "acted"),
    [
        ("silence feed 30m vendor outage", Acted("feed", "silence", None, "vendor outage", 1800.0)),
        ("hold feed 2h deploy", Acted("feed", "hold", None, "deploy", 7200.0)),
        ("ack feed on it", Acted("feed", "ack", None, "on it")),
    ],
)
@pytest.mark.parametrize("laid", [None, NOTICE])
async def test_a_sentence_that_says_all_is_done_at_once_even_where_a_key_would_end_it(
    typed: str, acted: Acted, laid: Notice | None
) -> None:
    feed = mind(name="feed", silence=laid, hold=laid)
    async with seated(state([component("gateway", "down"), feed])) as desk:
        await desk.press("ctrl+p", *["space" if letter == " " else letter for letter in typed])
        await desk.until_shown(f"({acted.reason})")
        assert "at once: the sentence says all" in desk.text or acted.action == "ack"
        await desk.press("enter")
        await done(desk, acted)


async def test_open_feed_typed_into_the_palette_opens_it_and_check_checks_it() -> None:
    async with seated(state([component("gateway", "down"), component("feed")])) as desk:
        await desk.press("4", "colon", *"check feed")
        await desk.until_shown("check feed")
        await desk.press("enter")
        await desk.until(lambda: desk.source.probed == ["feed"], "feed was not checked")
        await desk.press("colon", *"open feed")
        await desk.until_shown("everything known of this component")
        await desk.press("enter")
        await desk.until_shown("heartbeat · working")


async def test_names_are_shown_as_they_are_and_never_as_markup() -> None:
    async with seated(state([component("[/]x\x1b[2J")])) as desk:
        await desk.press("colon", *"[/]x")
        await desk.until_shown("open [/]x")
        assert "\x1b" not in desk.text


async def test_a_read_only_palette_acts_on_nothing() -> None:
    async with seated(state([mind(name="worker")]), read_only=True) as desk:
        await desk.press("colon", *"worker")
        await desk.until_shown("open worker")
        assert "restart worker" not in desk.text
        assert "silence worker" not in desk.text
