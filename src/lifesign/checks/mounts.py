"""Which paths lie on a file system that may stop answering: network, FUSE, automount, and any kind not known as local.

A `stat` on such a mount can block its caller for ever, so it is never made on the event loop. Not here: the look
from a disposable child (`checks.files`).
"""

import errno
import os
import re
import select
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
