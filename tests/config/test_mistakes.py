"""Every mistake in a file is told at once, with its line, its key and what was probably meant."""

from pathlib import Path

import pytest

from tests.config.writing import EXAMPLE, MINIMAL, check, lines, refused

FIVE_MISTAKES = """\
[monitor]
name = "prod trader"

[components.mind]
depends_on = ["gatway"]

[components.mind.checks.heartbeat]
type = "heartbeat"
stale_aftr = "5m"

[components.gateway.checks.port]
type = "tcp"
address = "127.0.0.1"
interval = 0
"""
NO_ADDRESS = '\'127.0.0.1\' is no address: write "host:port", as in "127.0.0.1:8765"'


def test_five_mistakes_in_one_file_are_told_all_at_once_with_their_lines(tmp_path: Path) -> None:
    assert lines(refused(tmp_path, FIVE_MISTAKES), tmp_path) == [
        "lifesign.toml:2: monitor.name: must be letters, digits, - _ . and no more than 64, not - or . first",
        'lifesign.toml:5: components.mind.depends_on[0]: there is no component "gatway" (did you mean gateway?)',
        "lifesign.toml:9: components.mind.checks.heartbeat.stale_aftr: unknown key (did you mean stale_after?)",
        "lifesign.toml:13: components.gateway.checks.port.address: " + NO_ADDRESS,
        "lifesign.toml:14: components.gateway.checks.port.interval: a duration is finite and positive, not 0",
    ]


@pytest.mark.parametrize(
    ("keys", "key", "words"),
    [
        ('interval = "10 parsecs"', "interval", "no duration"),
        ("interval = -1", "interval", "finite and positive"),
        ("interval = inf", "interval", "finite"),
        ("interval = nan", "interval", "finite"),
        ("interval = true", "interval", "a duration is"),
        ('interval = "0.01ms"', "interval", "at least 1ms"),
        (f"interval = 1{'0' * 400}", "interval", "hundred years"),
        ("interval = 1979-05-27", "interval", "a duration is"),
        ('failure_threshold = "3"', "failure_threshold", "must be a whole number, not text"),
        ("failure_threshold = 0", "failure_threshold", ">= 1"),
        ("failure_threshold = 1.5", "failure_threshold", "must be a whole number, without a fraction"),
        ("flap_changes = 1", "flap_changes", ">= 2"),
        ('optional = "yes"', "optional", "must be true or false, not text"),
        ('layer = "working hard"', "layer", 'there is no "working hard" here (did you mean working?)'),
        ('expect = "(?<=x)y"', "expect", "RE2 refuses this expression"),
        ('expect = "("', "expect", "missing )"),
        ("tls = 1", "tls", "must be true or false"),
        ("send = ['a']", "send", "must be text, not a list"),
        ("send = { a = 1 }", "send", "must be text, not a table"),
    ],
)
def test_a_bad_value_is_told_with_its_key_and_in_plain_words(tmp_path: Path, keys: str, key: str, words: str) -> None:
    (problem,) = refused(tmp_path, check(keys))
    assert problem.key == f"components.a.checks.c.{key}"
    assert problem.line == 5
    assert words in str(problem)
    assert "`" not in str(problem)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("host", "no address"),
        ("host:", "no address"),
        (":80", "no address"),
        ("host:0", "out of range"),
        ("host:65536", "out of range"),
        ("host:8o", "no address"),
        ("::1:80", "in brackets"),
        ("[::1:80", "in brackets"),
        ("[nonsense]:80", "no IPv6"),
        ("a b:80", "no host name"),
        ("", "not empty"),
        ("h\\u001b[2J:80", "without control characters"),
    ],
)
def test_a_bad_address_is_refused(tmp_path: Path, address: str, words: str) -> None:
    (problem,) = refused(tmp_path, check("", own=f'address = "{address}"'))
    assert words in problem.reason
    assert "\x1b" not in str(problem)


