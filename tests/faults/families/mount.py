"""A FUSE file system whose server never answers, mounted over the folder of a heartbeat."""

import os
import subprocess
import sys
from pathlib import Path

from tests.faults.families.heartbeat_file import HeartbeatFile

_SILENT = """
import ctypes, os, sys
point, libc = sys.argv[1], ctypes.CDLL(None, use_errno=True)
server = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={server},rootmode=40000,user_id=0,group_id=0".encode()
failed = libc.mount(b"silent", point.encode(), b"fuse.silent", 0, options)
print(os.strerror(ctypes.get_errno()) if failed else "mounted", flush=True)
sys.stdin.read()
"""


class Mounted(HeartbeatFile):
    """A heartbeat in a folder that something can be mounted over."""

    proof = True
    needs_root = True
    programs = ("umount",)

    def config(self, folder: Path) -> str:
        self.point = folder / "point"
        self.point.mkdir()
        self.server: subprocess.Popen[bytes] | None = None
        return super().config(self.point)

    def inject(self) -> None:
        command = [sys.executable, "-I", "-S", "-c", _SILENT, str(self.point)]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.server.stdout is not None
        assert self.server.stdout.readline() == b"mounted\n"

    def end_server(self) -> None:
        """Ends the file system's server; what hung in it comes free."""
        if self.server is not None:
            self.server.communicate()

    def heal(self) -> None:
        self.close()
        super().heal()

    def close(self) -> None:
        if self.server is not None:
            self.end_server()
            subprocess.run(["umount", "--lazy", str(self.point)], check=True)
            self.server = None

    @classmethod
    def missing(cls) -> str:
        return super().missing() or ("" if os.access("/dev/fuse", os.R_OK | os.W_OK) else "needs /dev/fuse")
