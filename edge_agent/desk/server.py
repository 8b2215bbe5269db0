"""The staff's page: the board as server-sent events, and what staff may press.

Everything is served from here: a checkpoint has no internet for hours.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from edge_agent.board import Board
from edge_agent.desk.config import DeskConfig

STATIC = Path(__file__).parent / "static"
KEEPALIVE_S = 5.0  # a page that hears nothing for twice this says that it is stale
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

# seen(sos, going, who) -> a sentence why not, or None
Seen = Callable[[str, bool, str], Awaitable[str | None]]


class Headers(BaseHTTPMiddleware):
    """The same protection on every answer; a POST only from our own page."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        if request.method == "POST" and not own_page(request):
            answer: Response = JSONResponse({"error": "本页以外的请求 not from this page"}, 403)
        else:
            answer = await call_next(request)
        for name, value in HEADERS.items():
            answer.headers[name] = value
        return answer


def own_page(request: Request) -> bool:
    """Whether a browser sent this from our page: its Origin is us, and the body is JSON.

    A foreign page cannot set this content type without asking first (CORS), and is never allowed.
    """
    origin = request.headers.get("origin", "")
    kind = request.headers.get("content-type", "")
    return origin.partition("://")[2] == request.headers.get("host") and kind == "application/json"


class Desk:
    """Serves `board`; hands what staff press to `seen`. Starting it opens no port: run() does."""

    def __init__(self, config: DeskConfig, board: Board, seen: Seen) -> None:
        self._config, self._board, self._seen = config, board, seen
        self._stopping = asyncio.Event()
        self.port = 0
        self.app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/state.json", self._state),
                Route("/events", self._events),
                Route("/seen", self._press_seen, methods=["POST"]),
                Mount("/static", StaticFiles(directory=STATIC)),
            ],
            middleware=[
                # A name that a foreign page pointed at us (DNS rebinding) is not us.
                Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "::1"]),
                Middleware(Headers),
            ],
        )

    async def run(self) -> None:
        """Serve until cancelled. OSError when the address is taken."""
        host, port = self._config.listen
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
        self.port = listener.getsockname()[1]
        server = uvicorn.Server(
            uvicorn.Config(self.app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        )
        # uvicorn would take over the process's signals, which are the agent's.
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
        self._stopping.clear()
        try:
            await server.serve(sockets=[listener])
        finally:
            self._stopping.set()
            listener.close()

    async def _page(self, _request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def _state(self, _request: Request) -> Response:
        return JSONResponse(self._board.view())

    async def _events(self, _request: Request) -> Response:
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[str]:
        changes = self._board.changes()
        following = asyncio.ensure_future(anext(changes))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            yield frame("view", self._board.view())
            while not stopping.done():
                await asyncio.wait(
                    {following, stopping},
                    timeout=KEEPALIVE_S,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not following.done():
                    yield ": alive\n\n"
                    continue
                change = following.result()
                following = asyncio.ensure_future(anext(changes))
                if change is None:
                    yield frame("view", self._board.view())
                else:
                    yield frame("change", change)
        finally:
            for task in (following, stopping):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                    await task

    async def _press_seen(self, request: Request) -> Response:
        try:
            asked = await request.json()
            sos, going, who = asked["sos"], asked["going"], asked["who"]
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"error": "请求不完整 incomplete request"}, 400)
        if not (isinstance(sos, str) and isinstance(going, bool) and isinstance(who, str)):
            return JSONResponse({"error": "请求不完整 incomplete request"}, 400)
        why = await self._seen(sos, going, who)
        return JSONResponse({"error": why}, 409) if why else JSONResponse({})


def frame(kind: str, data: Any) -> str:
    """One server-sent event (HTML standard, 9.2)."""
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
