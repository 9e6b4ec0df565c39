"""What holds for a check once defaults are applied: the contract's rule of thresholds, worked out by hand."""

from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from lifesign.config import ConfigError
from lifesign.config.check_types import HeartbeatCheck, PushCheck
from lifesign.config.probe_types import HttpCheck
from lifesign.core.model import Layer
from lifesign.core.spec import CheckSpec
from tests.config.writing import ENVIRON, MINIMAL, check, loaded

S = 1_000_000_000


def spec_of(folder: Path, keys: str, kind: str = "tcp", before: str = "") -> CheckSpec:
    return loaded(folder, check(keys, kind, before=before)).components[0].checks[0].spec


@pytest.mark.parametrize(
    ("defaults", "keys", "failures", "lasting", "successes"),
    [
        ("", "", 3, None, 2),
        ("", "failure_threshold = 5", 5, None, 2),
        ("", "failure_for = '2m'", 2, 120, 2),
        ("", "failure_for = '2m'\nfailure_threshold = 1", 1, 120, 2),
        ("failure_threshold = 7", "", 7, None, 2),
        ("failure_threshold = 7\nfailure_for = '1m'", "", 7, 60, 2),
        ("failure_for = '1m'", "", 2, 60, 2),
        ("failure_threshold = 7\nfailure_for = '1m'", "failure_threshold = 4", 4, None, 2),
        ("failure_threshold = 7\nfailure_for = '1m'", "failure_for = '3m'", 2, 180, 2),
        ("success_threshold = 4", "", 3, None, 4),
        ("success_threshold = 4", "success_threshold = 1", 3, None, 1),
        ("success_threshold = 4", "failure_threshold = 9", 9, None, 4),
    ],
)
def test_thresholds_of_a_probe(
    tmp_path: Path, defaults: str, keys: str, failures: int, lasting: int | None, successes: int
) -> None:
    spec = spec_of(tmp_path, keys, before=f"[defaults]\n{defaults}")
    assert (spec.failure_threshold, spec.success_threshold) == (failures, successes)
    assert spec.failure_for_ns == (None if lasting is None else lasting * S)


@pytest.mark.parametrize("kind", ["heartbeat", "push"])
@pytest.mark.parametrize(
    ("keys", "failures", "lasting", "successes"),
    [
        ("", 1, None, 1),
        ("failure_threshold = 3", 3, None, 1),
        ("failure_for = '1m'", 2, 60, 1),
        ("success_threshold = 3", 1, None, 3),
    ],
)
def test_thresholds_of_the_defaults_do_not_reach_a_judged_signal(
    tmp_path: Path, kind: str, keys: str, failures: int, lasting: int | None, successes: int
) -> None:
    before = "[defaults]\nfailure_threshold = 9\nfailure_for = '9m'\nsuccess_threshold = 9"
    spec = spec_of(tmp_path, keys, kind, before)
    assert (spec.failure_threshold, spec.success_threshold) == (failures, successes)
    assert spec.failure_for_ns == (None if lasting is None else lasting * S)


@pytest.mark.parametrize(
    ("defaults", "component", "own", "grace_s"),
    [
        ("", "", "", 30),
        ("grace = '10s'", "", "", 10),
        ("grace = '10s'", "grace = '20s'", "", 20),
        ("grace = '10s'", "grace = '20s'", "grace = '40s'", 40),
        ("", "", "grace = 0", 0),
    ],
)
def test_grace_is_the_checks_else_the_components_else_the_defaults(
    tmp_path: Path, defaults: str, component: str, own: str, grace_s: int
) -> None:
    spec = spec_of(tmp_path, own, before=f"[defaults]\n{defaults}\n[components.a]\n{component}")
    assert spec.grace_ns == grace_s * S


def test_every_other_key_of_the_defaults_reaches_every_check(tmp_path: Path) -> None:
    before = "[defaults]\ninterval = '1m'\ntimeout = 2\noptional = true\nflap_changes = 6\nlayer = 'working'\n"
    before += "flap_window = '1h30m'"
    for kind in ("tcp", "heartbeat"):
        spec = spec_of(tmp_path, "", kind, before)
        assert (spec.interval_ns, spec.timeout_ns, spec.optional) == (60 * S, 2 * S, True)
        assert (spec.flap_changes, spec.flap_window_ns, spec.layer) == (6, 5400 * S, Layer.WORKING)


