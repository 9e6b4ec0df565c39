"""Alerting as transcripts: what a sink hears of an incident, and what keeps it back."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lifesign.core.alerting import Alerting, Circumstances, SinkSpec
from lifesign.core.conversation import Conversation, ConversationMemory, Notify
from lifesign.core.model import Instant
from lifesign.core.suspicion import GROUP_WAIT_NS, PARENT_WAIT_NS

S = 1_000_000_000
PLAIN = Circumstances("not working")


def at(seconds: float) -> Instant:
    ns = int(seconds * S)
    return Instant(ns, 1_795_269_802 * S + ns, ns)


def told(notifies: tuple[Notify, ...]) -> list[str]:
    return [f"{notify.conversation.sink} {notify.stage} {notify.conversation.component}" for notify in notifies]


def desk(**keys: object) -> Alerting:
    return Alerting([SinkSpec("forge", **keys)])  # type: ignore[arg-type]


def hear(alerting: Alerting, seconds: float, here: Circumstances = PLAIN) -> list[str]:
    return told(alerting.review(lambda name: here, at(seconds)))


def test_an_incident_is_opened_once_and_closed_once() -> None:
    alerting = desk()
    assert alerting.is_idle
    alerting.down("mind", (), "mind-1", at(0))
    assert hear(alerting, 0) == ["forge opened mind"]
    assert hear(alerting, 1000) == []
    alerting.down("mind", (), "mind-1", at(1001))
    assert hear(alerting, 1001) == []
    assert told(alerting.recovered("mind")) == ["forge recovered mind"]
    assert alerting.is_idle
    assert told(alerting.recovered("mind")) == []


def test_a_patient_sink_hears_nothing_of_a_short_incident() -> None:
    alerting = desk(notify_after_ns=60 * S)
    alerting.down("mind", (), "mind-1", at(0))
    assert hear(alerting, 59.9) == []
    assert told(alerting.recovered("mind")) == []
    alerting.down("mind", (), "mind-2", at(100))
    assert hear(alerting, 159) == []
    assert hear(alerting, 160) == ["forge opened mind"]


def test_a_silence_keeps_the_first_word_back_and_its_end_lets_it_out_and_says_so() -> None:
    for quiet in (replace(PLAIN, silenced=True), replace(PLAIN, held=True)):
        alerting = desk(remind_every_ns=10 * S)
        alerting.down("mind", (), "mind-1", at(0))
        assert hear(alerting, 0, quiet) == []
        (notify,) = alerting.review(lambda name: PLAIN, at(50))
        assert (str(notify.stage), notify.note) == ("opened", "the silence or hold is over, and it is still down")
        assert hear(alerting, 55, quiet) == []
        assert told(alerting.recovered("mind")) == ["forge recovered mind"]


def test_the_end_of_a_silence_over_what_was_told_is_told_once() -> None:
    alerting = desk()
    alerting.down("mind", (), "mind-1", at(0))
    assert hear(alerting, 0) == ["forge opened mind"]
    assert hear(alerting, 10, replace(PLAIN, silenced=True)) == []
    (notify,) = alerting.review(lambda name: PLAIN, at(20))
    assert (str(notify.stage), notify.note) == ("reminder", "the silence or hold is over, and it is still down")
    assert hear(alerting, 30) == []


def test_a_diagnosis_that_only_counts_on_is_no_news() -> None:
    alerting = desk(min_update_ns=S)
    alerting.down("mind", (), "mind-1", at(0))
    assert hear(alerting, 0, Circumstances("no new work for 105 s (limit 5 s)")) == ["forge opened mind"]
    assert hear(alerting, 50, Circumstances("no new work for 2m35s (limit 5 s)")) == []
    just_begun = Circumstances("not counted, the monitor itself has just begun: no new work for 2m55s (limit 5 s)")
    assert hear(alerting, 60, just_begun) == []
    assert hear(alerting, 60, Circumstances("no new work for 3m (limit 5 s); pid gone")) == ["forge updated mind"]


def test_what_must_not_wait_is_told_at_once_but_for_a_silence() -> None:
    alerting = desk()
    alerting.down("mind", (), "mind-1", at(0))
    assert alerting.insist("mind", PLAIN, "gave up", at(0)) == ()
    hear(alerting, 0)
    assert alerting.insist("mind", replace(PLAIN, silenced=True), "gave up", at(1)) == ()
    (notify,) = alerting.insist("mind", PLAIN, "gave up", at(2))
    assert (str(notify.stage), notify.note) == ("updated", "gave up")


def test_a_silence_over_the_whole_incident_ends_without_a_word() -> None:
    alerting = desk()
    alerting.down("mind", (), "mind-1", at(0))
    assert hear(alerting, 5, replace(PLAIN, silenced=True)) == []
    assert told(alerting.recovered("mind")) == []


def test_who_waits_for_a_dependency_is_not_told_of() -> None:
    alerting = desk()
    alerting.down("mind", (), "mind-1", at(0))
    assert hear(alerting, 1, replace(PLAIN, suppressed_by="gateway")) == []
    assert hear(alerting, 3) == ["forge opened mind"]


def test_a_dependency_that_may_be_going_down_keeps_the_first_word_back_for_a_minute_at_most() -> None:
    suspicious = replace(PLAIN, suspected_parent="gateway")
    alerting = desk()
    alerting.down("mind", (), "mind-1", at(0))
    assert hear(alerting, 0, suspicious) == []
    assert alerting.next_boot_ns(11 * S) == 60 * S
    assert hear(alerting, 59.9, suspicious) == []
    assert hear(alerting, 60, suspicious) == ["forge opened mind"]
    alerting.down("feed", (), "feed-1", at(100))
    assert hear(alerting, 101, suspicious) == []
    assert hear(alerting, 102) == ["forge opened feed"]


def test_a_cause_that_may_turn_out_common_keeps_it_back_for_ten_seconds_at_most() -> None:
    alerting = desk()
    alerting.down("mind", (), "mind-1", at(0))
    assert hear(alerting, 0, replace(PLAIN, gathering=True)) == []
    assert alerting.next_boot_ns(1) == 10 * S
    assert hear(alerting, 9.9, replace(PLAIN, gathering=True)) == []
    assert hear(alerting, 10, replace(PLAIN, gathering=True)) == ["forge opened mind"]


def test_neither_wait_is_added_to_that_of_a_patient_sink() -> None:
    alerting = desk(notify_after_ns=60 * S)
    alerting.down("mind", (), "mind-1", at(0))
    assert hear(alerting, 60, replace(PLAIN, suspected_parent="gateway", gathering=True)) == ["forge opened mind"]


def test_a_changed_diagnosis_is_an_update_at_most_once_in_min_update() -> None:
    alerting = desk(min_update_ns=60 * S)
    alerting.down("mind", (), "mind-1", at(0))
    hear(alerting, 0)
    changed = replace(PLAIN, diagnosis="not alive")
    assert hear(alerting, 59, changed) == []
    assert hear(alerting, 60, changed) == ["forge updated mind"]
    assert hear(alerting, 119, PLAIN) == []
    assert hear(alerting, 120, PLAIN) == ["forge updated mind"]
    assert hear(alerting, 500, PLAIN) == []


def test_a_reminder_comes_in_its_time_unless_somebody_took_the_incident() -> None:
    alerting = desk(remind_every_ns=100 * S)
    alerting.down("mind", (), "mind-1", at(0))
    hear(alerting, 0)
    assert hear(alerting, 99) == []
    assert hear(alerting, 100) == ["forge reminder mind"]
    assert hear(alerting, 250, replace(PLAIN, acknowledged=True)) == []
    assert hear(alerting, 251) == ["forge reminder mind"]


def test_a_sink_hears_of_its_own_components_alone() -> None:
    sinks = [
        SinkSpec("all"),
        SinkSpec("tagged", only=("tag:nexus",)),
        SinkSpec("named", only=("mi*",), left_out=("mind",)),
        SinkSpec("others", left_out=("tag:nex*",)),
    ]
    alerting = Alerting(sinks)
    alerting.down("mind", ("nexus",), "mind-1", at(0))
    alerting.down("milk", (), "milk-1", at(0))
    heard = hear(alerting, 0)
    assert sorted(heard) == [
        "all opened milk",
        "all opened mind",
        "named opened milk",
        "others opened milk",
        "tagged opened mind",
    ]


def test_an_incident_whose_end_was_lost_is_closed_when_the_next_one_opens() -> None:
    alerting = desk()
    alerting.down("mind", (), "mind-1", at(0))
    hear(alerting, 0)
    ended = alerting.down("mind", (), "mind-2", at(10))
    assert [(notify.stage, notify.conversation.incident) for notify in ended] == [("recovered", "mind-1")]
    assert hear(alerting, 10) == ["forge opened mind"]


def test_it_goes_on_where_it_was_and_the_time_away_counts() -> None:
    before = desk(remind_every_ns=100 * S, notify_after_ns=20 * S)
    before.down("mind", (), "mind-1", at(0))
    before.down("feed", (), "feed-1", at(15))
    assert hear(before, 20) == ["forge opened mind"]
    memories = [conversation.memory(at(25)) for conversation in before.conversations()]
    after, rebooted = desk(remind_every_ns=100 * S, notify_after_ns=20 * S), at(0)
    later = Instant(rebooted.mono_ns, at(0).wall_ns + 30 * S, rebooted.boot_ns)  # 5 s after the taking
    after.recall(memories, later)
    after.down("mind", (), "mind-1", later)
    assert hear(after, 4.9) == []
    assert hear(after, 5) == ["forge opened feed"]
    assert hear(after, 89) == []
    assert hear(after, 90) == ["forge reminder mind"]
    assert told(after.recovered("mind")) == ["forge recovered mind"]


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["down", "up", "wait", "restart"]),
        st.booleans(),
        st.booleans(),
        st.sampled_from(["a", "b"]),
        st.integers(1, 120),
    ),
    max_size=40,
)


@given(_STEPS)
def test_whatever_comes_each_incident_is_opened_at_most_once_before_it_is_closed_at_most_once(
    steps: list[tuple[str, bool, bool, str, int]],
) -> None:
    alerting = Alerting([SinkSpec("forge", 30 * S, 300 * S, 60 * S)])
    heard: dict[str, list[str]] = {}
    incident, number, now_s = "", 0, 0

    def note(notifies: tuple[Notify, ...]) -> None:
        for notify in notifies:
            heard.setdefault(notify.conversation.incident, []).append(str(notify.stage))

    for what, silenced, suppressed, diagnosis, wait_s in steps:
        now_s += wait_s
        if what == "down" and not incident:
            number += 1
            incident = f"mind-{number}"
            note(alerting.down("mind", (), incident, at(now_s)))
        elif what == "up" and incident:
            note(alerting.recovered("mind"))
            incident = ""
        elif what == "restart":
            memories = [conversation.memory(at(now_s)) for conversation in alerting.conversations()]
            alerting = Alerting([SinkSpec("forge", 30 * S, 300 * S, 60 * S)])
            alerting.recall(memories, at(now_s))
        here = Circumstances(diagnosis, "parent" if suppressed else None, silenced)
        before = {name: len(stages) for name, stages in heard.items()}
        note(alerting.review(lambda name, here=here: here, at(now_s)))  # type: ignore[misc]
        if silenced:
            assert {name: len(stages) for name, stages in heard.items()} == before
    for name, stages in heard.items():
        assert stages[0] == "opened"
        assert stages.count("opened") == 1
        assert stages.count("recovered") == (name != incident)
        assert "recovered" not in stages[:-1]


def test_the_next_moment_at_which_time_alone_may_tell_something_is_that_of_patience_suspicion_update_or_reminder() -> (
    None
):
    alerting = desk(notify_after_ns=20 * S, min_update_ns=60 * S, remind_every_ns=100 * S)
    assert alerting.next_boot_ns(0) is None
    alerting.down("mind", (), "mind-1", at(0))
    waits_ns = sorted({20 * S, GROUP_WAIT_NS, PARENT_WAIT_NS})
    assert [alerting.next_boot_ns(after_ns) for after_ns in (0, *waits_ns)] == [*waits_ns, None]
    assert hear(alerting, 20) == ["forge opened mind"]
    assert alerting.next_boot_ns(20 * S) == 80 * S
    assert alerting.next_boot_ns(80 * S) == 120 * S
    assert alerting.next_boot_ns(120 * S) is None
    alerting.down("feed", (), "feed-1", at(90))
    assert alerting.next_boot_ns(80 * S) == min(90 * S + wait_ns for wait_ns in waits_ns)
    plain = desk(min_update_ns=60 * S)
    plain.down("mind", (), "mind-1", at(0))
    hear(plain, 0)
    assert plain.next_boot_ns(0) == 60 * S
    assert plain.next_boot_ns(60 * S) is None


def test_a_conversation_is_written_down_by_its_ages_and_goes_on_by_them() -> None:
    now = Instant(5 * S, 1_000 * S, 500 * S)
    shared = (True, ("feed", "mind"))
    held = Conversation("forge", "mind", "mind-1", 100 * S, True, 200 * S, 300 * S, "not working", True, *shared)
    memory = held.memory(now)
    assert memory == ConversationMemory(
        "forge", "mind", "mind-1", 1_000 * S, 400 * S, True, 300 * S, 200 * S, "not working", True, *shared
    )
    assert memory.recalled(now) == held
    elsewhere = Instant(0, 1_007 * S, 9_000 * S)  # 7 s later, on another boot's clock
    gone_on = replace(
        held, opened_boot_ns=(9_000 - 407) * S, told_boot_ns=(9_000 - 307) * S, reminded_boot_ns=(9_000 - 207) * S
    )
    assert memory.recalled(elsewhere) == gone_on
    back = replace(elsewhere, wall_ns=900 * S)
    assert memory.recalled(back) == memory.recalled(replace(back, wall_ns=1_000 * S)), "a clock set back took no time"


def test_what_a_sink_was_told_last_is_what_the_next_word_is_measured_by() -> None:
    alerting = desk(min_update_ns=60 * S, remind_every_ns=100 * S)
    alerting.down("mind", (), "mind-1", at(0))
    hear(alerting, 10)
    (first,) = alerting.conversations()
    assert first == Conversation("forge", "mind", "mind-1", 0, True, 10 * S, 10 * S, "not working", False)
    hear(alerting, 70, replace(PLAIN, diagnosis="not alive"))
    (updated,) = alerting.conversations()
    assert updated == replace(first, told_boot_ns=70 * S, diagnosis="not alive")
    hear(alerting, 110, replace(PLAIN, diagnosis="not ready"))
    (reminded,) = alerting.conversations()
    assert reminded == replace(first, told_boot_ns=110 * S, reminded_boot_ns=110 * S, diagnosis="not ready")
    hear(alerting, 120, replace(PLAIN, held=True))
    assert [conversation.was_quiet for conversation in alerting.conversations()] == [True]


def test_what_is_told_at_the_end_is_what_failed_and_not_that_it_was_recovering() -> None:
    alerting = desk(remind_every_ns=100 * S)
    alerting.down("mind", (), "mind-1", at(0))
    hear(alerting, 0, Circumstances("not ready: connection refused"))
    recovering = Circumstances("not ready: recovering (1 of 2): connected", recovering=True)
    assert hear(alerting, 100, recovering) == ["forge reminder mind"]
    (over,) = alerting.recovered("mind")
    assert over.conversation.diagnosis == "not ready: connection refused"


def test_a_sink_that_no_longer_wants_to_hear_of_an_incident_hears_its_end_only_if_it_was_told() -> None:
    told_of, untold = desk(), desk()
    for alerting in (told_of, untold):
        alerting.down("mind", (), "mind-1", at(0))
    hear(told_of, 0)
    other = [conversation.memory(at(1)) for conversation in told_of.conversations()]
    never = [conversation.memory(at(1)) for conversation in untold.conversations()]
    for memories, heard in ((other, ["forge recovered mind"]), (never, [])):
        after = desk(left_out=("mind",))
        after.recall(memories, at(2))
        assert told(after.down("mind", (), "mind-1", at(2))) == []
        assert hear(after, 3) == []
        assert told(after.recovered("mind")) == heard
        assert after.is_idle


def test_what_was_open_of_a_sink_that_is_gone_is_forgotten_and_of_the_others_kept() -> None:
    both = Alerting([SinkSpec("gone"), SinkSpec("forge")])
    both.down("mind", (), "mind-1", at(0))
    hear(both, 0)
    after = desk()
    after.recall([conversation.memory(at(1)) for conversation in both.conversations()], at(1))
    assert [conversation.sink for conversation in after.conversations()] == ["forge"]


def test_each_incident_has_its_own_end() -> None:
    alerting = desk()
    for name in ("mind", "feed"):
        alerting.down(name, (), f"{name}-1", at(0))
    hear(alerting, 0)
    assert [n.conversation.component for n in alerting.insist("feed", PLAIN, "gave up", at(1))] == ["feed"]
    assert told(alerting.recovered("feed")) == ["forge recovered feed"]
    assert [conversation.component for conversation in alerting.conversations()] == ["mind"]
