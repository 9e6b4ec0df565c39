"""What goes on beside the watch outlives its own bugs."""

import asyncio

import pytest

from lifesign.bootstrap.beside import begin_beside


async def test_what_dies_is_told_and_begins_anew_and_what_ends_has_ended(caplog: pytest.LogCaptureFixture) -> None:
    begun: list[str] = []

    async def dies_twice() -> None:
        begun.append("dies")
        if len(begun) < 3:
            raise RuntimeError("a bug of ours")

    async with asyncio.timeout(40):
        await asyncio.gather(*begin_beside([dies_twice], anew_s=0.001))
    assert begun == ["dies"] * 3
    assert caplog.text.count("dies_twice died and begins anew") == 2


async def test_what_is_cancelled_does_not_begin_anew() -> None:
    begun = 0

    async def waits() -> None:
        nonlocal begun
        begun += 1
        await asyncio.Event().wait()

    (task,) = begin_beside([waits], anew_s=0.001)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert begun == 1
