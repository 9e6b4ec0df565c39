"""One world a test and a dialect."""

from collections.abc import AsyncIterator

import pytest

from tests.alerts.dialects import DIALECTS, World, world_of


@pytest.fixture(params=DIALECTS)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with world_of(request.param) as made:
        yield made