@pytest.mark.parametrize(
    ("kind", "own", "key", "words"),
    [
        ("tcp", "", ".address", "this key is required"),
        ("http", "", ".url", "this key is required"),
        ("http", 'url = "ftp://h/"', ".url", "begins with http:// or https://"),
        ("http", 'url = "http://u:hunter2@h/"', ".url", "no user or password in a URL"),
        ("http", 'url = "http://h:99999/"', ".url", "port"),
        ("http", 'url = "http:///x"', ".url", "names no host"),
        ("http", 'url = "http://h/"\nexpect_status = "2xx"', ".expect_status", "status codes"),
        ("http", 'url = "http://h/"\nexpect_status = "299-200"', ".expect_status", "no range"),
        (
            "http",
            'url = "http://h/"\nheaders = { Authorization = "Bearer abc" }',
            ".headers",
            "literal secret is refused",
        ),
        ("http", 'url = "http://h/"\nheaders = { "a b" = "c" }', ".headers", "no header name"),
        ("http", 'url = "http://h/"\nheaders = { x = "a\\r\\nb: c" }', ".headers.x", "control characters"),
        ("http", 'url = "http://h/"\nheaders = { x = 1 }', ".headers.x", "must be text in quotes"),
        ("http", 'url = "http://h/"\nheaders = { x = { nev = "A" } }', ".headers.x", "a secret is"),
        ("http", 'url = "http://h/"\nexpect_json = { at = 1979-05-27 }', ".expect_json", "JSON does not have"),
        ("http", 'url = "http://h/"\ncert_days = 5', ".cert_days", "without https"),
        ("websocket", 'url = "http://h/"', ".url", "begins with ws:// or wss://"),
        ("process", "", "", "needs one of pattern, name, pidfile, user"),
        ("process", 'name = "x"\ncount = "many"', ".count", "must be a count"),
        ("process", 'name = "x"\ncount = "<0"', ".count", "fewer than none"),
        ("process", 'name = "x"\nmax_rss = "lots"', ".max_rss", "must be a size"),
        ("process", 'name = "x"\nmax_rss = 0', ".max_rss", "must be a size"),
        ("process", 'name = "x"\nmax_cpu = -1', ".max_cpu", "> 0"),
        ("process", 'name = "x"\nmax_cpu = nan', ".max_cpu", "finite"),
        ("syntax", "", ".paths", "this key is required"),
        ("syntax", "paths = []", ".paths", "must not be empty"),
        ("syntax", 'paths = "x.py"', ".paths", "must be a list, not text"),
        ("syntax", 'paths = ["$NOWHERE/x.py"]', ".paths[0]", "NOWHERE is not set"),
        ("heartbeat", 'path = "~nobody-by-that-name/x"', ".path", "there is no user"),
        ("heartbeat", 'path = "a\\u0000b"', ".path", "control characters"),
        ("heartbeat", 'format = "jason"', ".format", "did you mean json?"),
        ("heartbeat", "progress = true", ".progress", "name of a key, or false"),
        ("heartbeat", "progress = 3", ".progress", "not a whole number"),
        ("heartbeat", 'progress = false\nstuck_after = "1m"', ".stuck_after", "means nothing"),
        ("heartbeat", 'format = "mtime"\nprogress = "cycle"', ".progress", "holds no progress value"),
        ("push", 'schedule = "every day"', ".schedule", "no cron expression"),
        ("push", 'tz = "UTC"', ".tz", "without schedule"),
        ("push", 'schedule = "0 3 * * *"\ntz = "Mars/Olympus"', ".tz", "no time zone"),
        ("push", 'token = "abc"', ".token", "a literal secret is refused"),
        ("log", 'path = "x.log"', ".pattern", "this key is required"),
        ("command", "argv = []", ".argv", "must not be empty"),
        ("command", 'argv = ["x"]\nenv = { "A=hunter2" = "c" }', ".env", "'A=…' is no name of an environment variable"),
        ("command", 'argv = ["x"]\nenv = { "" = "c" }', ".env", "'' is no name of an environment variable"),
        ("command", 'argv = ["x"]\nenv = { "A\\u0000" = "c" }', ".env", "is no name of an environment variable"),
        ("systemd", "", "", "either unit or user_unit"),
        ("systemd", 'unit = "a"\nuser_unit = "b"', "", "either unit or user_unit"),
        ("docker", "", ".container", "this key is required"),
        ("host", "", "", "needs one of"),
        ("host", 'max_memory = "120%"', ".max_memory", "percentage"),
        ("host", 'disk = { path = "/" }', ".disk.min_free", "this key is required"),
        ("host", 'disk = { path = "/", min_free = "x" }', ".disk.min_free", "must be a size"),
        ("host", 'disk = { path = "/", min_free = "5%", max = 1 }', ".disk.max", "unknown key"),
    ],
)
def test_what_a_type_needs_of_its_own_is_checked(tmp_path: Path, kind: str, own: str, key: str, words: str) -> None:
    (problem,) = refused(tmp_path, check("", kind, own=own))
    assert problem.key == f"components.a.checks.c{key}"
    assert words in str(problem)
    assert "hunter2" not in str(problem)
    assert "Bearer abc" not in str(problem)


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("[monitor]\nname = 'x'\n", "", "there is no component"),
        ("[components]\n", "components", "there is no component"),
        ("components = 3\n", "components", "must be a table, not a number"),
        ("[[components]]\nx = 1\n", "components", "must be a table, not a list"),
        ("[component.a.checks.c]\ntype = 'tcp'\n", "component", "did you mean components?"),
        ("[components.a]\ntitle = 'x'\n", "components.a", "a component needs a check"),
        ("[components.a.checks]\n", "components.a.checks", "a component needs a check"),
        ("[components.a.check.c]\ntype = 'tcp'\n", "components.a.check", "did you mean checks?"),
        ("[components.a.checks]\nc = 3\n", "components.a.checks.c", "must be a table"),
        (
            "[components.a.checks.c]\naddress = 'h:1'\n",
            "components.a.checks.c.type",
            "this key is required (one of: heartbeat",
        ),
        ("[components.a.checks.c]\ntyp = 'tcp'\naddress = 'h:1'\n", "components.a.checks.c.typ", "did you mean type?"),
        ("[components.a.checks.c]\ntype = 'tpc'\naddress = 'h:1'\n", "components.a.checks.c.type", "did you mean tcp?"),
        ("[components.a.checks.c]\ntype = 7\n", "components.a.checks.c.type", "must be text, not a number"),
        ("[components.'a b'.checks.c]\ntype = 'tcp'\naddress = 'h:1'\n", 'components."a b"', "is no name"),
        ("[components.'..'.checks.c]\ntype = 'tcp'\naddress = 'h:1'\n", 'components.".."', "is no name"),
        ("[components.''.checks.c]\ntype = 'tcp'\naddress = 'h:1'\n", 'components.""', "is no name"),
        (f"[components.{'a' * 65}.checks.c]\ntype = 'tcp'\naddress = 'h:1'\n", f"components.{'a' * 65}", "is no name"),
        ("[components.\"a\\n\".checks.c]\ntype = 'tcp'\naddress = 'h:1'\n", 'components."a "', "is no name"),
        ("[components.a.checks.'c/d']\ntype = 'tcp'\naddress = 'h:1'\n", 'components.a.checks."c/d"', "is no name"),
        (MINIMAL + "[defaults]\nstale_aftr = 1\n", "defaults.stale_aftr", "did you mean stale_after?"),
        (MINIMAL + "[defaults]\nstale_after = 'x'\n", "defaults.stale_after", "no duration"),
        (MINIMAL + "[defaults]\naddress = 'h:1'\n", "defaults.address", "set on the check itself"),
        (MINIMAL + "[defaults]\ntype = 'tcp'\n", "defaults.type", "unknown key"),
        (MINIMAL + "[alerts.x]\ntype = 'slack'\n", "alerts.x.type", 'there is no type "slack"'),
        (
            MINIMAL + "[console.keys]\n'component.ack' = 'f8'\n'component.hold' = 'f8'\n",
            'console.keys."component.hold"',
            "is the key of component.ack already",
        ),
        (
            MINIMAL + "[console.keys]\n'component.restrt' = 'f8'\n",
            'console.keys."component.restrt"',
            "the console has no such command",
        ),
        (MINIMAL + "[http]\nlisten = '127.0.0.1'\n", "http.listen", "no address"),
        (MINIMAL + "[http]\ntoken = 'abc'\n", "http.token", "a literal secret is refused"),
        (MINIMAL + "[http]\ntoken = { env = 'NOT_THERE' }\n", "http.token", "the secret $NOT_THERE is not set"),
        (MINIMAL + "[http]\ntoken = { env = 'A', file = 'b' }\n", "http.token", "with that one key"),
        (MINIMAL + "[http]\ntoken = { file = 'nowhere' }\n", "http.token", "cannot read the secret file"),
        (
            MINIMAL + "[http]\nlisten = '0.0.0.0:1'\ninsecure = true\n",
            "http.listen",
            "a token is required off loopback",
        ),
        (
            MINIMAL + "[http]\nlisten = '127.evil.example:1'\ninsecure = true\n",
            "http.listen",
            "a token is required off loopback",
        ),
        (
            MINIMAL + "[http]\nlisten = '[::]:1'\ntoken = { env = 'LIFESIGN_TOKEN' }\n",
            "http.listen",
            "certificate and key are required off loopback",
        ),
        (MINIMAL + "[http]\ncertificate = 'x.pem'\n", "http.certificate", "needs key beside it"),
    ],
)
def test_a_mistake_in_the_structure_is_told_once(tmp_path: Path, text: str, key: str, words: str) -> None:
    (problem,) = refused(tmp_path, text)
    assert problem.key == key
    assert words in str(problem)
    assert problem.line >= 1


