"""Who is answered and who is not: hosts, origins, tokens, uids; and the socket as a file."""

import asyncio
import json
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from lifesign.api import unix_door
from lifesign.api.address import POINTER_NAME, prepare_socket_path, socket_path
from lifesign.api.journal import Journal
from lifesign.api.security import TcpListener, UnixListener, bearer, is_loopback, is_same_origin, read_peer
from lifesign.api.server import ApiServer
from lifesign.api.sockets import SocketInUseError, bind_unix_socket
from tests.api.another_user import as_somebody_else
from tests.api.fakes import FakeBackend
from tests.api.serving import TOKEN, serving
from tests.e2e.running import wait_until

PROBE = "/api/v1/components/gateway/probe"
BEAT = "/api/v1/components/gateway/beat"
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:1", "127.0.0.1:80"])
async def test_our_own_hosts_are_answered(tmp_path: Path, host: str) -> None:
    async with serving(tmp_path) as served:
        assert (await served.tcp("GET", "/api/health/status", Host=host))[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "evil:127.0.0.1"]
)
@pytest.mark.parametrize("path", ["/api/health/ready", "/api/health/status", "/api/v1/state", "/none"])
async def test_a_forged_host_is_refused_on_every_route(tmp_path: Path, host: str, path: str) -> None:
    async with serving(tmp_path) as served:
        status, headers, body = await served.tcp("GET", path, Host=host)
        assert (status, headers["Content-Type"]) == (403, "application/problem+json")
        assert "gateway" not in json.dumps(body)


async def test_a_request_without_a_host_or_with_two_is_not_answered(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        for head in (
            b"GET /api/v1/state HTTP/1.0\r\n\r\n",
            b"GET /api/v1/state HTTP/1.1\r\nHost: localhost\r\nHost: x\r\n\r\n",
        ):
            sock = served.raw(tcp=True)
            sock.sendall(head)
            answer = await asyncio.to_thread(sock.recv, 65536)
            assert answer.split()[1] in {b"400", b"403"}
            assert b"gateway" not in answer


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "file://", "http://localhost"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "HEAD"])
async def test_a_foreign_origin_is_refused_on_every_method(tmp_path: Path, origin: str, method: str) -> None:
    async with serving(tmp_path) as served:
        path = PROBE if method == "POST" else "/api/v1/state"
        status, headers, _ = await served.tcp(method, path, Origin=origin, Authorization=f"Bearer {TOKEN}")
        assert status == 403
        assert not any(name.lower().startswith("access-control") for name in headers)
        assert served.backend.probed == []


