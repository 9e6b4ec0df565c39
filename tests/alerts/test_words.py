"""What stands in an issue: everything that matters, nothing that acts, within 8 KiB."""

import re

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lifesign.alerts.alert import AlertCheck, AlertRestart
from lifesign.alerts.words import MAX_BODY_BYTES, closing_comment, issue_body, plain_text, status_comment, title
from tests.alerts.alerts import alert

MARKER = "<!-- lifesign:prod:mind -->"
_CODE = re.compile(r"(`{3,})text\n.*?\n\1|`[^`\n]*`", re.DOTALL)


def test_the_body_tells_what_is_down_since_when_and_why() -> None:
    body = issue_body(
        alert(restarts=[AlertRestart(at="2026-11-21T14:04:00.000Z", by="lifesign", productive=False)]), MARKER
    )
    for words in (
        "alive and ready, but not working: no new work for 612 s (limit 300 s)",
        "| component | `mind` |",
        "| since | `2026-11-21T14:03:22.123Z` |",
        "| host | `box.example` |",
        "| – | `passing` | `passing` | `failed` |",
        "| `beat` | working | `failed` | 61 | `stale` |",
        "- restart at `2026-11-21T14:04:00.000Z` by `lifesign`: in vain",
    ):
        assert words in body
    assert body.endswith(MARKER)
    assert title(alert()) == "mind is down: alive and ready, but not working: no new work for 612 s (limit 300 s)"


def test_the_story_tells_how_long_and_the_plain_text_is_short() -> None:
    assert "**Works again** at `2026-11-21T14:05:22.123Z`, after 2m." in closing_comment(alert("recovered"), MARKER)
    assert "**Still `down`**" in status_comment(alert("updated"), MARKER)
    assert plain_text(alert()).splitlines()[1] == "beat (working, failed): stale"
    assert title(alert("recovered")) == "mind works again"


def test_the_end_tells_what_had_failed_as_something_that_is_over() -> None:
    over = alert("recovered", diagnosis="it was down for 2m: not ready: connection refused")
    assert plain_text(over).splitlines()[0] == "It was down for 2m: not ready: connection refused"
    assert "```text\nit was down for 2m: not ready: connection refused\n```" in closing_comment(over, MARKER)


def test_who_is_taken_out_of_the_config_is_not_said_to_work_again() -> None:
    gone = replace(alert("recovered"), state="removed")
    assert title(gone) == "mind is no longer watched"
    assert "**No longer watched** at `2026-11-21T14:05:22.123Z`, after 2m." in closing_comment(gone, MARKER)


def test_one_that_speaks_for_many_says_so_in_its_first_line() -> None:
    assert title(alert(diagnosis="not ready: x", together=["mind"])) == "mind is down: not ready: x"
    assert title(alert(diagnosis="not ready: x", together=["a", "mind"])) == "mind and 1 other are down: not ready: x"
    three = alert(diagnosis="not ready: x", together=["a", "b", "mind"])
    assert title(three) == "mind and 2 others are down: not ready: x"


def test_a_long_note_stands_in_a_block_of_its_own_whole() -> None:
    note = "one common cause: " + ", ".join(f"component-{number}" for number in range(40))
    long = alert(note=note)
    assert f"```text\n{note}\n```" in issue_body(long, MARKER)
    assert f"```text\n{note}\n```" in status_comment(long, MARKER)
    assert "| note |" not in issue_body(long, MARKER)
    assert "| note | `short` |" in issue_body(alert(note="short"), MARKER)
    assert "| note |" not in issue_body(alert(), MARKER)


@given(st.text(alphabet=st.sampled_from("`@#|<>-![]()&\n\\ abc1\x1b\u202e~*_"), max_size=300))
def test_nothing_from_outside_is_markup_mention_or_reference(text: str) -> None:
    check = AlertCheck(name="x", type="tcp", layer="ready", state="failed", consecutive_failures=1, message=text)
    poisoned = replace(alert(diagnosis=text, next=text, note=text), checks=[check], last_lines=[text, text])
    for body in (issue_body(poisoned, MARKER), status_comment(poisoned, MARKER), closing_comment(poisoned, MARKER)):
        outside = _CODE.sub("", body.removesuffix(MARKER))
        assert "@" not in outside
        assert "#" not in outside
        assert "<" not in outside
        assert "](" not in outside
    assert not {"@", "#", "`", "\n", "\x1b"} & set(title(poisoned))


def test_a_body_of_any_size_is_capped_and_keeps_its_marker() -> None:
    checks = [
        AlertCheck(name=f"c{n}", type="tcp", layer="ready", state="failed", consecutive_failures=1, message="x" * 4000)
        for n in range(100)
    ]
    body = issue_body(replace(alert(diagnosis="y" * 10_000), checks=checks), MARKER)
    assert len(body.encode()) <= MAX_BODY_BYTES
    assert body.endswith(MARKER)
    assert "cut here" in body


def test_the_last_lines_stand_in_a_block_of_their_own_that_they_cannot_leave() -> None:
    lines = ["2026-11-21 12:00:00 INFO done", "ERROR ```` </pre> @ops", "```"]
    body = issue_body(alert(last_lines=lines), MARKER)
    assert f"Last lines:\n\n`````text\n{chr(10).join(lines)}\n`````\n\n" in body
    assert "Last lines" not in issue_body(alert(), MARKER)


def test_of_the_last_lines_the_newest_stand_as_far_as_there_is_room() -> None:
    checks = [
        AlertCheck(name=f"c{n}", type="tcp", layer="ready", state="failed", consecutive_failures=1, message="x" * 150)
        for n in range(30)
    ]
    body = issue_body(replace(alert(last_lines=[f"{n:03} {'y' * 200}" for n in range(20)]), checks=checks), MARKER)
    assert len(body.encode()) <= MAX_BODY_BYTES
    assert "\n019 yyy" in body
    assert "\n000 yyy" not in body
    assert "cut here" not in body
    assert body.count("```") % 2 == 0
    checks *= 3
    crowded = issue_body(replace(alert(last_lines=["one"]), checks=checks), MARKER)
    assert "Last lines" not in crowded
    assert crowded.endswith(MARKER)
