"""Which paths may hang, and that a hung one costs a verdict and nothing else."""

import ast
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from lifesign.checks.mounts import LocalFiles, MountTable, hanging_points, may_hang, parse_mountinfo

MOUNTINFO = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
30 27 0:40 / /mnt/nas rw,relatime shared:2 master:3 - nfs4 nas:/export rw,vers=4.2
31 27 0:41 / /mnt/with\040space rw - fuse.sshfs host: rw
32 27 0:42 / /mnt/auto rw - autofs systemd-1 rw
33 32 0:43 / /mnt/auto rw - ext4 /dev/vdb rw
34 27 0:44 / /mnt/new rw - kindofthefuture none rw
35 27 0:45 / /mnt/ram rw - tmpfs tmpfs rw
"""


class Fixed(MountTable):
    """A table that never changes: what the kernel says is the one thing a test cannot arrange everywhere."""

    def __init__(self, *points: Path) -> None:
        super().__init__()
        self.points = frozenset(str(point) for point in points)

    def hanging(self) -> frozenset[str]:
        return self.points


def test_network_fuse_and_unknown_kinds_may_hang_and_the_uppermost_mount_counts() -> None:
    assert hanging_points(parse_mountinfo(MOUNTINFO)) == {"/mnt/nas", "/mnt/with space", "/mnt/new"}


def test_a_root_of_any_kind_is_not_told_apart_from_ourselves() -> None:
    assert hanging_points({"/": "9p", "/x": "9p"}) == {"/x"}


def test_paths_below_a_hanging_mount_may_hang_and_their_neighbours_may_not(tmp_path: Path) -> None:
    table = Fixed(tmp_path / "nas")
    (tmp_path / "nas").mkdir()
    (tmp_path / "nas2").mkdir()
    assert may_hang(tmp_path / "nas", table)
    assert may_hang(tmp_path / "nas" / "deep" / "file", table)
    assert not may_hang(tmp_path / "nas2" / "file", table)
    assert not may_hang(tmp_path / "missing" / "nas" / "file", table)


def test_links_are_followed_to_the_hanging_mount_step_by_step(tmp_path: Path) -> None:
    table = Fixed(tmp_path / "nas")
    for folder in ("nas", "a", "b"):
        (tmp_path / folder).mkdir()
    (tmp_path / "a" / "absolute").symlink_to(tmp_path / "nas" / "file")
    (tmp_path / "a" / "relative").symlink_to("../nas")
    (tmp_path / "a" / "twice").symlink_to("relative/x")
    (tmp_path / "a" / "aside").symlink_to(tmp_path / "b")
    (tmp_path / "loop").symlink_to("loop")
    for path in ("a/absolute", "a/relative/file", "a/twice", "a/aside/../nas/file"):
        assert may_hang(tmp_path / path, table), path
    for path in ("a/aside/file", "loop", "loop/nas", "a/aside/../a"):
        assert not may_hang(tmp_path / path, table), path


needs_mounts = pytest.mark.skipif(
    os.geteuid() != 0 or not os.access("/dev/fuse", os.R_OK | os.W_OK), reason="needs root and /dev/fuse"
)

# Mounts a FUSE file system whose server, this very process, never answers a request.
HANG = """
import asyncio, ctypes, os, sys, threading, time
from pathlib import Path
from lifesign.checks import files
from lifesign.checks.heartbeat import HeartbeatProbe
from lifesign.checks.mounts import may_hang

point = sys.argv[1]
libc = ctypes.CDLL(None, use_errno=True)
before = may_hang(point)
server = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={server},rootmode=40000,user_id=0,group_id=0".encode()
if libc.mount(b"silent", point.encode(), b"fuse.silent", 0, options) != 0:
    print("no mount", os.strerror(ctypes.get_errno())); sys.exit(0)
