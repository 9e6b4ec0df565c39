"""What an issue shows of a component's last lines: of its logs, else its heartbeats, else what happened to it."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lifesign.alerts.alert import Alert
from lifesign.bootstrap.alert_of import alert_of, without_secrets
from lifesign.bootstrap.last_lines import MOST_BYTES, MOST_LINES, last_lines
from lifesign.checks.log import LogProbe
from lifesign.core.conversation import Conversation, Notify, Stage
from lifesign.core.model import CheckId, Instant, JsonValue, Layer
from lifesign.core.spec import CheckSpec, SignalPolicy
from lifesign.core.view import CheckView, ComponentView
from lifesign.engine.looking import Looks
from lifesign.text import clean
from tests.api.fakes import check, component

NOW = Instant(10**9, 1_795_269_802_000_000_000, 10**9)


def told(name: str) -> Iterable[str]:
    return (f"{name} event {number}" for number in range(30))


def log_check(name: str, *lines: str) -> CheckView:
    return replace(check(), spec=CheckSpec(name, "log", Layer.WORKING, signal=SignalPolicy(10**9)), lines=lines)


def beat_check(**data: JsonValue) -> CheckView:
    spec = CheckSpec("beat", "heartbeat", Layer.WORKING, signal=SignalPolicy(10**9))
    return replace(check(), spec=spec, data=data)


def test_the_lines_of_a_log_come_before_a_heartbeat_and_that_before_what_happened() -> None:
    log, beat = log_check("lines", "first", "second"), beat_check(cycle=41, model="m", nested={"a": [1]})
    assert last_lines(component(checks=(beat, log)), told) == ["first", "second"]
    assert last_lines(component(checks=(beat,)), told) == ["cycle: 41", "model: m", 'nested: {"a": [1]}']
    assert last_lines(component(checks=(check(),)), told)[-1].endswith("event 29")
    two = last_lines(component(checks=(log, replace(log_check("other", "third")))), told)
    assert two == ["lines: first", "lines: second", "other: third"]


@given(st.lists(st.text(max_size=400), max_size=60))
def test_they_are_few_short_and_clean(lines: list[str]) -> None:
    found = last_lines(component(checks=(log_check("l", *lines),)), lambda _: lines)
    assert len(found) <= MOST_LINES
    assert len("\n".join(found).encode()) <= MOST_BYTES
    assert [clean(line) for line in found] == found


def test_only_the_opening_bears_them_and_no_secret_is_in_them() -> None:
    view = component(checks=(log_check("l", "token is hunter2hunter2", "https://me:pass@host/", "password=abcdef"),))
    conversation = Conversation("forge", "gateway", "gateway-1", 0)
    for stage in Stage:
        made = alert_of(Notify(stage, conversation), view, NOW, monitor="m", host="h", note="")
        assert bool(made.last_lines) is (stage is Stage.OPENED)
    lines = without_secrets(made_opened(conversation, view), ["hunter2hunter2"]).last_lines
    assert len(lines) == 3
    assert not any(secret in line for secret in ("hunter2", "me:pass", "abcdef") for line in lines)


def made_opened(conversation: Conversation, view: ComponentView) -> Alert:
    return alert_of(Notify(Stage.OPENED, conversation), view, NOW, monitor="m", host="h", note="")


def test_a_look_at_a_log_brings_its_newest_lines_over_a_rotation_and_without_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "feed.log"
    name = CheckId("feed", "lines")
    path.write_text("".join(f"old {number}\n" for number in range(40)) + "unfinished")

    async def look(looks: Looks) -> tuple[str, ...]:
        return (await looks.look(name)).lines

    async def run() -> None:
        probe = LogProbe(path=path, pattern="done")
        looks = Looks({name: lambda: probe}, {name: 5 * 10**9}, ["s3cret-word"])
        try:
            assert await look(looks) == tuple(f"old {number}" for number in range(20, 40))
            with path.open("a") as file:
                file.write(" line\n\n\x1b[31mERROR s3cret-word\n")
            assert (await look(looks))[-2:] == ("unfinished line", "\ufffd[31mERROR [redacted]")
            path.rename(tmp_path / "feed.log.1")
            path.write_text("done anew\n")
            assert (await look(looks))[-2:] == ("\ufffd[31mERROR [redacted]", "done anew")
            assert len(await look(looks)) == 20
        finally:
            looks.close()

    asyncio.run(run())
