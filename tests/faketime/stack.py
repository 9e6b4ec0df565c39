"""Fifty real targets and the daemon that watches them, all in one hurried time; run under faketime, as a program.

    faketime -f '+0 x60' python -m tests.faketime.stack FOLDER

It writes FOLDER/lifesign.toml and runs the daemon on it, breaks and heals targets by the plan, and notes when it did in
FOLDER/truth.jsonl, in the same hurried time as the daemon's log. It ends after two hours of it, and the daemon with it.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

EACH = 10  # targets of each of the five kinds
HOURS = 2
CHECK = 'interval = "60s"\ntimeout = "50s"\nfailure_threshold = 2\nsuccess_threshold = 2\ngrace = "4m"\n'
# Of each kind one target breaks: at which minute, and after how many more it is healed.
PLAN = (("tcp", 10, 17), ("http", 30, 17), ("process", 50, 17), ("syntax", 70, 17), ("heartbeat", 88, 20))


class Stack:
    """Everything that is watched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers: dict[str, asyncio.Server] = {}
        self.ports: dict[str, int] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.silent: set[str] = set()
        self.sick: set[str] = set()
        self.counts: dict[str, int] = {}

    async def start(self) -> None:
        for number in range(EACH):
            for kind in ("tcp", "http"):
                await self.listen(f"{kind}{number}")
            self.run(f"process{number}")
            self.file(f"syntax{number}").write_text("[1, 2, 3]\n")
            self.counts[f"heartbeat{number}"] = 0
        self.beat()

    def file(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    async def listen(self, name: str) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                if name.startswith("http"):
                    await reader.readuntil(b"\r\n\r\n")
                    status = b"503 Sick" if name in self.sick else b"200 OK"
                    writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
                    await writer.drain()
            writer.close()

        self.servers[name] = await asyncio.start_server(serve, "127.0.0.1", self.ports.get(name, 0))
        self.ports[name] = self.servers[name].sockets[0].getsockname()[1]

    def run(self, name: str) -> None:
        self.processes[name] = subprocess.Popen(["sleep", f"{10_000_000 + int(name[-1])}"])
        (self.folder / f"{name}.pid").write_text(str(self.processes[name].pid))

    def beat(self) -> None:
        """Every writer that is not silent writes."""
        for name in self.counts.keys() - self.silent:
            self.counts[name] += 1
            fresh = self.folder / f".{name}"
            fresh.write_text(json.dumps({"timestamp": time.time(), "cycle": self.counts[name]}))
            fresh.replace(self.file(name))

    def config(self) -> str:
        lines = ['[monitor]\nname = "hurried"\nstate_dir = "state"']
        for number in range(EACH):
            rows = {
                "tcp": f'type = "tcp"\naddress = "127.0.0.1:{self.ports[f"tcp{number}"]}"',
                "http": f'type = "http"\nurl = "http://127.0.0.1:{self.ports[f"http{number}"]}/"',
                "heartbeat": f'type = "heartbeat"\npath = "heartbeat{number}.json"\nstale_after = "10m"',
                "process": f'type = "process"\npidfile = "process{number}.pid"',
                "syntax": f'type = "syntax"\npaths = ["syntax{number}.json"]',
            }
            lines += [f"[components.{kind}{number}.checks.it]\n{text}\n{CHECK}" for kind, text in rows.items()]
        return "\n".join(lines)

    async def harm(self, kind: str) -> None:
        name = f"{kind}3"
        match kind:
            case "tcp":
                self.servers[name].close()
                await self.servers[name].wait_closed()
            case "http":
                self.sick.add(name)
            case "heartbeat":
                self.silent.add(name)
            case "process":
                self.processes[name].kill()
                self.processes[name].wait()
            case "syntax":
                self.file(name).write_text("[1, 2,")

    async def heal(self, kind: str) -> None:
        name = f"{kind}3"
        match kind:
            case "tcp":
                await self.listen(name)
            case "http":
                self.sick.clear()
            case "heartbeat":
                self.silent.clear()
                self.beat()
            case "process":
                self.run(name)
            case "syntax":
                self.file(name).write_text("[1, 2, 3]\n")

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()


async def _beats(stack: Stack) -> None:
    while True:
        await asyncio.sleep(60)
        stack.beat()


async def main(folder: Path) -> int:
    os.chdir(folder)
    stack = Stack(folder)
    await stack.start()
    (folder / "lifesign.toml").write_text(stack.config())
    argv = [sys.executable, "-m", "lifesign", "run", "-c", "lifesign.toml", "--log-file", "events.jsonl"]
    daemon = await asyncio.create_subprocess_exec(*argv, stdin=subprocess.DEVNULL)
    beats = asyncio.create_task(_beats(stack))
    began_s = time.monotonic()
    with (folder / "truth.jsonl").open("w", encoding="utf-8", buffering=1) as truth:

        def note(kind: str, what: str) -> None:
            truth.write(json.dumps({"component": f"{kind}3", "what": what, "at": time.time()}) + "\n")

        deeds = sorted(
            [(minute, "harm", kind) for kind, minute, _ in PLAN]
            + [(minute + lasts, "heal", kind) for kind, minute, lasts in PLAN]
        )
        for minute, what, kind in deeds:
            await asyncio.sleep(max(0.0, began_s + minute * 60 - time.monotonic()))
            note(kind, what)
            await (stack.harm(kind) if what == "harm" else stack.heal(kind))
        await asyncio.sleep(max(0.0, began_s + (HOURS + 0.1) * 3_600 - time.monotonic()))
    beats.cancel()
    daemon.send_signal(signal.SIGTERM)
    code = await daemon.wait()
    stack.stop()
    return code


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
