"""A network of its own: the monitor in one namespace, a host with a server in another, a virtual cable between.

Nothing of the machine's own network is touched.
"""

import subprocess
import sys
from pathlib import Path

from tests.faults.recipe import Recipe, component

_IDLE = """
import sys
print("ready", flush=True)
sys.stdin.read()
"""
_HOST = """
import socket, sys
print("ready", flush=True)
sys.stdin.readline()
listener = socket.create_server(("", 7000))
print("ready", flush=True)
while True:
    listener.accept()[0].close()
"""


class Namespace:
    """A network namespace that lives as long as a process of `code` in it. It begins with that process's word."""

    def __init__(self, code: str) -> None:
        command = ["unshare", "--net", sys.executable, "-I", "-S", "-c", code]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.enter = ["nsenter", "-t", str(self._process.pid), "-n"]
        self.pid = self._process.pid
        self.hear()

    def hear(self) -> None:
        """Waits for the process's next word."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def say(self) -> None:
        """Lets the process go on."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")
        self._process.stdin.flush()

    def run(self, *words: str) -> None:
        """Runs a command in it, which must succeed."""
        done = subprocess.run([*self.enter, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}: {done.stderr}"

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


class Host(Recipe):
    """A server on another host."""

    batch = "hosts"
    proof = True
    needs_root = True
    programs = ("ip", "nft", "nsenter", "unshare")

    def config(self, folder: Path) -> str:
        self.here, self.there = Namespace(_IDLE), Namespace(_HOST)
        cable = ("type", "veth", "peer", "name", "cable", "netns", str(self.there.pid))
        self.here.run("ip", "link", "add", "cable", *cable)
        for end, number in ((self.here, 1), (self.there, 2)):
            end.run("ip", "address", "add", f"198.51.100.{number}/30", "dev", "cable")
            end.run("ip", "link", "set", "cable", "up")
            end.run("ip", "link", "set", "lo", "up")
        self.there.say()
        self.there.hear()
        return component(self.name, 'type = "tcp"\naddress = "198.51.100.2:7000"')

    def prefix(self) -> list[str]:
        return self.here.enter

    def close(self) -> None:
        self.here.end()
        self.there.end()
