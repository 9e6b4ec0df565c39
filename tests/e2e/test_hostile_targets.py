"""Every hostile target of the list at once, against the real daemon: the right words each, memory flat, no crash."""

import asyncio
import contextlib
import gzip
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from tests.checks.hostile import Behaviour, dripping, flooding, saying, serving, silence
from tests.e2e.running import Daemon, daemon

MALFORMED = {
    "empty": (b"", "empty"),
    "half": (b'{"timestamp": 17', "malformed"),
    "not_utf8": (b'{"timestamp": "\xff\xfe"}', "malformed"),
    "nan": (b'{"timestamp": NaN}', "malformed"),
    "infinity": (b'{"timestamp": Infinity}', "malformed"),
    "overflow": (b'{"timestamp": 1e400}', "malformed"),
    "zero": (b'{"timestamp": 0}', "malformed"),
    "negative": (b'{"timestamp": -5}', "malformed"),
    "milliseconds": (b'{"timestamp": 1795312345678}', "malformed"),
    "nanoseconds": (b'{"timestamp": 1795312345678000000}', "malformed"),
    "boolean": (b'{"timestamp": true}', "malformed"),
    "text": (b'{"timestamp": "12"}', "malformed"),
    "null": (b'{"timestamp": null}', "malformed"),
    "a_list": (b"[1]", "malformed"),
    "twice": (b'{"timestamp": 1795312345, "timestamp": 1795312346}', "malformed"),
    "deep": (b'{"timestamp": 1795312345, "a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "malformed"),
    "digits": (b'{"timestamp": ' + b"1" * 5000 + b"}", "malformed"),
    "surrogate": (b'{"timestamp": 1795312345, "message": "\\ud800"}', "malformed"),
    "nul": (b'{"timestamp": 1795312345, "a": "b\x00"}', "malformed"),
    "large": (b'{"timestamp": 1795312345, "a": "' + b"x" * 70_000 + b'"}', "longer than 64 KiB"),
}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BOMB = gzip.compress(b"a" * 50_000_000)
SERVERS: dict[str, tuple[Behaviour, str, str]] = {
    "good": (saying(OK), 'type = "http"\nurl = "http://127.0.0.1:{port}/"', ""),
    "silent": (silence, 'type = "http"\nurl = "http://127.0.0.1:{port}/"', "1 s"),
    "silent_port": (silence, 'type = "tcp"\naddress = "127.0.0.1:{port}"\nexpect = "hello"', "said nothing"),
    "drip": (dripping(OK * 100), 'type = "http"\nurl = "http://127.0.0.1:{port}/"\nexpect_body = "zz"', "1 s"),
    "endless": (
        flooding(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
        'type = "http"\nurl = "http://127.0.0.1:{port}/"\nexpect_body = "zz"',
        "larger than 1 MiB",
    ),
    "bomb": (
        saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB),
        'type = "http"\nurl = "http://127.0.0.1:{port}/"\nexpect_body = "zz"',
        "compressed",
    ),
    "loop": (
        saying(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
        'type = "http"\nurl = "http://127.0.0.1:{port}/"',
        "redirect loop",
    ),
    "handshake": (silence, 'type = "http"\nurl = "https://127.0.0.1:{port}/"', "TLS handshake"),
    "websocket": (silence, 'type = "websocket"\nurl = "ws://127.0.0.1:{port}/"', "1 s"),
}


def check(name: str, body: str) -> str:
    return f"[components.{name}]\n[components.{name}.checks.it]\n{body}\n"


@contextmanager
def zombie() -> Iterator[int]:
    """The pid of a process that is dead, with a parent that never asks for it."""
    code = "import os, sys, time\npid = os.fork()\nif pid == 0: os._exit(0)\nprint(pid, flush=True)\nsys.stdin.read()"
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    try:
        yield pid
    finally:
        parent.communicate()


def resident_kib(pid: int) -> int:
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])


def states(running: Daemon) -> dict[str, tuple[str, str]]:
    _, state = running.request("GET", "/api/v1/state")
    return {component["name"]: (component["state"], component["diagnosis"]) for component in state["components"]}


async def test_each_hostile_target_gets_the_right_words_and_memory_stays_flat(tmp_path: Path) -> None:
    expected = {name: words for name, (_, _, words) in SERVERS.items() if words}
    parts = ['[defaults]\ninterval = "500ms"\ntimeout = "1s"\nfailure_threshold = 2\ngrace = "500ms"\n']
    for name, (content, words) in MALFORMED.items():
        (tmp_path / f"{name}.json").write_bytes(content)
        parts.append(check(name, f'type = "heartbeat"\npath = "{name}.json"'))
        expected[name] = words
    (tmp_path / "breaker.py").write_text("x = " + "(" * 100_000 + ")" * 100_000)
    parts.append(check("breaker", 'type = "syntax"\npaths = ["breaker.py"]'))
    expected["breaker"] = "breaker.py"
    parts.append(check("missing", 'type = "heartbeat"\npath = "missing.json"'))
    expected["missing"] = "nobody has ever written"
    async with AsyncExitStack() as servers:
        for name, (behaviour, body, _) in SERVERS.items():
            server = await servers.enter_async_context(serving(behaviour))
            parts.append(check(name, body.replace("{port}", str(server.port))))
        with zombie() as pid:
            (tmp_path / "zombie.pid").write_text(f"{pid}\n")
            parts.append(check("zombie", 'type = "process"\npidfile = "zombie.pid"'))
            expected["zombie"] = f"pid {pid} is a zombie"
            await asyncio.to_thread(_watch, tmp_path, "".join(parts), expected)


def _watch(folder: Path, config: str, expected: dict[str, str]) -> None:
    from tests.e2e.running import wait_until

    with daemon(folder, config) as running:
        wait_until(lambda: all(states(running)[name][0] == "down" for name in expected), "all of them down")
        wrong = dict(expected)  # a busy machine may cut one look of an endless answer short: the next one counts too

        def all_are_named() -> bool:
            for name, (_, words) in states(running).items():
                if wrong.get(name, "\0") in words:
                    del wrong[name]
            return not wrong

        with contextlib.suppress(AssertionError):
            wait_until(all_are_named, "the right words of each")
        assert {name: states(running)[name][1] for name in wrong} == {}
        wait_until(lambda: states(running)["good"][0] == "healthy", "the good one is healthy")
        looks_before = _looks(running)
        before_kib = resident_kib(running.process.pid)
        wait_until(lambda: _looks(running) > looks_before + 10, "ten more looks at the bomb")
        assert resident_kib(running.process.pid) - before_kib < 8 * 1024
        assert not [event for event in running.events() if "died" in event.get("message", "")]
        assert not running.events("component.recovered")


def _looks(running: Daemon) -> int:
    return int(running.component("bomb")["consecutive_failures"])
