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
from collections.abc import AsyncIterator, Callable
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

from edge_agent.desk import map_http
from edge_agent.desk.accounts import SESSION_S
from edge_agent.desk.actions import ACTIONS, Caller
from edge_agent.desk.config import DeskConfig
from edge_agent.desk.guard import COOKIE, Headers, at_the_machine, caller, may
from edge_agent.desk.rights import PUBLIC_SECTIONS, Refused
from edge_agent.desk.room import DeskRoom
from edge_agent.desk.tls import context, names_of
from edge_agent.section import Address

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
        self.port = 0  # of the machine's own screen
        self.tls_port = 0  # the same while nobody else can reach the page
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
                *map_http.routes(room.map, self._must),
                Mount("/static", StaticFiles(directory=STATIC)),
            ],
            middleware=[
                Middleware(Headers),
                # A name that a foreign page pointed at us (DNS rebinding) is not us.
                Middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, *names(room.config)]),
            ],
            exception_handlers={Refused: refused},
        )

    async def run(self) -> None:
        """Serve until cancelled. OSError when an address is taken."""
        if code := self.room.accounts.first_code:
            print(f"卡点页面首次设置码 first-start code of the page: {code}", flush=True)
        self._stopping.clear()
        with contextlib.ExitStack() as sockets:
            servers = [
                (self._server(tls), sockets.enter_context(listening(address)))
                for address, tls in self._addresses()
            ]
            self.port = servers[0][1].getsockname()[1]
            self.tls_port = servers[-1][1].getsockname()[1]
            tasks = [asyncio.create_task(server.serve(sockets=[on])) for server, on in servers]
            tasks.append(asyncio.create_task(self.room.run()))
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                # uvicorn that is cancelled leaves its sockets accepting: it must end by itself.
                self._stopping.set()
                for server, _ in servers:
                    server.should_exit = True
                tasks[-1].cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    def _addresses(self) -> list[tuple[Address, ssl.SSLContext | None]]:
        """Where to listen: the machine's own screen first, which no certificate can put out."""
        config = self.room.config
        if not config.beyond:
            return [(config.listen, None)]
        fault = self.room.board.fault
        try:
            assert config.cert and config.key  # DeskConfig refuses to be without
            tls = context(config.cert, config.key)
        except ValueError as error:
            log.error("%s", error)
            fault("desk-tls", str(error))
            return [(config.kiosk, None)]
        fault("desk-tls", None)
        return [(config.kiosk, None), (config.listen, tls)]

    def _server(self, tls: ssl.SSLContext | None) -> uvicorn.Server:
        settings = uvicorn.Config(
            self.app,
            log_config=None,
            lifespan="off",
            timeout_graceful_shutdown=1,
            server_header=False,
            ssl_context_factory=always(tls) if tls else None,
        )
        made = uvicorn.Server(settings)
        # uvicorn would take over the process's signals, which are the agent's.
        made.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
        return made

    # -- what is shown -------------------------------------------------------------------------

    async def _page(self, _request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def _about(self, request: Request) -> Response:
        """What does not change, and who is logged in here."""
        room = self.room
        by = caller(request, room.accounts, at_the_door=True)
        if by.session is None and not at_the_machine(request):  # a stranger learns nothing
            return JSONResponse({"elsewhere": True, "now": time.time()})
        known: dict[str, Any] = {
            **dataclasses.asdict(room.about),
            "started": room.started,
            "now": time.time(),
            "plate": room.config.plate,
            "idle_s": room.config.idle_min * 60,
            "seal_off": room.config.seal_off,
            "operations": [operation.model_dump() for operation in room.config.operation],
            "villages": room.villages,
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
        return JSONResponse(self.room.tracks.view(self.room.shift.began))

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
        by = caller(request, self.room.accounts, at_the_door=name == "login")
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


def always(tls: ssl.SSLContext) -> Callable[[object, object], ssl.SSLContext]:
    """uvicorn asks for the context by a function."""

    def factory(_config: object, _default: object) -> ssl.SSLContext:
        return tls

    return factory


def listening(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    return socket.create_server(tuple(address), family=family)


def names(config: DeskConfig) -> list[str]:
    """What stands in the page's URL elsewhere; a certificate that cannot be read names nothing."""
    if config.names or not (config.beyond and config.cert):
        return list(config.names)
    with contextlib.suppress(ValueError):  # _addresses says so on the page
        return names_of(config.cert)
    return []


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
