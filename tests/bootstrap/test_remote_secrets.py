"""A secret on a mount that may hang is read beside the loop: who needs it gets the last one, and never hangs."""

import asyncio
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lifesign.bootstrap.remote_secrets import RemoteSecrets
from lifesign.config import Secret, SecretError
from lifesign.config.secret import READ_BESIDE
from tests.checks.test_mounts import HANG, in_a_mount_namespace, needs_mounts


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    READ_BESIDE.clear()


def written(folder: Path, name: str, text: str) -> Secret:
    (folder / name).write_text(text)
    (folder / name).chmod(0o600)
    return Secret("file", str(folder / name))


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(4000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("in vain for forty seconds")


def test_on_a_local_disk_it_is_read_when_it_is_needed(tmp_path: Path) -> None:
    token = written(tmp_path, "token", "first")
    RemoteSecrets([token, Secret("env", "HOME")], ["first", "/root"], may_hang=lambda path: False)
    written(tmp_path, "token", "second")
    assert token.reveal() == "second"


async def test_on_one_that_may_hang_the_last_one_read_counts_and_is_read_anew_beside(tmp_path: Path) -> None:
    token, again = written(tmp_path, "token", "first"), Secret("file", str(tmp_path / "token"))
    remote = RemoteSecrets([token], ["first"], may_hang=lambda path: True, every_s=0.01)
    written(tmp_path, "token", "second")
    assert (token.reveal(), again.reveal()) == ("first", "first"), "whoever names the same place"
    running = asyncio.create_task(remote.run())
    await until(lambda: token.reveal() == "second")
    (tmp_path / "token").unlink()
    await until(lambda: READ_BESIDE[token] != "second")
    running.cancel()
    with pytest.raises(SecretError, match=r"cannot read the secret file .*: No such file"):
        again.reveal()
    remote.follow([], [])
    assert not READ_BESIDE, "of another config nothing is known"


@needs_mounts
def test_one_that_hangs_by_now_is_what_it_was_and_one_never_read_is_refused_while_the_loop_runs_on(
    tmp_path: Path,
) -> None:
    point = tmp_path / "nas"
    point.mkdir()
    script = """
    from lifesign.bootstrap import remote_secrets
    from lifesign.config import Secret, SecretError
    remote_secrets.TIMEOUT_S = 0.5
    async def main():
        known, new = Secret("file", f"{point}/known"), Secret("file", f"{point}/new")
        remote = remote_secrets.RemoteSecrets([known], ["as it was"], every_s=0.05)
        remote._secrets = (known, new)
        running, ticks = asyncio.ensure_future(remote.run()), 0
        while new not in remote_secrets.READ_BESIDE:
            await asyncio.sleep(0.01)
            ticks += 1
        print(ticks > 5, known.reveal())
        try:
            new.reveal()
        except SecretError as error:
            print(str(error).replace(point, ""))
        running.cancel()
    asyncio.run(main())
    """
    lines = in_a_mount_namespace(HANG + textwrap.dedent(script), point, point)
    assert lines[1] == "True as it was"
    assert lines[2] == "the secret file /new: the file system of /new does not answer"
