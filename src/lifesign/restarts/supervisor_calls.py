"""Talking to Supervisor over XML-RPC, run as a disposable child: a reader of JSON on stdin, a writer of JSON on stdout.

`python -I -S supervisor_calls.py`. The question is `{"server", "program", "expected_pid", "patience_s", "escalate_s"}`;
without `expected_pid` nothing is changed. The answer has `info` (as getProcessInfo gives it), or `done`, `refused`,
`failed` or `unreachable` in words. Standard library only; the password comes over stdin, so that it is in no argument
list.

A restart sends the program's stop signal and lets Supervisor start it anew; so it never looks stopped by hand, even
where we die in the midst of it. Only a program whose whole process group is to be stopped needs stop and start.
"""

import base64
import http.client
import json
import signal
import socket
import sys
import time
import xmlrpc.client
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.parsers.expat import ExpatError

CALL_TIMEOUT_S = 10.0
_POLL_S = 0.1
_HUMAN_STOP, _AT_WORK, _DOWN = ("STOPPED",), ("STARTING", "BACKOFF", "STOPPING"), ("EXITED", "FATAL")
_ALREADY_STARTED, _NOT_RUNNING, _BAD_NAME = 60, 70, 10


class RefusedError(Exception):
    """Nothing was done, in a sentence."""


class FailedError(Exception):
    """Something was done and failed, in a sentence."""


