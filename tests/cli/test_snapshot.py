"""`lifesign snapshot`: from the daemon or on its own, whole or not at all."""

import io
import json
import os
import socket
import stat
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import msgspec
import pytest

from lifesign.api.documents import State
from lifesign.cli.snapshot import take_state
from lifesign.core.model import ComponentState as S
from tests.api.fakes import check, component, mind_down, monitor
from tests.api.serving import serving
from tests.cli.test_health import _lifesign


@pytest.fixture
def port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def config(tmp_path: Path, port: int) -> Path:
    path = tmp_path / "lifesign.toml"
    check = f'[components.gateway.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:{port}"\n'
    path.write_text(f'[monitor]\nname = "t"\nstate_dir = "."\n{check}')
    path.chmod(0o600)
    return path


def _left_over(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.endswith(".tmp")]


async def test_the_daemons_state_is_taken_where_one_answers(tmp_path: Path, config: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(mind_down(), overall=S.DOWN)
        code, out, err = await _lifesign("snapshot", "-c", str(config))
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert (document["monitor"]["name"], document["overall"]) == ("test-monitor", "down")
    jsonschema.validate(document, msgspec.json.schema(State))


async def test_without_a_daemon_it_looks_itself(config: Path) -> None:
    code, out, err = await _lifesign("snapshot", "-c", str(config), "--format", "json", "--exit-code")
    document = json.loads(out)
    assert err == "", "a cron job would mail it"
    assert (code, document["overall"], document["monitor"]["mode"]) == (2, "down", "oneshot")


class _Terminal(io.StringIO):
    """Standard error that somebody looks at."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_it_says_that_it_has_looked_itself(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _Terminal()
    monkeypatch.setattr(sys, "stderr", seen)
    take_state(str(config))
    assert seen.getvalue() == (
        "lifesign: no daemon answers: this is one round of our own, without thresholds or grace\n"
    )


@pytest.mark.parametrize(
    ("overall", "code"), [(S.HEALTHY, 0), (S.DEGRADED, 1), (S.STARTING, 1), (S.DOWN, 2), (S.UNKNOWN, 3)]
)
async def test_the_exit_codes_are_those_of_nagios(tmp_path: Path, config: Path, overall: S, code: int) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(overall=overall)
        assert (await _lifesign("snapshot", "-c", str(config), "--exit-code", "--format", "text"))[0] == code


async def test_a_file_is_written_whole_in_the_form_of_its_suffix(tmp_path: Path, config: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(mind_down(), overall=S.DOWN)
        for name, start in (("s.md", "# ✖ down"), ("s.svg", "<svg"), ("s.json", "{"), ("s.txt", "✖ down")):
            (tmp_path / name).write_text("old")
            assert await _lifesign("snapshot", "-c", str(config), "-o", str(tmp_path / name)) == (0, "", "")
            assert (tmp_path / name).read_text().startswith(start)
            assert not stat.S_IMODE((tmp_path / name).stat().st_mode) & 0o111
    assert _left_over(tmp_path) == []


async def test_a_file_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path: Path, config: Path) -> None:
    async with serving(tmp_path):
        for target in (tmp_path / "no" / "x.json", tmp_path):
            code, out, err = await _lifesign("snapshot", "-c", str(config), "-o", str(target), "--exit-code")
            assert (code, out, err.count("\n")) == (3, "", 1)
    assert _left_over(tmp_path.parent) == []


async def test_what_is_no_file_is_written_to_and_stays_what_it_is(tmp_path: Path, config: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(mind_down(), overall=S.DOWN)
        for target in ("/dev/null", str(pipe)):
            found = await _lifesign("snapshot", "-c", str(config), "-o", target, "--exit-code", "--format", "text")
            assert found == (2, "", "")
        code, out, err = await _lifesign("snapshot", "-c", str(config), "-o", "/dev/stdout", "--exit-code", "--json")
    assert os.read(reader, 65536).decode().startswith("✖ down")
    os.close(reader)
    assert (code, json.loads(out)["overall"], err) == (2, "down", "")
    kinds = [stat.S_IFMT(os.lstat(path).st_mode) for path in (pipe, "/dev/null", "/dev/stdout")]
    assert kinds == [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFLNK]


async def test_two_forms_at_once_are_refused(config: Path) -> None:
    code, out, err = await _lifesign("snapshot", "-c", str(config), "--json", "--format", "md")
    assert (code, out) == (2, "")
    assert "--json and --format md exclude each other" in err


class _Page(HTMLParser):
    """What a page is made of: its tags, its attributes, its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += data


async def test_the_page_says_what_is_down_and_asks_nobody_for_anything(tmp_path: Path, config: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(mind_down(), component(), overall=S.DOWN)
        code, out, _ = await _lifesign("snapshot", "-c", str(config), "--format", "html", "--exit-code")
    page = _Page(out)
    assert code == 2
    assert "alive and ready, but not working: no new work for 612 s (limit 300 s)" in page.words
    assert "last work 10m ago, limit 5m" in page.words
    assert "2026-11-21 14:03:22Z" in page.words
    assert ("datetime", "2026-11-21T14:03:22.123Z") in page.attributes
    assert page.words.index("mind") < page.words.index("gateway")
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not {"src", "href"} & {name for name, _ in page.attributes}
    assert "url(" not in out
    assert "@import" not in out


async def test_no_text_from_outside_is_markup_on_the_page(tmp_path: Path, config: Path) -> None:
    hostile = "</style><script>alert(1)</script><b onclick='x'>&\x1b[31m\"\u202e"
    async with serving(tmp_path) as served:
        plain = component(checks=(replace(check(), message=hostile),))
        served.backend.shown = monitor(replace(plain, diagnosis=hostile, next_step=hostile), overall=S.DOWN)
        _, out, _ = await _lifesign("snapshot", "-c", str(config), "--format", "html")
    page = _Page(out)
    assert "script" not in page.tags
    assert "onclick" not in {name for name, _ in page.attributes}
    assert "</style><script>alert(1)" in page.words
    assert not {"\x1b", "\u202e"} & set(out)


@pytest.fixture
def bad_config(config: Path) -> Path:
    config.write_text("[components.x]\nfoo = 1\n")
    return config


async def test_a_bad_config_is_78_and_3_where_nagios_asks(bad_config: Path) -> None:
    assert (await _lifesign("snapshot", "-c", str(bad_config)))[0] == 78
    assert (await _lifesign("snapshot", "-c", str(bad_config), "--exit-code"))[0] == 3
