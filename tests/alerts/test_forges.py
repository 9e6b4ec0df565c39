"""Gitea, Forgejo and GitHub over HTTP, against servers that are as strict as the published descriptions."""

import asyncio

import pytest

from lifesign.alerts.forge import Marker
from lifesign.alerts.sink import HeldBackError, SinkError
from lifesign.alerts.tracker import TrackerRules
from tests.alerts.dialects import World, stamp
from tests.alerts.strict_forge import MAKES, Fault


async def test_down_is_one_issue_lasting_is_one_comment_and_recovery_closes_it_with_the_story(world: World) -> None:
    sink, server = world.tracker(), world.server
    memo = await sink.deliver(world.alert("opened", 0, 1), {})
    [ticket] = server.issues
    assert (server.names(ticket), ticket.assignees) == (["watchdog", "prod"], ["oncall"])
    assert "alive and ready, but not working: no new work for 612 s" in ticket.body
    assert Marker.found_in(ticket.body) == Marker("prod", "mind", stamp(0))
    assert memo["number"] == ticket.number
    assert str(memo["url"]).endswith(f"/team/nexus/issues/{ticket.number}")
    for moment in (400, 800, 1200):
        memo = await sink.deliver(world.alert("updated", 0, moment), memo)
    [note] = ticket.notes
    assert (note.edits, stamp(1200) in note.body) == (2, True)
    assert await sink.deliver(world.alert("recovered", 0, 1500), memo) == {}
    assert server.open == []
    assert len(ticket.notes) == 2
    assert "**Works again**" in ticket.notes[1].body
    assert Marker.found_in(ticket.body) == Marker("prod", "mind", stamp(0), stamp(1500))


async def test_labels_that_are_missing_are_made_and_those_that_are_there_are_taken(world: World) -> None:
    server = world.server
    for number in range(70):
        server.add_label(f"kind {number}")
    old = server.add_label("prod")
    await world.tracker().deliver(world.alert("opened", 0, 1), {})
    await world.tracker().deliver(world.alert("opened", 0, 1, "gateway"), {})
    assert sorted(server.labels.values()).count("prod") == 1
    assert sorted(server.labels.values()).count("watchdog") == 1
    assert all(old in ticket.labels and len(ticket.labels) == 2 for ticket in server.issues)


async def test_a_label_that_was_deleted_is_made_again(world: World) -> None:
    sink, server = world.tracker(), world.server
    await sink.deliver(world.alert("opened", 0, 1), {})
    gone = server.label_id("watchdog")
    assert gone is not None
    del server.labels[gone]
    server.tickets[1].labels.remove(gone)
    memo = await sink.deliver(world.alert("opened", 0, 1, "gateway"), {})
    assert sorted(server.names(server.tickets[2])) == ["prod", "watchdog"]
    assert (await world.tracker().deliver(world.alert("opened", 0, 1, "gateway"), {}))["number"] == memo["number"]


async def test_an_assignee_who_is_not_known_is_told_once_and_the_issue_is_made_without(world: World) -> None:
    sink, server = world.tracker(assignees=["nobody"]), world.server
    for component in ("mind", "gateway"):
        await sink.deliver(world.alert("opened", 0, 1, component), {})
    assert [ticket.assignees for ticket in server.issues] == [[], []]
    assert world.told == ["not known there as an assignee: nobody: an issue was made without"]


async def test_of_several_assignees_those_who_are_known_are_assigned(world: World) -> None:
    sink, server = world.tracker(assignees=["nobody", "oncall"]), world.server
    await sink.deliver(world.alert("opened", 0, 1), {})
    assert [ticket.assignees for ticket in server.issues] == [["oncall"]]
    assert world.told == ["not known there as an assignee: nobody: an issue was made without"]


async def test_an_issue_that_cannot_be_made_at_all_is_not_blamed_on_the_assignee(world: World) -> None:
    world.server.faults = [Fault(422, MAKES)]
    with pytest.raises(SinkError, match="422"):
        await world.tracker().deliver(world.alert("opened", 0, 1), {})
    assert world.told == []


