"""The console in a browser, by textual-serve: on the loopback, for whoever holds the one-time token of the printed URL.

The token is good for one visit, which gives the browser a cookie; every other request needs that cookie, a Host of ours
and, where it names one, our own Origin. The page is ours: that of textual-serve asks another host for a font. Not here:
one browser's console (`served_session`), the command that it runs (`cli.web`).
"""

import asyncio
import hmac
import logging
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable
from importlib.resources import files
from string import Template
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server, to_int

from lifesign.tui.served_session import Session

_PAGE = "served.html"
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# xterm.js lays out its cells by style elements that it makes itself.
_POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def listening(port: int) -> socket.socket:
    """A socket that listens on `port` of the loopback, or on a free one where that is 0. Raises OSError."""
    return socket.create_server(("127.0.0.1", port))


class ConsoleServer(Server):
    """Serves `command` to one browser on `listener`; `told` is called with the URL once that is served."""

    def __init__(self, command: str, listener: socket.socket, told: Callable[[str], None]) -> None:
        port = listener.getsockname()[1]
        super().__init__(command, host="127.0.0.1", port=port, title="lifesign")
        self._listener = listener
        self._token: str | None = secrets.token_urlsafe(24)
        self._session = secrets.token_urlsafe(24)
        self._cookie = f"lifesign-{port}"  # a browser's cookies know no port
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._told = told
        self._open: set[web.WebSocketResponse] = set()
        self._leaving = asyncio.Lock()

    @property
    def url(self) -> str:
        """Where the console is, with the token in it."""
        return f"{self.public_url}/?token={self._token}"

    def serve(self, debug: bool = False) -> None:
        """Serves until SIGINT, SIGTERM or SIGHUP. Nothing is logged: requests may hold the token."""
        del debug
        logging.getLogger("textual-serve").setLevel(logging.ERROR)
        loop = asyncio.new_event_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.request_exit)
        web.run_app(
            self._make_app(),
            sock=self._listener,
            access_log=None,
            handle_signals=False,
            loop=loop,
            print=lambda *_: self._told(self.url),
        )

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        app.on_response_prepare.append(self._dress)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Nothing is told before it listens."""

    async def on_shutdown(self, app: web.Application) -> None:
        """Every console ends with its server."""
        del app
        for open_socket in tuple(self._open):
            await open_socket.close()

    async def _dress(self, request: web.Request, answer: web.StreamResponse) -> None:
        answer.headers.update(_HEADERS)
        answer.headers.setdefault("Content-Security-Policy", _policy(request))

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = self._refusal(request)
        if refusal:
            raise web.HTTPForbidden(text=refusal)
        if self._is_first_visit(request):
            self._token = None
            answer: web.StreamResponse = web.HTTPSeeOther("/")
            answer.set_cookie(self._cookie, self._session, httponly=True, samesite="Strict", path="/")
            return answer
        if not same(request.cookies.get(self._cookie), self._session):
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

    async def handle_index(self, request: web.Request) -> web.Response:
        """The page. It asks nobody but us for anything, and its policy says so."""
        nonce = secrets.token_urlsafe(16)
        page = Template(files("lifesign.tui").joinpath(_PAGE).read_text("utf-8"))
        text = page.substitute(websocket=f"ws://{_host(request)}/ws", nonce=nonce)
        policy = {"Content-Security-Policy": _policy(request, f" 'nonce-{nonce}'")}
        return web.Response(text=text, content_type="text/html", headers=policy)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One browser's console, until either of them ends.

        It begins once those that are ending have ended: a page that is loaded again finds the state folder free.
        """
        open_socket = web.WebSocketResponse(heartbeat=15)
        await open_socket.prepare(request)
        self._open.add(open_socket)
        session = Session(self.command, open_socket, self.download_manager)
        try:
            async with self._leaving:
                await session.start(
                    to_int(request.query.get("width", ""), 80), to_int(request.query.get("height", ""), 24)
                )
            await self._process_messages(open_socket, session)
        finally:
            async with self._leaving:
                await session.stop()
            self._open.discard(open_socket)
        return open_socket


def _host(request: web.Request) -> str:
    """By which of our names the browser came."""
    return request.headers.get("Host", "")


def _policy(request: web.Request, scripts: str = "") -> str:
    return _POLICY.format(host=_host(request), scripts=scripts)


def same(given: str | None, secret: str) -> bool:
    """Whether `given` is `secret`, compared in constant time."""
    return given is not None and hmac.compare_digest(given.encode(), secret.encode())
