"""Targets of `lifesign watch`: one word each."""

from pathlib import Path

import msgspec
import pytest

from lifesign.config.check_types import HeartbeatCheck, LogCheck
from lifesign.config.probe_types import HttpCheck, PidCheck, ProcessCheck, SyntaxCheck, TcpCheck, WebsocketCheck
from lifesign.config.targets import TargetError, config_from_targets, parse_target
from lifesign.core.spec import CheckSpec

S = 1_000_000_000


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def only(text: str) -> CheckSpec:
    (component,) = config_from_targets([text]).components
    (check,) = component.spec.checks
    return check


@pytest.mark.parametrize(
    ("text", "kind", "key", "value", "name"),
    [
        ("tcp:127.0.0.1:80", TcpCheck, "address", "127.0.0.1:80", "tcp-127.0.0.1-80"),
        ("tcp:[::1]:80", TcpCheck, "address", "[::1]:80", "tcp-1-80"),
        ("http://h:8/p", HttpCheck, "url", "http://h:8/p", "http-h-8-p"),
        ("https://h", HttpCheck, "url", "https://h", "https-h"),
        ("ws://h/s", WebsocketCheck, "url", "ws://h/s", "ws-h-s"),
        ("wss://h/s", WebsocketCheck, "url", "wss://h/s", "wss-h-s"),
        ("heartbeat:/run/mind.json", HeartbeatCheck, "path", Path("/run/mind.json"), "mind"),
        (
            "heartbeat:/run/mind/heartbeat.json",
            HeartbeatCheck,
            "path",
            Path("/run/mind/heartbeat.json"),
            "mind-heartbeat",
        ),
        ("process:python.*worker", ProcessCheck, "pattern", "python.*worker", "python.-worker"),
        ("process:colou?r", ProcessCheck, "pattern", "colou?r", "colou-r"),
        ("pid:4711", PidCheck, "pid", 4711, "pid-4711"),
    ],
)
def test_each_form_becomes_its_check(text: str, kind: type, key: str, value: object, name: str) -> None:
    target = parse_target(text)
    assert type(target.options) is kind
    assert getattr(target.options, key) == value
    assert target.name == name


def test_relative_paths_count_from_where_we_stand(folder: Path) -> None:
    heartbeat, syntax = parse_target("heartbeat:a/b.json").options, parse_target("syntax:src/**/?.py").options
    assert isinstance(heartbeat, HeartbeatCheck)
    assert heartbeat.path == folder / "a/b.json"
    assert isinstance(syntax, SyntaxCheck)
    assert syntax.paths == (folder / "src/**/?.py",)


def test_keys_of_a_target_are_read_like_those_of_a_config() -> None:
    check = only(
        "tcp:h:1?interval=2&timeout=250ms&failure_threshold=2&failure_for=1m&optional=true&tls=true&layer=alive"
    )
    assert (check.interval_ns, check.timeout_ns, check.failure_threshold) == (2 * S, S // 4, 2)
    assert (check.failure_for_ns, check.optional, check.layer) == (60 * S, True, "alive")
    heartbeat = only("heartbeat:x.json?stale_after=10s&progress=false")
    assert heartbeat.signal is not None
    assert (heartbeat.signal.stale_after_ns, heartbeat.signal.stuck_after_ns) == (10 * S, None)
    process = parse_target("process:a%2Bb?count=%3E%3D2&max_rss=1KiB&name=two%20words").options
    assert isinstance(process, ProcessCheck)
    assert (process.pattern, process.count, process.max_rss, process.name) == ("a%2Bb", ">=2", 1024, "two words")


def test_in_a_url_our_keys_are_taken_and_the_rest_stays_as_it_was() -> None:
    options = parse_target("http://h/p?a=1%202&expect_status=200,204&b&interval=5s&c=#x").options
    assert isinstance(options, HttpCheck)
    assert options.url == "http://h/p?a=1%202&b&c=#x"
    assert (options.expect_status, float(options.interval or 0)) == ("200,204", 5)


def test_two_targets_alike_get_two_names() -> None:
    config = config_from_targets(["tcp:h:1", "tcp:h:1", "tcp:h:1"])
    assert [component.spec.name for component in config.components] == ["tcp-h-1", "tcp-h-1-2", "tcp-h-1-3"]
    assert config.path is None
    assert config.http is None


def test_targets_get_the_defaults_of_a_config_without_any() -> None:
    check = only("tcp:h:1")
    assert (check.interval_ns, check.timeout_ns, check.failure_threshold, check.success_threshold) == (
        10 * S,
        5 * S,
        3,
        2,
    )
    assert only("heartbeat:x.json").failure_threshold == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "is no target: write one of tcp:HOST:PORT"),
        ("", "is no target"),
        ("ftp://h/", "is no target"),
        ("tcp:h", "no address"),
        ("http:h", "begins with http://"),
        ("http://", "names no host"),
        ("log:x.log", "pattern: this key is required"),
        ("pid:x", "must be a whole number"),
        ("pid:0", ">= 1"),
        ("pid:99999999999999999999", "pid"),
        ("process:(", "RE2 refuses"),
        ("process:", "regular expression"),
        ("heartbeat:", "must be a path, not empty"),
        ("tcp:h:1?intervall=1s", "unknown key 'intervall' (did you mean interval?)"),
        ("tcp:h:1?interval=soon", "interval: 'soon' is no duration"),
        ("tcp:h:1?interval=1s&interval=2s", "given twice"),
        ("tcp:h:1?failure_threshold=0", "failure_threshold: must be a whole number >= 1"),
        ("http://h/?headers=a&interval=0", "interval: a duration is finite and positive"),
        ("syntax:x.py?paths=y.py", "unknown key 'paths'"),
        ("tcp:h\x1b[2J:1", "control characters"),
    ],
)
def test_a_bad_target_is_told_in_one_line(text: str, words: str) -> None:
    with pytest.raises(TargetError) as caught:
        parse_target(text)
    (problem,) = caught.value.problems
    assert words in problem
    assert "\n" not in problem
    assert "\x1b" not in problem


def test_every_bad_target_is_told_at_once() -> None:
    with pytest.raises(TargetError) as caught:
        config_from_targets(["tcp:h", "tcp:h:1", "pid:x", "tcp:h:1?tls=maybe&interval=x"])
    assert len(caught.value.problems) == 4


def test_no_target_at_all_is_told() -> None:
    with pytest.raises(TargetError, match="nothing to watch"):
        config_from_targets([])


def test_a_password_or_a_query_of_a_url_is_not_shown() -> None:
    with pytest.raises(TargetError) as caught:
        parse_target("http://user:canary@h/?token=canary&interval=x")
    assert "canary" not in str(caught.value)
    target = parse_target("http://h/p?token=canary")
    assert "canary" not in target.title + target.name


def test_a_pid_is_no_key_of_a_config() -> None:
    assert "pid" not in {field.name for field in msgspec.structs.fields(ProcessCheck)}


def test_a_log_is_a_target_with_its_patterns() -> None:
    options = parse_target("log:/var/log/x.log?pattern=done&fail_pattern=ERROR&stale_after=1m").options
    assert isinstance(options, LogCheck)
    assert (str(options.path), options.pattern, options.fail_pattern) == ("/var/log/x.log", "done", "ERROR")