async def test_a_page_of_our_own_is_no_foreign_origin(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        own = f"http://127.0.0.1:{served.port}"
        assert (await served.tcp("GET", "/api/v1/state", Origin=own))[0] == 200


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Bearer ", "Basic Y29ycmVjdA==", TOKEN, "Bearer é"])
async def test_an_action_over_tcp_needs_the_token(tmp_path: Path, authorization: str | None) -> None:
    async with serving(tmp_path) as served:
        given = {} if authorization is None else {"Authorization": authorization}
        for action in ("probe", "restart", "silence"):
            status, headers, _ = await served.tcp("POST", f"/api/v1/components/gateway/{action}", **given)
            assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
        assert served.backend.probed == []
        assert (await served.tcp("POST", PROBE, Authorization=f"Bearer {TOKEN}"))[0] == 200
        assert served.backend.probed == [("gateway", "somebody over TCP")]


async def test_without_a_token_in_the_config_nobody_acts_over_tcp(tmp_path: Path) -> None:
    async with serving(tmp_path, token=None) as served:
        for given in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
            status, _, body = await served.tcp("POST", PROBE, **given)
            assert status == 403
            assert "set [http] token" in body["detail"]
        assert (await served.tcp("GET", "/api/v1/state"))[0] == 200


async def test_a_push_checks_token_is_good_for_its_beats_and_for_nothing_else(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.push_token = "for-beats-only"
        own = {"Authorization": "Bearer for-beats-only"}
        assert (await served.tcp("POST", BEAT, **own))[0] == 200
        assert len(served.backend.pushed) == 1
        assert (await served.tcp("POST", PROBE, **own))[0] == 401
        for other in ("other", "none-such"):
            assert (await served.tcp("POST", f"/api/v1/components/{other}/beat", **own))[0] == 401
        assert (await served.tcp("POST", BEAT, Authorization="Bearer wrong"))[0] == 401
        for empty in ({}, {"Authorization": "Bearer "}):
            served.backend.push_token = ""
            assert (await served.tcp("POST", BEAT, **empty))[0] == 401
        assert (await served.tcp("POST", BEAT, Authorization=f"Bearer {TOKEN}"))[0] == 200
        assert len(served.backend.pushed) == 2


async def test_off_loopback_only_health_is_told_without_the_token_and_of_it_overall_alone(tmp_path: Path) -> None:
    async with serving(tmp_path, host="0.0.0.0") as served:
        assert (await served.tcp("GET", "/api/health/ready"))[0] == 200
        status, _, body = await served.tcp("GET", "/api/health/status")
        assert (status, body) == (200, {"overall": "healthy"})
        for path in ("/api/v1/state", "/api/v1/events", "/api/v1/openapi.json", "/api/health/status/gateway"):
            assert (await served.tcp("GET", path))[0] == 401
            assert (await served.tcp("GET", path, Authorization=f"Bearer {TOKEN}"))[0] == 200
        _, _, body = await served.tcp("GET", "/api/health/status", Authorization=f"Bearer {TOKEN}")
        assert body["components"][0]["name"] == "gateway"


async def test_off_loopback_without_a_token_nothing_is_opened() -> None:
    server = ApiServer(FakeBackend(), Journal())
    with pytest.raises(ValueError, match=r"set \[http\] token"):
        await server.start_tcp("0.0.0.0", 0)
    await server.close()


def test_hosts_origins_and_tokens_are_read_strictly() -> None:
    listener = TcpListener("t", frozenset({"::1", "box.example", "named:80"}))
    assert all(listener.serves_host(host) for host in ("[::1]", "[::1]:5199", "box.example:1", "named:80"))
    assert not any(listener.serves_host(host) for host in ("[::2]", "named:81", "box.example:x", "a:b:c", "::2"))
    assert is_same_origin("HTTP://Box:1", "box:1")
    assert not is_same_origin("box:1", "box:1")
    assert not is_same_origin("ftp://box", "box")
    assert [bearer(text) for text in ("bearer a", "Bearer  b ", "Bearer", "a", None)] == ["a", "b", None, None, None]
    assert [is_loopback(text) for text in ("127.9.9.9", "::1", "0.0.0.0", "::", "192.168.0.1", "x")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]


async def test_the_socket_is_the_owners_alone_from_its_first_moment(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        sock, _ = bind_unix_socket(tmp_path / "s")
        sock.close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600


@needs_root
async def test_the_socket_of_a_group_is_open_to_that_group(tmp_path: Path) -> None:
    sock, _ = bind_unix_socket(tmp_path / "s", 54321)
    sock.close()
    found = (tmp_path / "s").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o660, 54321)


async def test_the_socket_of_a_dead_daemon_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "lifesign.sock"))
    async with serving(tmp_path) as served:
        assert await asyncio.to_thread(served.client.ready)
    assert not (tmp_path / "lifesign.sock").exists()


async def test_the_socket_of_a_live_daemon_is_refused_and_left_to_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        second = ApiServer(FakeBackend(), Journal())
        with pytest.raises(SocketInUseError, match="another lifesign serves"):
            await second.start_unix(served.socket_path)
        await second.close()
        assert await asyncio.to_thread(served.client.ready)


async def test_a_file_in_the_place_of_the_socket_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep")
    (tmp_path / "s").symlink_to(tmp_path / "precious")
    for path in (tmp_path / "precious", tmp_path / "s"):
        with pytest.raises(SocketInUseError, match="in the way"):
            bind_unix_socket(path)
    assert (tmp_path / "precious").read_text() == "keep"


async def test_a_socket_that_another_daemon_took_over_is_not_removed_at_our_end(tmp_path: Path) -> None:
    server = ApiServer(FakeBackend(), Journal())
    await server.start_unix(tmp_path / "s")
    (tmp_path / "s").unlink()
    other, _ = bind_unix_socket(tmp_path / "s")
    await server.close()
    assert (tmp_path / "s").exists()
    other.close()


async def _is_answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"GET /api/health/ready HTTP/1.1\r\nHost: x\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    [length] = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    await reader.readexactly(int(length))
    return head.startswith(b"HTTP/1.1 200")


