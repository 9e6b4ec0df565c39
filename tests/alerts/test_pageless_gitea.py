"""A small server of somebody's own that answers like Gitea and knows no pages: the same list whatever is asked for."""

from aiohttp import web

from lifesign.alerts.gitea import Gitea

ISSUE = {"number": 7, "state": "open", "body": "", "labels": [{"id": 3, "name": "watchdog"}], "html_url": ""}


async def test_a_list_that_is_the_same_on_every_page_is_read_once() -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        if request.path.endswith("/labels"):
            return web.json_response([{"id": 3, "name": "watchdog"}])
        return web.json_response([ISSUE] if request.query.get("state") == "open" else [])

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    forge = Gitea(
        url=f"http://127.0.0.1:{port}",
        repo="team/nexus",
        token=lambda: "t",
        labels=["watchdog"],
        assignees=[],
        tell=lambda _: None,
    )
    try:
        assert [issue.number for issue in await forge.issues("2026-11-28T00:00:00.000Z")] == [7]
    finally:
        await forge.close()
        await runner.cleanup()
    assert len(asked) < 10