async def test_it_is_found_among_hundreds_of_issues_and_pull_requests_of_others(world: World) -> None:
    sink, server = world.tracker(), world.server
    for number in range(60):
        server.file(f"mind is down {number}", labels=("watchdog",))
        server.file(f"mend mind {number}", labels=("watchdog",), is_pull=True)
    memo = await sink.deliver(world.alert("opened", 0, 1), {})
    for number in range(120):
        server.file(f"mind is down again {number}", labels=("watchdog", "prod"))
    again = await world.tracker().deliver(world.alert("opened", 0, 2), {})
    assert again == memo
    assert len(server.issues) == 60 + 1 + 120
    await world.tracker().deliver(world.alert("recovered", 0, 9), {})
    assert memo["number"] not in server.open
    assert len(server.open) == 180
    found = await world.forge().issues(stamp(0))
    assert len(found) == 181


async def test_it_is_found_among_issues_of_a_megabyte_each(world: World) -> None:
    sink, server = world.tracker(), world.server
    memo = await sink.deliver(world.alert("opened", 0, 1), {})
    for number in range(11):
        server.file(f"a core dump, pasted {number}", "x" * 1_000_000, labels=("watchdog",))
    assert (await world.tracker().deliver(world.alert("opened", 0, 2), {}))["number"] == memo["number"]
    await world.tracker().deliver(world.alert("recovered", 0, 9), {})
    assert len(server.open) == 11


async def test_the_marker_in_a_pull_request_is_not_taken_for_an_issue(world: World) -> None:
    copied = world.server.file("quotes it", Marker("prod", "mind", stamp(0)).text, labels=("watchdog",), is_pull=True)
    memo = await world.tracker().deliver(world.alert("opened", 0, 1), {})
    assert memo["number"] != copied.number
    assert len(world.server.open) == 1


async def test_what_a_human_closed_stays_closed_however_late_it_is_told_again(world: World) -> None:
    sink, server = world.tracker(), world.server
    memo = await sink.deliver(world.alert("opened", 0, 1), {})
    world.now_s = 500
    server.tickets[1].closed = server.tickets[1].updated = server.now()
    memo = await sink.deliver(world.alert("updated", 0, 900), memo)
    late = world.alert("opened", 0, 9 * 3600)  # a silence is over, say
    assert (await world.tracker().deliver(late, {}))["closed"] is True
    assert (await world.tracker().deliver(world.alert("opened", 0.4, 9 * 3600, watcher="b"), {}))["closed"] is True
    await sink.deliver(world.alert("recovered", 0, 10 * 3600), memo)
    assert (server.open, server.tickets[1].notes) == ([], [])
    await sink.deliver(world.alert("opened", 11 * 3600, 11 * 3600 + 1), {})
    assert server.open == [2]


async def test_an_issue_that_others_deleted_is_let_go_of(world: World) -> None:
    sink, server = world.tracker(), world.server
    memo = await sink.deliver(world.alert("opened", 0, 1), {})
    server.delete(1)
    memo = await sink.deliver(world.alert("updated", 0, 400), memo)
    await sink.deliver(world.alert("recovered", 0, 800), memo)
    assert server.tickets == {}


async def test_a_comment_that_others_deleted_is_written_anew(world: World) -> None:
    sink, server = world.tracker(), world.server
    memo = await sink.deliver(world.alert("opened", 0, 1), {})
    memo = await sink.deliver(world.alert("updated", 0, 400), memo)
    server.tickets[1].notes.clear()
    memo = await sink.deliver(world.alert("updated", 0, 800), memo)
    await sink.deliver(world.alert("recovered", 0, 900), memo)
    assert len(server.tickets[1].notes) == 2


async def test_a_locked_issue_is_told_of_by_who_may_write(world: World) -> None:
    sink, server = world.tracker(), world.server
    memo = await sink.deliver(world.alert("opened", 0, 1), {})
    server.tickets[1].locked = True
    memo = await sink.deliver(world.alert("updated", 0, 400), memo)
    server.can_write = False
    with pytest.raises(SinkError, match="403: the token may not do this"):
        await sink.deliver(world.alert("recovered", 0, 800), memo)
    server.can_write = True
    await sink.deliver(world.alert("recovered", 0, 800), memo)
    assert server.open == []