@pytest.mark.parametrize(
    ("restart", "key", "words"),
    [
        ("method = 'signal'\nsignal = 'SIGKILL'", ".signal", "never sent"),
        ("method = 'signal'\nsignal = 'SIGFOO'", ".signal", "no signal of this system"),
        ("method = 'signal'", "", "nothing tells the pid"),
        ("method = 'kill'", ".method", 'there is no method "kill"'),
        ("automatic = true", ".method", "this key is required"),
        ("method = 'systemd'", ".unit", "this key is required"),
        ("method = 'systemd'\nunit = '--now'", ".unit", "no name of a unit"),
        ("method = 'systemd'\nunit = 'mind*'", ".unit", "no name of a unit"),
        ("method = 'supervisor'\nprogram = 'mind'\nserver = '/run/s.sock'", ".server", "no server of Supervisor"),
        ("method = 'command'\nargv = ['x']\nbackoff = { initial = '1h', max = '1m' }", ".backoff.max", "shorter"),
        ("method = 'command'\nargv = ['x']\nbackoff = { factor = 0.5 }", ".backoff.factor", ">= 1"),
        ("method = 'command'\nargv = 'rm -rf'", ".argv", "must be a list"),
        ("method = 'command'\nargv = ['x']\nenv = { 'A=B' = 'c' }", ".env", "no name of an environment variable"),
    ],
)
def test_a_restart_is_checked_though_it_does_not_act_yet(tmp_path: Path, restart: str, key: str, words: str) -> None:
    more = "" if words.startswith("nothing") else "pidfile = 'x'\n" if "signal'" in restart else ""
    (problem,) = refused(tmp_path, check(f"[components.a.restart]\n{restart}\n{more}"))
    assert problem.key == f"components.a.restart{key}"
    assert words in str(problem)


