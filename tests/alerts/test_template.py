"""Templates: each field is a plain word of the alert, and nothing else is reached or taken for one."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lifesign.alerts.template import FIELDS, filled, in_json
from lifesign.alerts.webhook import Webhook
from lifesign.config import ConfigError, load
from lifesign.config.values import Template
from tests.alerts.alerts import alert
from tests.e2e.test_alerts import Receiver, receiver

__all__ = ["receiver"]  # a fixture

TEXT = (
    '[monitor]\nname = "t"\nstate_dir = "s"\n[components.x.checks.y]\ntype = "tcp"\naddress = "[::1]:9"\n'
    '[alerts.hook]\ntype = "webhook"\nurl = "http://127.0.0.1:9/"\nbody = \'{}\'\n'
)


def test_the_fields_are_those_that_the_config_allows() -> None:
    assert tuple(FIELDS) == Template.fields


def test_fields_are_filled_in_and_other_braces_stay() -> None:
    told = alert(note="x")
    assert filled("{component} on {host}: {state} for {down} ({note}{title})", told) == (
        "mind on box.example: down for 2m (x)"
    )
    for text in ("{", "{}", '{"a": {"b": 1}}', "{component.__class__}", "{component!r}", "{0}", "{nothing}", "{{x}}"):
        assert filled(text, told) == text


@given(st.text())
def test_what_stands_in_a_field_is_text_whatever_it_is(said: str) -> None:
    told = replace(alert(), diagnosis=said + "{host} {component.x}\" \\ \n ' }")
    [shown] = json.loads(filled('["{diagnosis}"]', told, in_json))
    assert "{host}" in shown
    assert "box.example" not in shown
    assert filled("{diagnosis}", told).count("\n") == 0


async def test_a_webhook_sends_the_template_and_signs_what_it_sends(receiver: Receiver) -> None:
    template = '{"text": "{component}: {diagnosis}", "at": {"begun": "{opened_at}"}}'
    hook = Webhook(url=lambda: f"http://127.0.0.1:{receiver.port}/", body=template, secret=lambda: "s3cret-canary")
    await hook.deliver(alert(diagnosis='a "quoted" word'), {})
    await hook.close()
    [(headers, body)] = receiver.requests
    assert json.loads(body) == {"text": 'mind: a "quoted" word', "at": {"begun": "2026-11-21T14:03:22.123Z"}}
    assert headers["X-Lifesign-Signature"].startswith("sha256=")


def test_a_field_that_is_none_is_refused_when_the_config_is_read(tmp_path: Path) -> None:
    path = tmp_path / "lifesign.toml"
    path.write_text(TEXT.replace("{}", '{"text": "{subject} {diagnosis}", "x": {"y": 1}}'))
    path.chmod(0o600)
    load(path)
    path.write_text(TEXT.replace("{}", '{"text": "{diagnois}"}'))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert "there is no field {diagnois}: did you mean {diagnosis}?" in str(caught.value.problems[0])
