"""The console in a browser, by textual-serve: on the loopback, for whoever holds the one-time token of the printed URL.

The token is good for one visit, which gives the browser a cookie; every other request needs that cookie, a Host of ours
and, where it names one, our own Origin. Not here: the command that the browser's console runs (`cli.web`).
"""

import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

COOKIE = "lifesign"
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ConsoleServer(Server):
    """Serves `command` to one browser on `port` of the loopback; `told` is called with the URL once it listens."""

    def __init__(self, command: str, port: int, told: Callable[[str], None]) -> None:
        super().__init__(command, host="127.0.0.1", port=port, title="lifesign")
        self._token: str | None = secrets.token_urlsafe(24)
        self._session = secrets.token_urlsafe(24)
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._told = told

    @property
    def url(self) -> str:
        """Where the console is, with the token in it."""
        return f"{self.public_url}/?token={self._token}"

    def initialize_logging(self) -> None:
        """Nothing is logged: requests may hold the token."""
        logging.getLogger("textual-serve").setLevel(logging.ERROR)

    async def on_startup(self, app: web.Application) -> None:
        """Tells the URL."""
        del app
        self._told(self.url)

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = self._refusal(request)
        if refusal:
            raise web.HTTPForbidden(text=refusal)
        if self._is_first_visit(request):
            self._token = None
            answer: web.StreamResponse = web.HTTPSeeOther("/")
            answer.set_cookie(COOKIE, self._session, httponly=True, samesite="Strict", path="/")
            answer.headers.update(_HEADERS)
            return answer
        if not same(request.cookies.get(COOKIE), self._session):
            raise web.HTTPForbidden(text="open the URL that lifesign web has printed; it is good for one browser")
        return await handler(request)

    def _refusal(self, request: web.Request) -> str:
        if request.headers.getall("Host", []) not in [[host] for host in self._hosts]:
            return "this Host is not served"
        origins = request.headers.getall("Origin", [])
        if any(urlsplit(origin).netloc not in self._hosts for origin in origins):
            return "a foreign Origin is refused"
        return ""

    def _is_first_visit(self, request: web.Request) -> bool:
        return request.path == "/" and self._token is not None and same(request.query.get("token"), self._token)


def same(given: str | None, secret: str) -> bool:
    """Whether `given` is `secret`, compared in constant time."""
    return given is not None and hmac.compare_digest(given.encode(), secret.encode())
