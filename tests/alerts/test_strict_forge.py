"""The strict servers are strict: what no description names is refused, whoever asks."""

import aiohttp
import pytest

from tests.alerts.dialects import DIALECTS
from tests.alerts.strict_forge import StrictForge
from tests.alerts.strict_gitea import StrictGitea
from tests.alerts.strict_github import StrictGitHub


async def refused(server: StrictForge, forge_path: str, body: dict[str, object]) -> int:
    """What the server answers to that, asked as its own description wants to be asked."""
    scheme = "Bearer" if isinstance(server, StrictGitHub) else "token"
    headers = {"Authorization": f"{scheme} {server.token}", "X-GitHub-Api-Version": "2022-11-28"}
    headers["Accept"] = "application/vnd.github+json"
    url = f"{server.url}{server.prefix}/repos/team/nexus{forge_path}"
    async with aiohttp.ClientSession() as session, session.post(url, json=body, headers=headers) as answer:
        return answer.status


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_server_itself_refuses_what_no_description_names(dialect: str) -> None:
    server = DIALECTS[dialect]()
    await server.start()
    try:
        assert await refused(server, "/issues", {"title": "t", "labels": [], "assignees": ["oncall"]}) == 201
        assert await refused(server, "/issues", {"body": "no title"}) == 422
        assert await refused(server, "/issues", {"title": "t", "priority": 1}) == 422
        assert await refused(server, "/issues", {"title": "t", "assignees": "oncall"}) == 422
        names = 422 if isinstance(server, StrictGitea) else 201
        assert await refused(server, "/issues", {"title": "t", "labels": ["watchdog"]}) == names
        assert await refused(server, "/labels", {"name": "x", "color": "#b3161b"}) == (201 if names == 422 else 422)
        assert await refused(server, "/milestones/1/x", {}) == 404
        assert len(server.complaints) == 5
    finally:
        await server.stop()
