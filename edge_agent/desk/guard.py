"""Around every request: our own name, headers on every answer, whose session it is.

A foreign page can make a browser send requests here. It cannot set our content type or header
without asking first (CORS, never allowed), cannot read the token that a session's presses must
carry, and its Origin is not ours.
"""

from __future__ import annotations

import hmac

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_agent.desk.accounts import Accounts
from edge_agent.desk.actions import GUESTS, Action, Caller
from edge_agent.desk.config import is_loopback
from edge_agent.desk.rights import Refused

COOKIE = "desk"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
        " frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


TLS_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}  # RFC 6797


class Headers:
    """ASGI: HEADERS on every answer. (Starlette's BaseHTTPMiddleware would buffer the events.)"""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)  # a tile of the map may be kept
                if scope["scheme"] == "https":
                    headers.update(TLS_HEADERS)
            await send(message)

        await self._app(scope, receive, with_headers)


def caller(request: Request, accounts: Accounts, at_the_door: bool = False) -> Caller:
    """Who asks. Refused for someone elsewhere who has not logged in, unless to do just that."""
    token = request.cookies.get(COOKIE)
    session = accounts.session(token)
    if session is None and not at_the_door and not at_the_machine(request):
        raise Refused("err_login", 401)
    return Caller(session, token if session else None)


def at_the_machine(request: Request) -> bool:
    """Whether the request comes from the checkpoint's own screen."""
    return request.client is not None and is_loopback(request.client.host)


def own_page(request: Request) -> bool:
    """Whether a browser sent this from our page: its Origin is us, and the body is JSON."""
    origin = request.headers.get("origin", "")
    kind = request.headers.get("content-type", "")
    return origin.partition("://")[2] == request.headers.get("host") and kind == "application/json"


def may(request: Request, by: Caller, name: str, action: Action) -> None:
    """Refused unless `by` may do it."""
    if not own_page(request):
        raise Refused("err_foreign", 403)
    session = by.session
    if session is None:
        if name not in GUESTS:
            raise Refused("err_login", 401)
        return
    if name in ("login", "setup"):
        return  # whoever has the PIN; an old cookie is no hindrance
    if not hmac.compare_digest(request.headers.get("x-desk", ""), session.csrf):
        raise Refused("err_foreign", 403)
    if session.locked and not action.locked:
        raise Refused("err_locked", 423)
    # An auditor's session must not keep the crew at this screen from answering an SOS.
    anybodys = name in GUESTS and at_the_machine(request)
    if action.right and not session.may(action.right) and not anybodys:
        raise Refused("err_role", 403)