def test_the_defaults_may_hold_a_key_that_only_some_types_have(tmp_path: Path) -> None:
    before = "[defaults]\nstale_after = '20s'\nverify_tls = false\n"
    signal = spec_of(tmp_path, "", "heartbeat", before).signal
    assert signal is not None
    assert (signal.stale_after_ns, signal.stuck_after_ns) == (20 * S, 20 * S)
    signal = spec_of(tmp_path, "stale_after = '40s'", "push", before).signal
    assert signal is not None
    assert signal.stale_after_ns == 40 * S
    options = loaded(tmp_path, check("", "http", before=before)).components[0].checks[0].options
    assert isinstance(options, HttpCheck)
    assert not options.verify_tls
    assert spec_of(tmp_path, "", "tcp", before).signal is None


def test_a_check_overrides_the_defaults(tmp_path: Path) -> None:
    keys = "interval = '250ms'\ntimeout = 0.5\noptional = false\nflap_changes = 8\nflap_window = '2d'\nlayer = 'alive'"
    spec = spec_of(tmp_path, keys, before="[defaults]\ninterval = 7\ntimeout = 7\noptional = true\nlayer = 'working'")
    assert (spec.interval_ns, spec.timeout_ns, spec.optional) == (S // 4, S // 2, False)
    assert (spec.flap_changes, spec.flap_window_ns, spec.layer) == (8, 2 * 86400 * S, Layer.ALIVE)


@pytest.mark.parametrize(
    ("kind", "own", "layer"),
    [
        ("heartbeat", "", "working"),
        ("push", "", "working"),
        ("tcp", "address = 'h:1'", "ready"),
        ("http", "url = 'https://h/'", "ready"),
        ("websocket", "url = 'wss://h/'", "ready"),
        ("process", "name = 'x'", "alive"),
        ("syntax", "paths = ['*.py']", "startable"),
    ],
)
def test_each_type_has_the_contracts_layer(tmp_path: Path, kind: str, own: str, layer: str) -> None:
    spec = loaded(tmp_path, check("", kind, own=own)).components[0].checks[0].spec
    assert (spec.type, spec.layer) == (kind, layer)
    assert (spec.signal is not None) == (kind in ("heartbeat", "push"))


@pytest.mark.parametrize(
    ("keys", "stale_s", "stuck_s", "skew_s"),
    [
        ("", 300, 300, 60),
        ("stale_after = '10s'", 10, 10, 60),
        ("stale_after = '10s'\nstuck_after = '1h'", 10, 3600, 60),
        ("progress = false", 300, None, 60),
        ("progress = 'done'\nmax_skew = 5", 300, 300, 5),
        ("format = 'mtime'", 300, None, 60),
        ("format = 'text'", 300, None, 60),
    ],
)
def test_how_a_heartbeat_is_judged(tmp_path: Path, keys: str, stale_s: int, stuck_s: int | None, skew_s: int) -> None:
    signal = spec_of(tmp_path, keys, "heartbeat").signal
    assert signal is not None
    assert (signal.stale_after_ns, signal.max_skew_ns) == (stale_s * S, skew_s * S)
    assert signal.stuck_after_ns == (None if stuck_s is None else stuck_s * S)


def test_a_heartbeat_without_a_path_is_looked_for_where_the_writer_puts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    resolved = loaded(tmp_path, check("", "heartbeat")).components[0].checks[0]
    assert isinstance(resolved.options, HeartbeatCheck)
    assert resolved.options.path == tmp_path / "state/lifesign/heartbeats/a.json"
    assert resolved.spec.path == str(resolved.options.path)


def test_the_state_folder_is_the_users_and_tells_two_configs_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    text = "[monitor]\nname = 'm'\n" + MINIMAL
    first, second = tmp_path / "one", tmp_path / "two"
    first.mkdir()
    second.mkdir()
    folders = [loaded(folder, text).monitor.state_dir for folder in (first, second, first)]
    assert folders[0] == folders[2] != folders[1]
    assert folders[0].parent == tmp_path / "state/lifesign"
    assert folders[0].name.startswith("m-")


def test_the_state_folder_of_a_config_under_etc_is_the_systems() -> None:
    from lifesign.config.place import default_state_dir

    assert default_state_dir("m", Path("/etc/lifesign/lifesign.toml")) == Path("/var/lib/lifesign/m")


def test_paths_expand_and_count_from_the_file_not_from_where_we_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    environ = {**ENVIRON, "PLACE": "var/app"}
    for written, meant in (
        ("beat.json", tmp_path / "beat.json"),
        ("./a/../beat.json", tmp_path / "beat.json"),
        ("~/beat.json", Path("/home/someone/beat.json")),
        ("/$PLACE/beat.json", Path("/var/app/beat.json")),
        ("${PLACE}/beat.json", tmp_path / "var/app/beat.json"),
    ):
        config = loaded(tmp_path, check(f"path = '{written}'", "heartbeat"), environ)
        options = config.components[0].checks[0].options
        assert isinstance(options, HeartbeatCheck)
        assert options.path == meant


def test_every_type_of_the_contract_can_be_done(tmp_path: Path) -> None:
    text = check("") + "[components.a.checks.unit]\ntype = 'systemd'\nunit = 'x.service'\n"
    text += "[components.b]\ndepends_on = ['h']\nchecks.c = { type = 'tcp', address = 'h:1' }\n"
    text += "[components.h.checks.box]\ntype = 'docker'\ncontainer = 'x'\n"
    config = loaded(tmp_path, text)
    assert [component.spec.name for component in config.components] == ["a", "b", "h"]
    assert [spec.name for spec in config.components[0].spec.checks] == ["c", "unit"]
    assert config.components[1].spec.depends_on == ("h",)
    assert config.warnings == ()


def test_a_push_check_is_stale_by_its_limit_or_by_the_longest_rest_of_its_schedule(tmp_path: Path) -> None:
    text = "[components.a.checks]\nnight = { type = 'push', schedule = '0 3 * * *', tz = 'UTC', late_after = '1h' }\n"
    text += "both = { type = 'push', schedule = '@daily', stale_after = '25h' }\nbeat = { type = 'push' }\n"
    config = loaded(tmp_path, text)
    limits = [spec.signal.stale_after_ns // S for spec in config.components[0].spec.checks if spec.signal]
    assert limits == [25 * 3600, 90000, 300]
    options = config.components[0].checks[1].options
    assert isinstance(options, PushCheck)
    assert options.schedule == "0 0 * * *"
    assert float(options.late_after or 0) == 300


def test_a_listener_answers_to_its_own_host(tmp_path: Path) -> None:
    text = MINIMAL + "[http]\nlisten = 'watch.example:0'\ninsecure = true\ntoken = { env = 'LIFESIGN_TOKEN' }\n"
    http = loaded(tmp_path, text).http
    assert http is not None
    assert (http.host, http.port, http.is_loopback) == ("watch.example", 0, False)
    assert http.allowed_hosts == ("127.0.0.1", "localhost", "watch.example")


def write_pair(folder: Path, *, passphrase: bytes | None = None) -> None:
    """`c.pem` and `k.pem`, made for each other."""
    leaf = trustme.CA().issue_cert("localhost")
    key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "c.pem").write_bytes(leaf.cert_chain_pems[0].bytes())
    (folder / "k.pem").write_bytes(key.private_bytes(pem, form, lock))
    for name in ("c.pem", "k.pem"):
        (folder / name).chmod(0o600)


def test_a_key_that_asks_for_a_passphrase_is_refused_and_nobody_is_asked(tmp_path: Path) -> None:
    write_pair(tmp_path, passphrase=b"words")
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, MINIMAL + "[http]\ncertificate = 'c.pem'\nkey = 'k.pem'\n")
    [problem] = caught.value.problems
    assert (problem.key, "encrypted" in problem.reason, problem.line > 1) == ("http.key", True, True)