print("may hang", before, may_hang(point), may_hang(sys.argv[2]))
"""


def in_a_mount_namespace(script: str, *arguments: str | Path) -> list[str]:
    """Lines printed by `script` in a mount namespace of its own."""
    command = ["unshare", "-m", "--propagation", "private", sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    if done.stdout.startswith("no mount"):
        pytest.skip(done.stdout)
    return done.stdout.splitlines()


@needs_mounts
def test_a_heartbeat_on_a_hung_mount_is_unknown_in_time_while_the_loop_runs_on(tmp_path: Path) -> None:
    point, link = tmp_path / "nas", tmp_path / "link"
    point.mkdir()
    link.symlink_to(point / "mind.json")
    look = """
    async def main():
        ticks = 0
        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1
        ticking = asyncio.ensure_future(tick())
        probe = HeartbeatProbe(path=Path(sys.argv[2]), timeout_s=0.5)
        for _ in range(2):
            started = time.monotonic()
            found = await probe.look(time.time_ns())
            print(found.verdict, found.message, time.monotonic() - started < 20)
        print(files.signature(Path(sys.argv[2])))
        ticking.cancel()
        print(ticks > 5)  # while two looks waited for half a second each
    asyncio.run(main())
    """
    lines = in_a_mount_namespace(HANG + textwrap.dedent(look), point, link)
    told = f"unknown the file system of {link} does not answer"
    assert lines[0] == "may hang False True True"
    assert [line.split(",")[0].removesuffix(" True") for line in lines[1:3]] == [told, told]
    assert all(line.endswith("True") for line in lines[1:3])
    assert lines[3:] == ["None", "True"]


@needs_mounts
def test_two_checks_of_one_hung_path_have_one_child_at_a_time_and_other_paths_their_own(tmp_path: Path) -> None:
    point = tmp_path / "nas"
    point.mkdir()
    look = """
    def children():
        return len(open(f"/proc/self/task/{os.getpid()}/children").read().split())

    async def most(*names):
        looks = [HeartbeatProbe(path=Path(point) / name, timeout_s=0.8).look(time.time_ns()) for name in names]
        looking, seen = asyncio.gather(*looks), 0
        while not looking.done():
            seen = max(seen, children())
            await asyncio.sleep(0.005)
        return seen, sorted(found.message.replace(point, "") for found in looking.result())

    async def main():
        print(*await most("a", "a", "a"), sep="\\n")
        print((await most("a", "b", "c"))[0], children())
    asyncio.run(main())
    """
    lines = in_a_mount_namespace(HANG + textwrap.dedent(look), point, point)
    silent = "the file system of /a does not answer"
    assert lines[1] == "1"
    assert set(ast.literal_eval(lines[2])) == {silent, f"{silent} the look at it that is under way"}
    assert lines[3] == "3 0"


@needs_mounts
def test_files_on_a_mount_that_answers_are_read_through_a_child(tmp_path: Path) -> None:
    script = """
    import asyncio, json, sys, time
    from pathlib import Path
    from lifesign.checks import mounts
    from lifesign.checks.heartbeat import HeartbeatProbe
    mounts._LOCAL = mounts._LOCAL - {"tmpfs"}
    import ctypes
    point = Path(sys.argv[1])
    if ctypes.CDLL(None).mount(b"x", bytes(point), b"tmpfs", 0, None) != 0:
        print("no mount"); sys.exit(0)
    def look(name, **more):
        found = asyncio.run(HeartbeatProbe(path=point / name, timeout_s=30, **more).look(time.time_ns()))
        print(found.verdict, found.signal.progress if found.signal else found.message.replace(str(point) + "/", "/"))
    print(mounts.may_hang(point))
    (point / "a.json").write_text(json.dumps({"timestamp": 1795299990, "cycle": 7}))
    (point / "b.jsonl").write_text(json.dumps({"timestamp": 1795299990, "cycle": 8}) + "\\nhalf")
    (point / "c.json").write_bytes(b"x" * 70000)
    (point / "l.json").symlink_to("l.json")
    for name in ("a.json", "b.jsonl", "c.json", "d.json", "l.json", "."):
        look(name)
    """
    lines = in_a_mount_namespace(script, tmp_path)
    assert lines == [
        "True",
        "ok 7",
        "ok 8",
        "fail malformed: /c.json is longer than 64 KiB",
        "fail nobody has ever written /d.json",
        "fail /l.json is a loop of symbolic links",
        f"fail {tmp_path} is a folder, not a regular file",
    ]


@needs_mounts
def test_a_reader_that_even_sigkill_cannot_end_is_followed_by_no_second_one(tmp_path: Path) -> None:
    point = tmp_path / "nas"
    point.mkdir()
    look = """
    import struct
    def serve():  # answers the greeting, then takes one request and keeps silent: now its sender cannot be killed
        unique = struct.unpack_from("<IIQ", os.read(server, 1 << 17))[2]
        greeting = struct.pack("<IIIIHHIIHHI7I", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, 0, *[0] * 7)
        os.write(server, struct.pack("<IiQ", 16 + len(greeting), 0, unique) + greeting)
        os.read(server, 1 << 17)
    threading.Thread(target=serve, daemon=True).start()

    def children():
        return len(open(f"/proc/self/task/{os.getpid()}/children").read().split())

    async def main():
        probe = HeartbeatProbe(path=Path(point) / "mind.json", timeout_s=0.6)
        for _ in range(3):
            found = await probe.look(time.time_ns())
            print(found.verdict, found.message.replace(point, ""), children())
        os.close(server)  # the mount is over: what hung in it comes free
        while children():
            await asyncio.sleep(0.01)
        print((await probe.look(time.time_ns())).message.replace(point, ""))
    asyncio.run(main())
    """
    lines = in_a_mount_namespace(HANG + textwrap.dedent(look), point, point)
    silent = "unknown the file system of /mind.json does not answer"
    assert lines[1] == f"{silent} 1"
    assert lines[2:4] == [f"{silent}, and the last reader still hangs in it 1"] * 2
    assert lines[4] == "could not read /mind.json: the file system's server is gone"


def test_a_file_is_told_at_once_unless_its_way_leads_to_a_mount_that_may_hang(tmp_path: Path) -> None:
    for folder in ("nas", "own"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text("x")
    (tmp_path / "aside").symlink_to("nas")
    (tmp_path / "own" / "link").symlink_to("../nas/file")
    (tmp_path / "own" / "bound").write_text("x")
    files = LocalFiles(Fixed(tmp_path / "nas", tmp_path / "own" / "bound"))
    found = files.status(str(tmp_path / "own" / "file"))
    assert found is not None
    assert found.st_ino == (tmp_path / "own" / "file").stat().st_ino
    for path in ("nas/file", "aside/file", "own/link", "own/bound"):
        assert files.status(str(tmp_path / path)) is None, path
    with pytest.raises(FileNotFoundError):
        files.status(str(tmp_path / "own" / "missing"))
    without = LocalFiles(Fixed()).status(str(tmp_path / "own" / "link"))
    assert without is not None
    assert without.st_ino == (tmp_path / "nas" / "file").stat().st_ino


def test_a_new_mount_is_known_to_it_within_a_moment(tmp_path: Path) -> None:
    table = Fixed()
    files, path = LocalFiles(table), tmp_path / "file"
    path.write_text("x")
    assert files.status(str(path)) is not None
    table.points = frozenset([str(tmp_path)])
    deadline = time.monotonic() + 40
    while files.status(str(path)) is not None:
        assert time.monotonic() < deadline