class _Connection(http.client.HTTPConnection):
    """HTTP over the UNIX socket at `path`."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=CALL_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(CALL_TIMEOUT_S)
        self.sock.connect(self._path)


class _Transport(xmlrpc.client.Transport):
    """One connection over a UNIX socket or TCP, with a time limit on every step."""

    def __init__(self, server: str) -> None:
        url = urlsplit(server)
        user = f"{unquote(url.username or '')}:{unquote(url.password or '')}"
        token = base64.b64encode(user.encode()).decode("ascii")
        super().__init__(headers=[("Authorization", f"Basic {token}")] if url.username else [])
        self._url = url

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        known = self._connection[1]
        if known is None:
            known = self._connect()
            self._connection = host, known
        return known

    def _connect(self) -> http.client.HTTPConnection:
        if self._url.scheme == "unix":
            return _Connection(self._url.path)
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        return kind(self._url.hostname or "localhost", self._url.port, timeout=CALL_TIMEOUT_S)


class Supervisor:
    """One program of one Supervisor."""

    def __init__(self, server: str, program: str) -> None:
        self._proxy = xmlrpc.client.ServerProxy("http://localhost/RPC2", _Transport(server))
        self._calls: Any = self._proxy.supervisor
        self._program = program

    def close(self) -> None:
        """Ends the connection."""
        self._proxy("close")()

    def info(self) -> dict[str, Any]:
        """As getProcessInfo gives it."""
        found = self._calls.getProcessInfo(self._program)
        if not isinstance(found, dict):
            raise RefusedError("its answer is none that Supervisor gives")
        return found

    def stop(self, info: dict[str, Any]) -> bool:
        """Asks the program to end. True where it has to be started again by us, because Supervisor was told to stop."""
        config = self._config(info)
        if not config or config.get("killasgroup", True):
            self._calls.stopProcess(self._program, False)
            return True
        self._calls.signalProcess(self._program, str(config.get("stopsignal", int(signal.SIGTERM))))
        return False

    def _config(self, info: dict[str, Any]) -> dict[str, Any]:
        name = (info.get("group"), info.get("name"))
        configs = self._calls.getAllConfigInfo()
        return next((found for found in configs if (found.get("group"), found.get("name")) == name), {})

    def kill(self) -> None:
        """SIGKILL by Supervisor, to its own child."""
        self._calls.signalProcess(self._program, str(int(signal.SIGKILL)))

    def start(self) -> None:
        """Starts it, unless Supervisor did so itself meanwhile."""
        try:
            self._calls.startProcess(self._program, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != _ALREADY_STARTED:
                raise


def refusal(info: dict[str, Any]) -> str:
    """Why the program is left alone, in words that follow its name; empty where a restart may be made."""
    state = str(info.get("statename"))
    if state in _HUMAN_STOP:
        return "was stopped by somebody (or never started), so it is left alone"
    if state in _AT_WORK:
        return f"is {state}: Supervisor is already at work on it"
    return "" if state == "RUNNING" or state in _DOWN else f"is in the state {state}, so it is left alone"


def restart(supervisor: Supervisor, expected_pid: int, patience_s: float, escalate_s: float | None) -> str:
    """From its stop to its new process; words of what was done. Raises RefusedError, FailedError."""
    info = supervisor.info()
    reason = refusal(info)
    if reason:
        raise RefusedError(reason)
    if info["pid"] != expected_pid:
        raise RefusedError(f"has another process by now (pid {info['pid']}), so it was restarted already")
    is_stopped_by_us = supervisor.stop(info) if expected_pid else False
    began, killed, is_started = time.monotonic(), "", False
    while (elapsed_s := time.monotonic() - began) < patience_s:
        info = supervisor.info()
        if info["pid"] and info["pid"] != expected_pid:
            return f"pid {info['pid']}{killed}"
        if info["pid"] and escalate_s is not None and elapsed_s > escalate_s and not killed:
            supervisor.kill()
            killed = f", SIGKILL after {escalate_s:g} s"
        is_started = _start_where_due(supervisor, info, is_started, is_stopped_by_us)
        time.sleep(_POLL_S)
    rest = "no SIGKILL without `escalate`" if escalate_s is None else "not even by SIGKILL"
    if info["pid"]:
        raise FailedError(f"did not end in {patience_s:g} s ({rest})")
    raise FailedError(f"has no new process after {patience_s:g} s (it is {info['statename']})")


def _start_where_due(supervisor: Supervisor, info: dict[str, Any], is_started: bool, is_stopped_by_us: bool) -> bool:
    """Starts what is down, once. Whether it was started by now."""
    state = info["statename"]
    if state in _HUMAN_STOP and not is_stopped_by_us:
        raise RefusedError("was stopped by somebody meanwhile, so it is left alone")
    if state not in (*_HUMAN_STOP, *_DOWN):
        return is_started
    if is_started:
        raise FailedError(f"ended again right after its start (exit status {info['exitstatus']})")
    supervisor.start()
    return True


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """The answer to one question."""
    supervisor = Supervisor(question["server"], question["program"])
    expected_pid = question.get("expected_pid")
    try:
        if expected_pid is None:
            return {"info": supervisor.info()}
        return {"done": restart(supervisor, expected_pid, question["patience_s"], question.get("escalate_s"))}
    except RefusedError as error:
        return {"refused": str(error)}
    except FailedError as error:
        return {"failed": str(error)}
    except xmlrpc.client.Fault as fault:
        if fault.faultCode == _BAD_NAME:
            return {"refused": "is unknown to Supervisor"}
        if fault.faultCode == _NOT_RUNNING:
            return {"refused": "ended by itself"}
        return {"failed": f"could not be restarted: {fault.faultString} (fault {fault.faultCode})"}
    except xmlrpc.client.ProtocolError as error:
        reason = "it wants another user and password" if error.errcode == 401 else f"HTTP status {error.errcode}"
        return {"unreachable": reason}
    except OSError as error:
        return {"unreachable": error.strerror or str(error) or "no answer"}
    except (xmlrpc.client.Error, http.client.HTTPException, ExpatError, ValueError, KeyError, TypeError) as error:
        return {"unreachable": f"its answer is none that Supervisor gives ({type(error).__name__})"}
    finally:
        supervisor.close()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # half a restart is worse than a late end; SIGKILL still works
    sys.stdout.write(json.dumps(answer(json.load(sys.stdin)), default=str))