def test_what_is_no_certificate_is_refused_by_its_line(tmp_path: Path) -> None:
    write_pair(tmp_path)
    (tmp_path / "c.pem").write_text("pem")
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, MINIMAL + "[http]\ncertificate = 'c.pem'\nkey = 'k.pem'\n")
    [problem] = caught.value.problems
    assert (problem.key, "no certificate and its key" in problem.reason) == ("http.certificate", True)


def test_certificate_and_key_are_taken_where_they_are(tmp_path: Path) -> None:
    write_pair(tmp_path)
    text = MINIMAL + "[http]\nlisten = '[::1]:5199'\ncertificate = 'c.pem'\nkey = 'k.pem'\n"
    http = loaded(tmp_path, text).http
    assert http is not None
    assert (http.host, http.is_loopback, http.certificate, http.key) == (
        "::1",
        True,
        tmp_path / "c.pem",
        tmp_path / "k.pem",
    )


@pytest.mark.parametrize(
    ("keys", "how"),
    [
        ('method = "signal"\nsignal = "SIGHUP"\nescalate = "30s"', "SIGHUP, SIGKILL after 30s"),
        ('method = "systemd"\nunit = "user:mind"', "unit user:mind"),
        ('method = "docker"\ncontainer = "mind"', "container mind"),
        ('method = "supervisor"\nprogram = "workers:mind"', "program workers:mind"),
        ('method = "command"\nargv = ["/bin/renew", "--token=hush"]', "/bin/renew"),
    ],
)
def test_a_restart_says_what_it_would_do_and_no_argument_of_a_command(tmp_path: Path, keys: str, how: str) -> None:
    checked = check('pattern = "mind"', "process")
    restart = loaded(tmp_path, f"{checked}\n[components.a.restart]\n{keys}").components[0].spec.restart
    assert restart is not None
    assert restart.how == how
    assert type(restart.how) is str, "it is written into the history"