async def test_a_token_that_may_not_set_labels_is_told_of_and_makes_one_issue_all_the_same(world: World) -> None:
    server = world.server
    for name in ("watchdog", "prod"):
        server.add_label(name)
    server.can_write = False
    sink = world.tracker()
    memo = await sink.deliver(world.alert("opened", 0, 1), {})
    assert (len(server.issues), world.told) == (1, ["the token may not set labels: an issue was made without them"])
    await sink.deliver(world.alert("recovered", 0, 9), memo)
    assert server.open == []


async def test_past_max_issues_it_is_held_back(world: World) -> None:
    sink, server = world.tracker(TrackerRules(max_issues=2)), world.server
    for number in range(5):
        server.file(f"of a human {number}", labels=("watchdog",))
    for component in ("a", "b"):
        await sink.deliver(world.alert("opened", 0, 1, component), {})
    with pytest.raises(HeldBackError, match="2 issues are open, and max_issues allows no more"):
        await sink.deliver(world.alert("opened", 0, 1, "c"), {})
    assert len(server.issues) == 7


async def test_a_new_incident_soon_after_reopens_the_issue(world: World) -> None:
    sink, server = world.tracker(), world.server
    memo = await sink.deliver(world.alert("opened", 0, 1), {})
    await sink.deliver(world.alert("recovered", 0, 100), memo)
    memo = await sink.deliver(world.alert("opened", 3000, 3001), {})
    assert (server.open, memo["number"]) == ([1], 1)
    await sink.deliver(world.alert("recovered", 3000, 4000), memo)
    assert server.open == []
    await sink.deliver(world.alert("opened", 8000, 8001), {})
    assert server.open == [2]


async def test_two_watchdogs_at_once_come_to_the_lowest_number(world: World) -> None:
    """Both make their issue before either has read the list again."""
    server = world.server
    for name in ("watchdog", "prod"):
        server.add_label(name)
    first, second = world.tracker(), world.tracker()
    told = [world.alert("opened", 0, 1, watcher="a"), world.alert("opened", 0.2, 1, watcher="b")]
    memos = await asyncio.gather(first.deliver(told[0], {}), second.deliver(told[1], {}))
    assert len(server.issues) == 2, "they did not race: this proves nothing"
    assert server.open == [1]
    assert [memo["number"] for memo in memos] == [1, 1]
    for sink, memo, watcher in zip((first, second), memos, "ab", strict=True):
        await sink.deliver(world.alert("recovered", 0, 60, watcher=watcher), memo)
    assert server.open == []


@pytest.mark.parametrize("world", ["gitea", "forgejo"], indirect=True)
async def test_a_second_label_of_the_same_name_hides_no_issue(world: World) -> None:
    memo = await world.tracker().deliver(world.alert("opened", 0, 1), {})
    world.server.add_label("watchdog")
    again = await world.tracker().deliver(world.alert("opened", 0, 2), {})
    assert (again["number"], world.server.open) == (memo["number"], [1])


async def test_two_watchdogs_that_both_make_the_labels_come_to_one_issue(world: World) -> None:
    """Gitea allows two labels of one name, and then lists only what bears both."""
    server = world.server
    sinks = [world.tracker(), world.tracker()]
    told = [world.alert("opened", 0, 1, watcher=watcher) for watcher in "ab"]
    memos = list(await asyncio.gather(*(sink.deliver(one, {}) for sink, one in zip(sinks, told, strict=True))))
    for moment in (2000, 4000):
        for place, (sink, watcher) in enumerate(zip(sinks, "ab", strict=True)):
            memos[place] = await sink.deliver(world.alert("updated", 0, moment, watcher=watcher), memos[place])
    assert len(server.open) == 1
    for sink, memo, watcher in zip(sinks, memos, "ab", strict=True):
        await sink.deliver(world.alert("recovered", 0, 60, watcher=watcher), memo)
    assert server.open == []
    memo = await sinks[0].deliver(world.alert("opened", 90_000, 90_001), {})
    again = await world.tracker().deliver(world.alert("opened", 90_000, 90_001, watcher="b"), {})
    assert again["number"] == memo["number"]
