"""The contract's own example: every value it comes to, by hand from the contract."""

import importlib.util
from pathlib import Path

import pytest

from lifesign.config import Config, load
from lifesign.config.alert_types import AppriseAlert, GiteaAlert
from lifesign.config.check_types import HeartbeatCheck
from lifesign.config.probe_types import ProcessCheck, SyntaxCheck, TcpCheck
from lifesign.config.restart_types import SignalRestart
from lifesign.core.model import Layer
from lifesign.core.spec import CheckSpec, ComponentSpec, RestartSpec, SignalPolicy
from tests.config.writing import ENVIRON, EXAMPLE, write

S = 1_000_000_000


@pytest.fixture
def example(tmp_path: Path) -> Config:
    return load(write(tmp_path, EXAMPLE.read_text()), ENVIRON)


def test_the_components_of_the_contracts_example_come_to_these_specifications(example: Config) -> None:
    mind, gateway = (component.spec for component in example.components)
    assert mind == ComponentSpec(
        name="mind",
        title="Consciousness loop",
        tags=("nexus",),
        depends_on=("gateway",),
        restart=RestartSpec(
            "signal", automatic=True, max_unproductive=3, max_restarts=5, grace_ns=120 * S, how="SIGTERM"
        ),
        checks=(
            CheckSpec(
                name="heartbeat",
                type="heartbeat",
                layer=Layer.WORKING,
                interval_ns=10 * S,
                timeout_ns=5 * S,
                failure_threshold=1,
                success_threshold=1,
                grace_ns=60 * S,
                flap_changes=20,
                flap_window_ns=600 * S,
                signal=SignalPolicy(stale_after_ns=300 * S, stuck_after_ns=300 * S, max_skew_ns=60 * S),
                path="/home/someone/.nexus/heartbeat.json",
            ),
            CheckSpec(
                name="process",
                type="process",
                layer=Layer.ALIVE,
                interval_ns=10 * S,
                timeout_ns=5 * S,
                failure_threshold=3,
                success_threshold=2,
                grace_ns=60 * S,
            ),
            CheckSpec(
                name="syntax",
                type="syntax",
                layer=Layer.STARTABLE,
                interval_ns=10 * S,
                timeout_ns=5 * S,
                failure_threshold=3,
                success_threshold=2,
                grace_ns=60 * S,
            ),
        ),
    )
    assert gateway == ComponentSpec(
        name="gateway",
        checks=(
            CheckSpec(
                name="port",
                type="tcp",
                layer=Layer.READY,
                interval_ns=10 * S,
                timeout_ns=5 * S,
                failure_threshold=3,
                success_threshold=2,
                grace_ns=30 * S,
            ),
        ),
    )


def test_the_keys_of_each_type_stand_beside_its_specification(example: Config, tmp_path: Path) -> None:
    heartbeat, process, syntax = (check.options for check in example.components[0].checks)
    (port,) = (check.options for check in example.components[1].checks)
    assert isinstance(heartbeat, HeartbeatCheck)
    assert heartbeat.path == Path("/home/someone/.nexus/heartbeat.json")
    assert (heartbeat.progress, heartbeat.format, heartbeat.timestamp) == ("cycle", "auto", "timestamp")
    assert isinstance(process, ProcessCheck)
    assert (process.pattern, process.count) == ("nexus_think", ">=1")
    assert isinstance(syntax, SyntaxCheck)
    assert syntax.paths == (tmp_path / "nexus/*.py",)
    assert isinstance(port, TcpCheck)
    assert (port.address.host, port.address.port, port.tls) == ("127.0.0.1", 8765, False)


def test_the_rest_of_the_example_is_read_too(example: Config, tmp_path: Path) -> None:
    assert example.path == tmp_path / "lifesign.toml"
    assert example.monitor.name == "prod-trader"
    assert example.monitor.state_dir == tmp_path / "..."
    assert example.monitor.history_s == 90 * 86400
    assert example.monitor.socket_group == "ops"
    assert example.http is not None
    assert (example.http.host, example.http.port, example.http.insecure) == ("127.0.0.1", 5199, False)
    assert example.http.allowed_hosts == ("127.0.0.1", "localhost")
    assert example.http.token is not None
    assert example.http.token.reveal() == "token-of-the-listener"
    restart = example.components[0].restart
    assert isinstance(restart, SignalRestart)
    assert restart.signal == "SIGTERM"
    assert [float(d) for d in (restart.after, restart.grace, restart.window)] == [300, 120, 86400]
    assert [float(d) for d in (restart.backoff.initial, restart.backoff.factor, restart.backoff.max)] == [30, 2, 1800]
    forge, ops = example.alerts["forge"], example.alerts["ops"]
    assert isinstance(forge, GiteaAlert)
    assert (str(forge.url), forge.repo, forge.max_issues) == ("https://git.example.org", "team/nexus", 20)
    assert [float(d) for d in (forge.reopen_within, forge.notify_after, forge.min_update)] == [3600, 0, 300]
    assert [*forge.labels, *forge.assignees] == ["watchdog", "oncall"]
    assert isinstance(ops, AppriseAlert)
    assert [url.reveal() for url in ops.urls] == ["slack://some/where"]
    assert (ops.only, ops.except_, ops.remind_every) == (("*",), (), None)
    assert example.console_keys == {"component.restart": "f8"}


def test_what_is_missing_here_is_one_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = "alerts.ops needs Apprise, which is not installed: pip install 'lifesign[apprise]'"
    for spec, warnings in ((None, (missing,)), (object(), ())):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name, spec=spec: spec)
        assert load(write(tmp_path, EXAMPLE.read_text()), ENVIRON).warnings == warnings
