"""The map over HTTP, for whoever may see the page: what the file offers, and its tiles.

The browser asks for single tiles and never for ranges of the file: an answer is one tile, of
mapfile.LARGEST bytes at most, and a path names three numbers and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from edge_agent.desk.actions import Caller
from edge_agent.desk.mapfile import MapFile

NUMBER = re.compile(r"[0-9]{1,8}", re.ASCII)
KEPT_S = 7 * 24 * 3600  # in the browser; the page's address of a tile names the file's version


def routes(file: MapFile, must: Callable[[Request, str], Caller]) -> list[Route]:
    async def about(request: Request) -> Response:
        must(request, "page")
        return JSONResponse(await file.about())

    async def tile(request: Request) -> Response:
        must(request, "page")
        words = [request.path_params[name] for name in "zxy"]
        if not all(NUMBER.fullmatch(word) for word in words):
            return Response(status_code=404)
        found = await file.tile(*map(int, words))
        if found is None:
            return Response(status_code=404)
        kept = {"Cache-Control": f"private, max-age={KEPT_S}, immutable"}
        return Response(found[0], media_type=found[1], headers=kept)

    return [Route("/map.json", about), Route("/tiles/{z}/{x}/{y}", tile)]
