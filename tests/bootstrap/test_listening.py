"""Where a daemon says it listens; and who of a group gets to its socket, through every folder on the way."""

import asyncio
import contextlib
import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from lifesign.api.address import POINTER_NAME, socket_path
from lifesign.api.journal import Journal
from lifesign.api.passage import closed_folder, let_pass
from lifesign.api.server import ApiServer
from lifesign.bootstrap.listening import Listening
from lifesign.bootstrap.state_folder import StateFolder
from tests.api.another_user import as_somebody_else
from tests.api.fakes import FakeBackend
from tests.config.writing import MINIMAL, loaded
from tests.e2e.running import wait_until

GROUP = 54321
MEMBER, STRANGER = f"65534,{GROUP}", "65534,54322"
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@contextlib.asynccontextmanager
async def listening(folder: Path) -> AsyncIterator[Path]:
    """A server as a daemon has it, open to the group; where its clients find it."""
    config = loaded(folder.parent, f'[monitor]\nstate_dir = "{folder}"\nsocket_group = "{GROUP}"\n{MINIMAL}')
    held = StateFolder(folder)
    assert held.hold() is None
    server = ApiServer(FakeBackend(), Journal())
    await Listening(server, None).start(config, held)
    try:
        yield socket_path(folder)
    finally:
        await server.close()
        held.release()


@needs_root
async def test_a_member_of_the_sockets_group_gets_into_a_state_folder_that_we_made(
    open_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(open_folder / "state") as path:
        assert await as_somebody_else(path, MEMBER) == "200"
        assert await as_somebody_else(path, STRANGER) == "permission"
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o710
        assert stat.S_IMODE((path.parent / "lock").stat().st_mode) == 0o600
    assert not caplog.messages


@needs_root
async def test_a_member_gets_to_the_short_socket_of_a_long_state_folder_too(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (open_folder / "run").mkdir(mode=0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(open_folder / "run"))
    folder = open_folder / ("x" * 120)
    async with listening(folder) as path:
        assert path.parent.parent == open_folder / "run"
        assert await as_somebody_else(path, MEMBER) == "200"
        assert await as_somebody_else(path, STRANGER) == "permission"
        assert stat.S_IMODE((folder / POINTER_NAME).stat().st_mode) == 0o644
        assert not (open_folder / "run/lifesign").exists(), "what we keep there for ourselves is not opened"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(open_folder / "shut"))
    (open_folder / "shut").mkdir(mode=0o700)
    async with listening(folder) as path:
        assert await as_somebody_else(path, MEMBER) == "200"
    with contextlib.suppress(OSError):
        path.parent.rmdir()


@needs_root
async def test_a_folder_above_that_is_shut_to_the_group_is_named(
    open_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (open_folder / "shut").mkdir(mode=0o700)
    async with listening(open_folder / "shut/state") as path:
        assert await as_somebody_else(path, MEMBER) == "permission"
    [told] = caplog.messages
    assert f"{open_folder}/shut is closed to them" in told


@needs_root
def test_a_folder_that_is_open_or_of_another_group_is_left_as_it_is(open_folder: Path) -> None:
    for mode, group, closed in ((0o755, 0, False), (0o750, 0, True), (0o701, 0, False), (0o700, 0, False)):
        folder = open_folder / f"{mode:o}"
        folder.mkdir()
        folder.chmod(mode)
        let_pass(folder, GROUP)
        found = folder.stat()
        expected = (0o710, GROUP) if mode == 0o700 else (mode, group)
        assert (stat.S_IMODE(found.st_mode), found.st_gid) == expected
        assert closed_folder(folder, GROUP) == (folder if closed else None)


async def test_only_a_socket_and_a_state_that_there_are_get_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file is in the way")
    told = []
    for listen, socket in (("", None), ('[http]\nlisten = "127.0.0.1:0"\n', None), ("", tmp_path / "own")):
        for folder in (StateFolder(tmp_path / "state"), StateFolder(tmp_path / "free")):
            folder.hold()
            server, config = ApiServer(FakeBackend(), Journal()), loaded(tmp_path, listen + MINIMAL)
            listening = Listening(server, socket)
            await listening.start(config, folder)
            told.append(listening.words)
            await server.close()
            folder.release()
    assert told == [
        "no state is kept, and no API: nobody can ask",
        f"state in {tmp_path}/free, the API on its socket",
        "no state is kept, the API on 127.0.0.1:0",
        f"state in {tmp_path}/free, the API on its socket and on 127.0.0.1:0",
        "no state is kept, the API on the console's socket",
        f"state in {tmp_path}/free, the API on the console's socket",
    ]


async def test_what_names_a_short_socket_comes_back_with_the_state_folder_though_not_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr("lifesign.bootstrap.listening.LOOKS_EVERY_S", 0.05)
    folder = StateFolder(tmp_path / ("x" * 120))
    assert folder.hold() is None
    server = ApiServer(FakeBackend(), Journal())
    listening = Listening(server, None)
    await listening.start(loaded(tmp_path, MINIMAL), folder)
    (tmp_path / "lifesign").rename(tmp_path / "aside")
    (tmp_path / "lifesign").write_text("a file is in the way")
    folder.path.rename(tmp_path / "gone")
    looking = asyncio.create_task(listening.run())
    await until(lambda: folder.made_anew == 1, "the folder")
    (tmp_path / "lifesign").unlink()
    await until((folder.path / POINTER_NAME).exists, "what names the socket")
    await until(socket_path(folder.path).is_socket, "the socket")
    looking.cancel()
    await server.close()
    folder.release()


async def until(condition: Callable[[], bool], what: str) -> None:
    await asyncio.to_thread(wait_until, condition, what)
