"""What the config accepts, the checks accept too: nothing is told later than at the start."""

from pathlib import Path

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifesign.bootstrap.probes import Maker
from lifesign.config import ConfigError, load
from tests.config.writing import ENVIRON, write

LABELS = (
    st.text("ab-_.é\u0640:[]0", max_size=8)
    | st.just("a" * 64)
    | st.just("a." * 130)
    | st.sampled_from(["::1", "[::1]"])
)
PORTS = st.sampled_from(["", ":", ":0", ":1", ":00080", ":65536", ":x", ":٣"])
CHECKS = st.one_of(
    st.fixed_dictionaries({"type": st.just("tcp"), "address": st.builds("{}{}".format, LABELS, PORTS)}),
    st.fixed_dictionaries(
        {
            "type": st.just("http"),
            "url": st.builds(
                "http://{}{}{}".format, LABELS, PORTS, st.sampled_from(["", "/", "/é?ü=\u2003", "#", "?a b"])
            ),
        },
        optional={
            "method": st.sampled_from(["GET", "get", "CONNECT", "PURGE", ""]),
            "expect_status": st.text("0123459-, ", max_size=9),
            "expect_body": st.text("a(*\\d[)", max_size=5),
            "headers": st.dictionaries(st.text("aA-: é", max_size=3), st.text("aé\n", max_size=3), max_size=2),
            "expect_json": st.dictionaries(st.text("a.", max_size=2), st.integers(-(10**20), 10**20), max_size=1),
            "body": st.text("é\x00", max_size=2),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.just("websocket"), "url": st.builds("ws://{}{}".format, LABELS, PORTS)},
        optional={"expect": st.text("a(*\\d[)", max_size=5), "send": st.text(max_size=2)},
    ),
    st.fixed_dictionaries(
        {"type": st.just("process"), "pattern": st.text("a(*\\d[)\x00", max_size=5)},
        optional={
            "count": st.text("<>=0129 ", max_size=4) | st.integers(-1, 10**9),
            "user": st.text(max_size=3),
            "pidfile": st.text(max_size=3),
            "max_cpu": st.floats(),
            "max_rss": st.text("12KMiB ", max_size=5) | st.integers(),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.just("heartbeat")},
        optional={
            "format": st.sampled_from(["auto", "json", "jsonl", "text", "mtime", "xml"]),
            "timestamp": st.text(max_size=3),
            "progress": st.text(max_size=3) | st.booleans(),
            "path": st.text(max_size=3),
        },
    ),
    st.fixed_dictionaries({"type": st.just("syntax"), "paths": st.lists(st.text("*?[]{/.a", max_size=5), max_size=2)}),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("accepted")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHECKS)
def test_a_check_that_is_accepted_can_be_built(folder: Path, check: dict[str, object]) -> None:
    path = write(folder, tomlkit.dumps({"components": {"a": {"checks": {"c": check}}}}))
    try:
        config = load(path, ENVIRON)
    except ConfigError:
        return
    (accepted,) = config.components[0].checks
    Maker(accepted)().close()
