"""Garbage that runs in circles: each goes by the clock, however often it was spared while it was in use."""

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from lifesign.bootstrap import tidying


class Circle:
    """Holds itself, as a transport of asyncio does."""

    def __init__(self) -> None:
        self.myself = self


@pytest.fixture(autouse=True)
def _only_by_the_clock() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize(("spared", "times"), [(0, 1), (1, tidying.MIDDLE_EVERY), (2, tidying.OLD_EVERY)])
async def test_garbage_of_every_age_is_collected_by_the_clock(
    monkeypatch: pytest.MonkeyPatch, spared: int, times: int
) -> None:
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) > times:
            raise asyncio.CancelledError

    monkeypatch.setattr("lifesign.bootstrap.tidying.asyncio.sleep", sleep)
    circle = Circle()
    seen = weakref.ref(circle)
    for generation in range(spared):
        gc.collect(generation)  # while it is in use
    del circle
    assert seen() is not None
    with pytest.raises(asyncio.CancelledError):
        await tidying.tidy()
    assert seen() is None
    assert slept == [tidying.EVERY_S] * (times + 1)


def test_the_old_are_walked_seldom() -> None:
    asked = [tidying.generation(times) for times in range(1, 361)]
    assert [asked.count(generation) for generation in range(3)] == [300, 54, 6], "in an hour"
