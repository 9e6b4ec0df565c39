"""README's tables and the JSON Schema come from the classes that read the keys, and agree with them."""

import re
import tomllib
from typing import Any

import jsonschema
import pytest

from lifesign.config.check_types import CommonKeys
from lifesign.config.probe_types import CHECK_TYPES
from lifesign.config.reference import check_type_table, key_tables, schema
from tests.config.writing import EXAMPLE, MINIMAL, check

CONTRACT_TYPES = {
    "heartbeat": "path stale_after format timestamp progress stuck_after max_skew",
    "push": "stale_after schedule tz late_after token",
    "log": "path pattern stale_after fail_pattern",
    "tcp": "address send expect tls",
    "http": "url method headers body expect_status expect_body expect_json verify_tls cert_days",
    "websocket": "url headers send expect",
    "process": "pattern name pidfile user count max_rss max_cpu max_fds",
    "syntax": "paths python",
    "command": "argv env cwd",
    "systemd": "unit user_unit",
    "docker": "container",
    "host": "max_load max_memory max_swap disk",
}


@pytest.fixture(scope="module")
def validator() -> Any:
    made = schema()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def test_every_type_has_exactly_the_contracts_keys() -> None:
    common = set(CommonKeys.__struct_fields__)
    own = {name: set(kind.__struct_fields__) - common for name, kind in CHECK_TYPES.items()}
    assert own == {name: set(keys.split()) for name, keys in CONTRACT_TYPES.items()}


def test_the_schema_accepts_the_contracts_example(validator: Any) -> None:
    validator.validate(tomllib.loads(EXAMPLE.read_text()))
    validator.validate(tomllib.loads(MINIMAL))
    validator.validate(tomllib.loads(MINIMAL + "[defaults]\nstale_after = '1m'\nverify_tls = false\n"))


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL + "[nonsense]\n",
        MINIMAL + "[defaults]\nintervall = 1\n",
        MINIMAL + "[defaults]\naddress = 'h:1'\n",
        MINIMAL + "[defaults]\nstale_after = 'x'\n",
        check("adress = 'h:1'"),
        check("", own=""),
        check("", "nonsense", own=""),
        check("interval = '10 parsecs'"),
        check("interval = 0"),
        check("failure_threshold = 0"),
        check("layer = 'nonsense'"),
        check("format = 'nonsense'", "heartbeat"),
        check("progress = 3", "heartbeat"),
        check("", "http", own="url = 'ftp://h'"),
        check("max_rss = 'lots'", "process"),
        check("expect_status = 'ok'", "http"),
        MINIMAL + "[http]\ntoken = 'literal'\n",
        MINIMAL + "[http]\ntoken = { env = 'A', file = 'b' }\n",
        MINIMAL + "[components.gateway.restart]\nmethod = 'nonsense'\n",
        MINIMAL + "[alerts.a]\ntype = 'apprise'\nurls = ['slack://x']\n",
        "[components.'a b'.checks.c]\ntype = 'tcp'\naddress = 'h:1'\n",
        "[monitor]\nname = 'x'\n",
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(validator: Any, text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(tomllib.loads(text))


def test_the_schema_knows_no_null_and_describes_every_key() -> None:
    made = schema()
    assert "null" not in repr(made)
    for name, definition in made["$defs"].items():
        for key, value in definition.get("properties", {}).items():
            assert key in ("type", "method") or value.get("description"), f"{name}.{key}"


def test_the_table_of_check_types_names_every_key_of_the_contract() -> None:
    rows = {re.findall(r"`(\w+)`", row)[0]: row for row in check_type_table().splitlines()[2:]}
    assert list(rows) == list(CONTRACT_TYPES)
    for name, keys in CONTRACT_TYPES.items():
        for key in keys.split():
            assert f"`{key}`" in rows[name]
    assert "*(to come)*" not in "".join(rows.values())
    assert "`stale_after` (5m)" in rows["heartbeat"]


def test_the_tables_of_keys_are_whole_markdown_with_a_meaning_for_each() -> None:
    rows = [row for row in key_tables().splitlines() if row.startswith("| ") and not row.startswith("| of ")]
    assert len(rows) > 30
    keys = []
    for row in rows:
        of, told = (cell.strip() for cell in row.strip("|").split(" | "))
        assert of
        keys += told.split("<br>")
    assert len(keys) > 100
    assert [key for key in keys if not re.fullmatch(r"`\w+`( \(.+\))?: .+", key)] == []
