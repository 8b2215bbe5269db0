"""The staff's page over HTTP: the board as server-sent events, and what staff may press.

Everything is served from here: a checkpoint has no internet for hours.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import socket
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from edge_agent.desk.accounts import SESSION_S
from edge_agent.desk.actions import ACTIONS, Caller
from edge_agent.desk.guard import COOKIE, Headers, caller, may
from edge_agent.desk.rights import PUBLIC_SECTIONS, Refused
from edge_agent.desk.room import DeskRoom

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
KEEPALIVE_S = 4.0  # a page that hears nothing for three times this says that it is stale
LARGEST = 16_384  # bytes of a press
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]


class Desk:
    """Serves `room`. Starting it opens no port: run() does, and `port` tells which."""

    def __init__(self, room: DeskRoom) -> None:
        self.room = room
        self._stopping = asyncio.Event()
        self.port = 0
        self.app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/about.json", self._about),
                Route("/state.json", self._state),
                Route("/events", self._events),
                Route("/tracks.json", self._tracks),
                Route("/sheet.json", self._sheet),
                Route("/log.json", self._log),
                Route("/log.csv", self._log_csv),
                Route("/do/{action}", self._do, methods=["POST"]),
                Mount("/static", StaticFiles(directory=STATIC)),
            ],
            middleware=[
                Middleware(Headers),
                # A name that a foreign page pointed at us (DNS rebinding) is not us.
                Middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, *room.config.names]),
            ],
            exception_handlers={Refused: refused},
        )

    async def run(self) -> None:
        """Serve until cancelled. OSError when the address is taken."""
        config = self.room.config
        host, port = config.listen
        if code := self.room.accounts.first_code:
            print(f"卡点页面首次设置码 first-start code of the page: {code}", flush=True)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
        self.port = listener.getsockname()[1]
        settings = uvicorn.Config(
            self.app,
            log_config=None,
            lifespan="off",
            timeout_graceful_shutdown=1,
            server_header=False,
            ssl_certfile=config.cert,
            ssl_keyfile=config.key,
            ssl_version=ssl.PROTOCOL_TLS_SERVER,
        )
        server = uvicorn.Server(settings)
        # uvicorn would take over the process's signals, which are the agent's.
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
        self._stopping.clear()
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        following = asyncio.create_task(self.room.run())
        try:
            await asyncio.wait({serving, following}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # uvicorn that is cancelled leaves its sockets accepting: it must end by itself.
            self._stopping.set()
            server.should_exit = True
            following.cancel()
            ended = await asyncio.gather(serving, following, return_exceptions=True)
            listener.close()
        for error in ended:
            if isinstance(error, Exception):
                raise error

    # -- what is shown -------------------------------------------------------------------------

    async def _page(self, _request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def _about(self, request: Request) -> Response:
        """What does not change, and who is logged in here."""
        room = self.room
        by = self._caller(request)
        known: dict[str, Any] = {
            **dataclasses.asdict(room.about),
            "started": room.started,
            "now": time.time(),
            "approval": room.config.approval,
            "plate": room.config.plate,
            "idle_s": room.config.idle_min * 60,
            "operations": [operation.model_dump() for operation in room.config.operation],
            **room.places,
            "people": [
                {"name": name, "role": role} for name, role in sorted(room.accounts.names.items())
            ],
            "first": room.accounts.first_code is not None,
        }
        if by.session:
            known["session"] = {
                key: getattr(by.session, key) for key in ("name", "role", "locked", "csrf")
            }
        return JSONResponse(known)

    async def _state(self, request: Request) -> Response:
        return JSONResponse(self._view(self._caller(request)))

    async def _tracks(self, request: Request) -> Response:
        self._must(request, "page")
        return JSONResponse(self.room.tracks.view())

    async def _sheet(self, request: Request) -> Response:
        self._must(request, "shift")
        asked = request.query_params.get("shift", str(self.room.shift.id))
        if not asked.isdigit():
            raise Refused("err_request", 400)
        return JSONResponse(await self.room.sheet(int(asked)))

    async def _log(self, request: Request) -> Response:
        """All of it for who may read it; for the others of the page what happened by itself."""
        by = self._must(request, "self")
        try:
            since = float(request.query_params.get("since", 0))
        except ValueError:
            raise Refused("err_request", 400) from None
        rows = await self.room.journal.rows(since)
        if by.session and by.session.may("log"):
            return JSONResponse(rows)
        return JSONResponse([row for row in rows if not row["who"] and "name" not in row["about"]])

    async def _log_csv(self, request: Request) -> Response:
        by = self._must(request, "log")
        await self.room.journal.note(by.name, "log_export")
        return Response(
            await self.room.journal.csv(),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="desk-log.csv"'},
        )

    def _caller(self, request: Request) -> Caller:
        return caller(request, self.room.accounts)

    def _must(self, request: Request, right: str) -> Caller:
        by = self._caller(request)
        if by.session is None:
            raise Refused("err_login", 401)
        if by.session.locked:
            raise Refused("err_locked", 423)
        if not by.session.may(right):
            raise Refused("err_role", 403)
        return by

    def _opened(self, by: Caller) -> bool:
        """Whether the whole board is for this caller's eyes, now."""
        session = self.room.accounts.session(by.token)
        return session is not None and not session.locked and session.may("page")

    def _view(self, by: Caller) -> dict[str, Any]:
        opened = self._opened(by)
        board = self.room.board.view()
        return {
            section: rows if opened or section in PUBLIC_SECTIONS else {}
            for section, rows in board.items()
        }

    async def _events(self, request: Request) -> Response:
        by = self._caller(request)
        return StreamingResponse(self._stream(by), media_type="text/event-stream")

    async def _stream(self, by: Caller) -> AsyncIterator[str]:
        changes = self.room.board.changes()
        following = asyncio.ensure_future(anext(changes))
        stopping = asyncio.ensure_future(self._stopping.wait())
        opened = self._opened(by)
        try:
            yield frame("view", self._view(by))
            while not stopping.done():
                await asyncio.wait(
                    {following, stopping},
                    timeout=KEEPALIVE_S,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if opened and not self._opened(by):  # left alone: the page locks itself
                    opened = False
                    yield frame("view", self._view(by))
                    yield frame("locked", {})
                if not following.done():
                    yield frame("alive", {})
                    continue
                change = following.result()
                following = asyncio.ensure_future(anext(changes))
                if change is None:
                    yield frame("view", self._view(by))
                elif opened or change[0] in PUBLIC_SECTIONS:
                    yield frame("change", change)
        finally:
            for task in (following, stopping):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                    await task

    # -- what is pressed -----------------------------------------------------------------------

    async def _do(self, request: Request) -> Response:
        name = request.path_params["action"]
        action = ACTIONS.get(name)
        if action is None:
            raise Refused("err_request", 404)
        by = self._caller(request)
        try:
            may(request, by, name, action)
        except Refused as refusal:
            if refusal.status == 403:
                await self.room.journal.note(by.name, "refused", action=name, why=refusal.key)
            raise
        body = await body_of(request)
        try:
            asked = action.asked.model_validate_json(body)
        except ValidationError:
            raise Refused("err_request", 400) from None
        done = await action.act(self.room, by, asked) or {}
        answer = JSONResponse({key: value for key, value in done.items() if key != "token"})
        if "token" in done:
            answer.set_cookie(
                COOKIE,
                done["token"],
                max_age=int(SESSION_S) if done["token"] else 0,
                httponly=True,
                samesite="strict",
                secure=request.url.scheme == "https",
            )
        return answer


async def body_of(request: Request) -> bytes:
    """The body; Refused when it is longer than any press."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            raise Refused("err_request", 413)
    return body


async def refused(_request: Request, error: Exception) -> Response:
    """Every refusal as a key of words.json: the page says it in its language."""
    assert isinstance(error, Refused)
    return JSONResponse({"error": error.key}, error.status)


def frame(kind: str, data: Any) -> str:
    """One server-sent event (HTML standard, 9.2)."""
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