@pytest.mark.parametrize(
    ("alert", "key", "words"),
    [
        ("only = ['mnid']", ".only[0]", 'there is no component "mnid" (components: a)'),
        ("except = ['tag:nexsu']", ".except[0]", 'there is no tag "nexsu" (did you mean nexus?)'),
        ("repo = 'nexus'", ".repo", 'as in "team/nexus"'),
        ("labels = ['']", ".labels[0]", "not empty"),
        ("max_issues = 0", ".max_issues", ">= 1"),
        ("remind_every = '0s'", ".remind_every", "positive"),
        ("notify_after = '-1s'", ".notify_after", "no duration"),
    ],
)
def test_an_alert_is_checked_though_it_is_not_sent_yet(tmp_path: Path, alert: str, key: str, words: str) -> None:
    required = {"url": "'https://h'", "repo": "'t/n'", "token": "{ env = 'GITEA_TOKEN' }"}
    own = "\n".join(f"{name} = {value}" for name, value in required.items() if not alert.startswith(name))
    text = check(f"[components.a]\ntags = ['nexus']\n[alerts.f]\ntype = 'gitea'\n{own}\n{alert}\n")
    (problem,) = refused(tmp_path, text)
    assert problem.key == f"alerts.f{key}"
    assert words in str(problem)


