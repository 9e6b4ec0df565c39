"""What every program of the demo has: an end when its parent ends, and a mode in which it is broken.

Run as `python -m lifesign.demo.program ROLE FOLDER PORT`. Not here: the programs themselves (one module each), and
who breaks them (`stack`).
"""

import http.server
import json
import os
import sys
import threading
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path


class Mode(StrEnum):
    """How a program behaves. `HANG`, `STUCK` and `IDLE` look alive from outside."""

    WORK = "work"
    HANG = "hang"  # the worker: its loop stops
    HANG_ONCE = "hang once"  # the queue worker: a fresh process works again
    STUCK = "stuck"  # the worker: it beats on, the counter stands still
    SILENT = "silent"  # the gateway: it accepts and says nothing
    IDLE = "idle"  # the connector: it reconnects, and delivers nothing


class Control:
    """The mode of one program: a file in the stack's folder, read before each piece of work."""

    def __init__(self, folder: Path, role: str) -> None:
        self._path = folder / "control" / role

    def mode(self) -> Mode:
        """What the file says; `WORK` where there is none."""
        try:
            return Mode(self._path.read_text())
        except (OSError, ValueError):
            return Mode.WORK

    def set(self, mode: Mode) -> None:
        """Tells the program, in one step, so that it never reads half a word."""
        self._path.parent.mkdir(exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(mode)
        fresh.replace(self._path)


def heartbeat_path(folder: Path, role: str) -> Path:
    """Where the program of `role` writes its heartbeat."""
    return folder / "heartbeats" / f"{role}.json"


def end_with_parent() -> None:
    """Ends this process when its standard input ends, which is when the demo does, however it ends."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


class _Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.path == "/health"
        body = json.dumps({"overall": "healthy"} if known else {"error": "not found"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Silent: the demo's log is for what goes wrong."""


def health_server(port: int) -> http.server.ThreadingHTTPServer:
    """A server of `/health` on loopback, which says `healthy` whatever happens around it: as many do."""
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), _Health)


def _programs() -> dict[str, Callable[[Path, int], None]]:
    from lifesign.demo import connector, gateway, keeper, tools, worker

    return {
        "gateway": gateway.main,
        "feed": connector.main,
        "tools": tools.main,
        "keeper": keeper.main,
        "worker": worker.main,
    }


def main() -> None:
    """Becomes the program that the command line names."""
    role, folder, port = sys.argv[1:4]
    if role != "keeper":  # which ends after its worker has
        end_with_parent()
    _programs()[role](Path(folder), int(port))


if __name__ == "__main__":
    main()