async def test_a_socket_that_was_taken_away_is_made_anew_and_who_is_connected_stays_so(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        assert not served.server.has_lost_its_socket
        connected = await asyncio.open_unix_connection(served.socket_path)
        assert await _is_answered(*connected)
        served.socket_path.unlink()
        assert served.server.has_lost_its_socket
        await served.server.reopen_unix()
        assert not served.server.has_lost_its_socket
        assert stat.S_IMODE(served.socket_path.stat().st_mode) == 0o600
        assert await asyncio.to_thread(served.client.ready)
        assert await _is_answered(*connected)
        connected[1].close()
    assert not served.socket_path.exists()


async def test_a_socket_that_is_made_anew_as_we_end_is_taken_away_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, free = threading.Event(), threading.Event()

    def slowly(path: Path, group_id: int | None) -> tuple[socket.socket, int]:
        begun.set()
        free.wait(60)
        return bind_unix_socket(path, group_id)

    async with serving(tmp_path) as served:
        served.socket_path.unlink()
        monkeypatch.setattr(unix_door, "bind_unix_socket", slowly)
        opening = asyncio.create_task(served.server.reopen_unix())
        assert await asyncio.to_thread(begun.wait, 60)
        opening.cancel()
        await asyncio.wait([opening])
        free.set()
        await asyncio.to_thread(wait_until, lambda: not served.server.has_lost_its_socket, "the socket made anew")
        assert served.socket_path.exists()
        await served.server.close()
        assert not served.socket_path.exists()


async def test_a_socket_that_another_daemon_took_over_is_lost_and_left_to_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        ours = tmp_path / "ours"
        ours.hardlink_to(served.socket_path)
        served.socket_path.unlink()
        other, inode = bind_unix_socket(served.socket_path)
        with other:
            assert served.server.has_lost_its_socket
            with pytest.raises(SocketInUseError, match="another lifesign serves"):
                await served.server.reopen_unix()
            assert served.socket_path.stat().st_ino == inode
            ours.rename(served.socket_path)  # stands for its next socket, whose file gets the inode that was ours
            assert served.server.has_lost_its_socket
            await served.server.close()
            assert served.socket_path.exists()


def test_a_long_state_folder_gets_a_short_socket_that_the_client_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    state_dir = tmp_path / ("x" * 120)
    state_dir.mkdir()
    bound = prepare_socket_path(state_dir)
    assert len(os.fsencode(bound)) <= 107
    assert stat.S_IMODE(bound.parent.stat().st_mode) == 0o700
    assert (state_dir / POINTER_NAME).read_text() == f"{bound}\n"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert socket_path(state_dir) == bound
    assert socket_path(tmp_path) == tmp_path / "lifesign.sock"


@needs_root
def test_a_runtime_folder_that_somebody_else_made_first_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "lifesign").mkdir()
    os.chown(tmp_path / "lifesign", 65534, 65534)
    (tmp_path / ("x" * 120)).mkdir()
    with pytest.raises(PermissionError, match="not a folder of ours"):
        prepare_socket_path(tmp_path / ("x" * 120))


def test_a_group_that_we_may_not_give_a_runtime_folder_or_a_socket_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*told: object, **more: object) -> None:
        raise PermissionError(1, "Operation not permitted", *told, *more)

    monkeypatch.setattr(os, "chown", refuse)
    monkeypatch.setattr("lifesign.api.address.runtime_dir", lambda _: tmp_path / "run")
    with pytest.raises(PermissionError, match=r"socket_group: we may not give .*/run to group 54321"):
        prepare_socket_path(tmp_path / ("x" * 120), 54321)
    with pytest.raises(OSError, match=r"socket_group: we may not give .*/s to group 54321"):
        bind_unix_socket(tmp_path / "s", 54321)
    assert not (tmp_path / "s").exists()


@needs_root
async def test_another_uid_gets_nothing_even_if_the_file_lets_it_in(open_folder: Path) -> None:
    async with serving(open_folder) as served:
        assert await as_somebody_else(served.socket_path, "65534") == "permission"
        served.socket_path.chmod(0o666)
        assert await as_somebody_else(served.socket_path, "65534") == "403"


@needs_root
async def test_a_member_of_the_sockets_group_is_answered_and_nobody_else(open_folder: Path) -> None:
    server = ApiServer(FakeBackend(), Journal())
    path = open_folder / "s"
    await server.start_unix(path, "54321")
    try:
        assert await as_somebody_else(path, "65534,54321") == "200"
        assert await as_somebody_else(path, "54321") == "200"
        path.chmod(0o666)
        assert await as_somebody_else(path, "65534,54322") == "403"
    finally:
        await server.close()


async def test_the_kernel_tells_who_we_are() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        peer = read_peer(ours)
    assert peer is not None
    assert (peer.pid, peer.uid) == (os.getpid(), os.getuid())
    assert set(os.getgroups()) | {os.getgid()} == set(peer.groups)
    assert UnixListener().admits(peer)
    assert not UnixListener().admits(None)