def test_an_alert_command_too_takes_only_names_that_a_process_can_be_given(tmp_path: Path) -> None:
    own = "type = 'command'\nargv = ['x']\nenv = { GOOD = 'a', 'A=B' = 'c' }\n"
    (problem,) = refused(tmp_path, check(f"[alerts.f]\n{own}"))
    assert problem.key == "alerts.f.env"
    assert problem.reason == "'A=…' is no name of an environment variable"


def test_dependencies_in_a_circle_are_told_once_and_with_their_way(tmp_path: Path) -> None:
    parts = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]
    text = "".join(
        f"[components.{name}]\ndepends_on = ['{parent}']\nchecks.c = {{ type = 'tcp', address = 'h:1' }}\n"
        for name, parent in parts
    )
    (problem,) = refused(tmp_path, text)
    assert (problem.line, problem.key) == (2, "components.a.depends_on")
    assert "a → b → c → a" in problem.reason


def test_a_component_that_depends_on_itself_or_twice_on_another_is_told(tmp_path: Path) -> None:
    text = check(
        "[components.a]\ndepends_on = ['a']\n[components.b]\ndepends_on = ['a', 'a']\n"
        "checks.c = { type = 'process', name = 'x' }\n"
    )
    assert [problem.key for problem in refused(tmp_path, text)] == [
        "components.a.depends_on[0]",
        "components.b.depends_on[1]",
    ]


def test_a_misspelt_required_key_is_told_as_misspelt_and_not_also_as_missing(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, check("", own='addres = "127.0.0.1:1"'))
    assert problem.hint == "did you mean address?"
    (problem,) = refused(tmp_path, check("", "process", own='patern = "x"'))
    assert problem.hint == "did you mean pattern?"


def test_a_misspelt_type_hides_no_other_mistake_of_its_check(tmp_path: Path) -> None:
    text = check("stale_after = '5 minutes'\npaht = 'x'", "hartbeat", own="")
    assert [problem.key.removeprefix("components.a.checks.c.") for problem in refused(tmp_path, text)] == [
        "type",
        "stale_after",
        "paht",
    ]


def test_every_secret_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    problems = refused(tmp_path, EXAMPLE.read_text(), environ={"HOME": "/h"})
    assert [problem.key for problem in problems] == ["http.token", "alerts.forge.token", "alerts.ops.urls[0]"]


def test_a_literal_secret_is_never_repeated_in_a_message(tmp_path: Path) -> None:
    text = check("", "http", own='url = "http://h/"\nheaders = { X-Api-Key = "canary-1" }')
    text += '[http]\ntoken = "canary-2"\n[alerts.x]\ntype = "apprise"\nurls = ["slack://canary-3"]\n'
    problems = refused(tmp_path, text)
    assert len(problems) == 3
    assert "canary" not in "\n".join(map(str, problems))


def test_escape_sequences_in_a_key_reach_no_message(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, MINIMAL + '"\\u001b]52;c;x\\u0007" = 1\n[monitor]\n')
    assert "\x1b" not in str(problem)
    assert "\x07" not in str(problem)


def test_a_misspelt_type_hides_no_other_mistake(tmp_path: Path) -> None:
    found = refused(tmp_path, "[components.a.checks.c]\ntyp = 'tcp'\nadress = 'h:1'\ninterval = '5x'\n")
    assert [problem.key.rpartition(".")[2] for problem in found] == ["typ", "adress", "interval"]
