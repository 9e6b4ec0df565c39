"""Which paths lie on a file system that may stop answering: network, FUSE, automount, and any kind not known as local.

A `stat` on such a mount can block its caller for ever, so it is never made on the event loop. Not here: the look
from a disposable child (`checks.files`).
"""

import errno
import os
import re
import select
import stat
import time
from collections.abc import Mapping
from pathlib import Path

# Kinds whose answers come from this kernel and its own disks. What is missing here costs a child process a look.
_LOCAL_KINDS = """
bcachefs binfmt_misc bpf btrfs cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs erofs exfat ext2 ext3 ext4
f2fs fusectl hfs hfsplus hugetlbfs iso9660 jfs minix mqueue msdos nilfs2 nsfs ntfs3 overlay pipefs proc pstore ramfs
reiserfs resctrl rootfs securityfs selinuxfs squashfs sysfs tmpfs tracefs udf vfat xfs zfs
"""
_LOCAL = frozenset(_LOCAL_KINDS.split())
_ESCAPE = re.compile(r"\\([0-7]{3})")
_MOST_LINKS = 40  # as in the kernel: more is a loop
_MOUNTINFO = "/proc/self/mountinfo"
_FRESH_NS = 20_000_000  # to ask the kernel whether mounts changed costs three times what a stat does
_KEEP_NS = 250_000_000  # how long a folder that leads to no hanging mount is trusted not to be made a link to one
_MOST_FOLDERS = 4096


def parse_mountinfo(text: str) -> dict[str, str]:
    """Mount point → file system type; of two on one point the later, which covers the other (proc(5))."""
    mounts: dict[str, str] = {}
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ", 1)[0]
        if len(fields) >= 5 and kind:
            mounts[_ESCAPE.sub(lambda found: chr(int(found[1], 8)), fields[4])] = kind
    return mounts


def hanging_points(mounts: Mapping[str, str]) -> frozenset[str]:
    """The mount points that may hang. Never `/`: our own interpreter lives there and hangs with it."""
    return frozenset(point for point, kind in mounts.items() if kind not in _LOCAL and point != "/")


class MountTable:
    """The mounts as last read; read anew only when the kernel says that they changed."""

    def __init__(self) -> None:
        self._descriptor = -1
        self._owner = 0
        self._poll = select.poll()
        self._points: frozenset[str] = frozenset()

    def hanging(self) -> frozenset[str]:
        """The mount points that may hang, as of now."""
        if self._owner != os.getpid():  # a fork shares the descriptor, and with it the notice of a change
            self._descriptor, self._owner = -1, os.getpid()
            self._poll = select.poll()
        if self._descriptor < 0:
            self._open()
            self._points = self._read()
        elif self._poll.poll(0):
            self._points = self._read()
        return self._points

    def _open(self) -> None:
        try:
            self._descriptor = os.open(_MOUNTINFO, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return  # no descriptor left: read anew each time
        self._poll.register(self._descriptor, select.POLLPRI | select.POLLERR)
        self._poll.poll(0)

    def _read(self) -> frozenset[str]:
        try:
            text = Path(_MOUNTINFO).read_bytes().decode("utf-8", "surrogateescape")
        except OSError:
            return self._points
        return hanging_points(parse_mountinfo(text))


_TABLE = MountTable()


def may_hang(path: str | Path, table: MountTable = _TABLE) -> bool:
    """Whether to touch `path` could block for ever. Itself touches only what cannot."""
    points = table.hanging()
    return bool(points) and _leads_into(os.path.join(os.getcwd(), path), points)  # noqa: PTH109, PTH118 - text only


def _leads_into(path: str, points: frozenset[str]) -> bool:
    pending = path.split("/")[::-1]
    position, links = "", 0
    while pending:
        part = pending.pop()
        if part in ("", "."):
            continue
        if part == "..":
            position = position.rpartition("/")[0]
            continue
        step = f"{position}/{part}"
        if step in points:
            return True
        try:
            target = os.readlink(step)  # noqa: PTH115 - one system call, and the text as it stands
        except OSError as error:
            if error.errno != errno.EINVAL:  # missing or forbidden: the kernel gets no further either
                return False
            position = step
            continue
        links += 1
        if links > _MOST_LINKS:
            return False
        pending.extend(target.split("/")[::-1])
        if target.startswith("/"):
            position = ""
    return False


class LocalFiles:
    """The status of files, again and again, where that blocks nobody."""

    def __init__(self, table: MountTable = _TABLE) -> None:
        self._table = table
        self._points: frozenset[str] = frozenset()
        self._fresh_until_ns = 0
        self._folders: dict[str, int] = {}

    def status(self, path: str) -> os.stat_result | None:
        """As `os.stat` gives it. None where it might block, and for a link while any mount may hang.

        `path` is absolute. Raises OSError, and ValueError for a path with a NUL.
        """
        now_ns = time.monotonic_ns()
        if now_ns >= self._fresh_until_ns:
            self._ask(now_ns)
        if not self._points:
            return os.stat(path)  # noqa: PTH116 - thousands of files a second
        if path in self._points or not self._is_local(path.rpartition("/")[0], now_ns):
            return None
        status = os.lstat(path)
        return None if stat.S_ISLNK(status.st_mode) else status

    def may_hang(self, path: str | Path) -> bool:
        """What `may_hang` tells, of mounts as they were a moment ago; costs nothing while none of them may hang."""
        now_ns = time.monotonic_ns()
        if now_ns >= self._fresh_until_ns:
            self._ask(now_ns)
        return bool(self._points) and _leads_into(os.path.join(os.getcwd(), path), self._points)  # noqa: PTH109, PTH118

    def _ask(self, now_ns: int) -> None:
        points = self._table.hanging()
        if points is not self._points:
            self._folders.clear()
        self._points, self._fresh_until_ns = points, now_ns + _FRESH_NS

    def _is_local(self, folder: str, now_ns: int) -> bool:
        if now_ns < self._folders.get(folder, 0):
            return True
        if _leads_into(folder, self._points):
            return False
        if len(self._folders) >= _MOST_FOLDERS:
            self._folders.clear()
        self._folders[folder] = now_ns + _KEEP_NS
        return True


LOCAL = LocalFiles()
