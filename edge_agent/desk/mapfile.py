"""The local map file of `[desk.map]`: raster tiles out of PMTiles or MBTiles, one at a time.

PMTiles v3 is read with its authors' library (directories kept, 64 at most: decoding one takes a Pi
some 50 ms), MBTiles 1.3 is SQLite, read only. Tiles are z/x/y of Web Mercator, y from the north.
Nothing here trusts the file: what is asked of it is bounded, and a damaged one is a sentence on
the page, never the end of the page.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from pmtiles import tile as pm
from pydantic import Field

from edge_agent.section import FilePath, Section

T = TypeVar("T")
log = logging.getLogger(__name__)

LARGEST = 1 << 20  # bytes of a tile: a 512 px photograph as PNG has about 400 KB
LARGEST_DIRECTORY = 1 << 16  # bytes, compressed; writers split them at 16 KB
DEEPEST = 22  # zoom levels: a tile there is 10 m wide
HEADER = 127  # bytes of a PMTiles header

# What a damaged file makes the readers raise.
BROKEN = (
    OSError, EOFError, ValueError, IndexError, ArithmeticError, TypeError, sqlite3.Error,
    zlib.error, pm.MagicNumberNotFound, pm.SpecVersionUnsupported,
)  # fmt: skip


class MapConfig(Section):
    """`[desk.map]`. A file that is not there is no fault of the configuration: the page has the
    sketch, and says why."""

    file: FilePath = Field(description="*.pmtiles or *.mbtiles with PNG, JPEG or WebP tiles")
    datum: Literal["wgs84", "gcj02"] = Field("wgs84", description="of the map's picture")
    approval: str = Field("", max_length=60, description="审图号, shown with the map")


class Tiles(Protocol):
    """An open map file. Both may raise BROKEN."""

    def zooms(self) -> range: ...
    def get(self, z: int, x: int, y: int) -> bytes | None: ...
    def close(self) -> None: ...


class PmTiles:
    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._header = pm.deserialize_header(self._bytes(0, HEADER, HEADER))
            self._root = (self._header["root_offset"], self._header["root_length"])
            self._directory = lru_cache(64)(self._read_directory)
            self._directory(*self._root)
        except BROKEN:
            self.close()
            raise

    def zooms(self) -> range:
        return range(self._header["min_zoom"], min(self._header["max_zoom"], DEEPEST) + 1)

    def get(self, z: int, x: int, y: int) -> bytes | None:
        wanted = pm.zxy_to_tileid(z, x, y)
        at = self._root
        for _ in range(4):  # the root and at most three levels of leaves
            found = pm.find_tile(self._directory(*at), wanted)
            if found is None:
                return None
            if found.run_length:
                start = self._header["tile_data_offset"] + found.offset
                return self._bytes(start, found.length, LARGEST)
            at = (self._header["leaf_directory_offset"] + found.offset, found.length)
        raise ValueError("directories without end")

    def close(self) -> None:
        os.close(self._file)

    def _read_directory(self, offset: int, length: int) -> list[pm.Entry]:
        return pm.deserialize_directory(self._bytes(offset, length, LARGEST_DIRECTORY))

    def _bytes(self, offset: int, length: int, most: int) -> bytes:
        if length > most:
            raise ValueError(f"{length} bytes at {offset}")
        read = os.pread(self._file, length, offset)
        if len(read) < length:
            raise EOFError(f"the file ends before {offset + length}")
        return read


class MbTiles:
    def __init__(self, path: Path) -> None:
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        self._db = sqlite3.connect(uri, uri=True)
        try:
            self._db.execute(
                "SELECT zoom_level, tile_column, tile_row, tile_data FROM tiles LIMIT 1"
            )
        except sqlite3.Error:
            self.close()
            raise

    def zooms(self) -> range:
        return range(DEEPEST + 1)

    def get(self, z: int, x: int, y: int) -> bytes | None:
        row = self._db.execute(
            "SELECT CASE WHEN length(tile_data) <= ? THEN tile_data END FROM tiles"
            " WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",
            (LARGEST, z, x, (1 << z) - 1 - y),  # rows count from the south
        ).fetchone()
        if row is not None and not isinstance(row[0], bytes):
            raise ValueError("what stands there is no tile")
        return row and row[0]

    def close(self) -> None:
        self._db.close()


class MapFile:
    """Opened when first asked for, and again when the file was replaced. One thread of its own:
    a map on a slow card keeps nothing else waiting."""

    def __init__(self, config: MapConfig | None, centre: tuple[int, int] | None) -> None:
        """`centre`: the checkpoint, (lat, lon) in 1e-7 degree."""
        self.config, self._centre = config, centre
        self._thread = ThreadPoolExecutor(1, "map")
        self._tiles: Tiles | None = None
        self._zooms: list[int] = []
        self._version = ""
        self._fault: str | None = None

    async def about(self) -> dict[str, object]:
        """zooms (those with tiles around the checkpoint; none: there is only the sketch), version
        (changes with the file), datum, approval, file, fault (a key of words.json, or None)."""
        await self._do(self._look)
        if self.config is None:
            return {"zooms": [], "fault": None}
        return {
            "zooms": self._zooms,
            "version": self._version,
            "datum": self.config.datum,
            "approval": self.config.approval,
            "file": self.config.file.name,
            "fault": self._fault,
        }

    async def tile(self, z: int, x: int, y: int) -> tuple[bytes, str] | None:
        """A tile's bytes and media type; None where the map has none."""
        if not (0 <= z <= DEEPEST and 0 <= x < 1 << z and 0 <= y < 1 << z):
            return None
        return await self._do(self._get, z, x, y)

    def close(self) -> None:
        self._thread.submit(self._forget)
        self._thread.shutdown()

    async def _do(self, work: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    def _get(self, z: int, x: int, y: int) -> tuple[bytes, str] | None:
        if self._tiles is None and self._fault is None:
            self._look()
        if self._tiles is None:
            return None
        try:
            found = self._tiles.get(z, x, y)
        except BROKEN as error:
            if self._fault is None:
                log.warning("map: tile %d/%d/%d and perhaps others: %r", z, x, y, error)
            self._fault = "map_partly"
            return None
        kind = found and media(found)
        return (found, kind) if found and kind else None

    def _look(self) -> None:
        """Open the file unless it is the one that is open."""
        if self.config is None:
            return
        try:
            found = self.config.file.stat()
            version = f"{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}"
        except OSError:
            version = ""
        if version and version == self._version:
            return
        self._forget()
        self._version = version
        if not version:
            self._fault = "map_missing"
            return
        try:
            self._tiles = opened(self.config.file)
            here = self._here(self._tiles)
        except BROKEN as error:
            log.warning("%s: %r", self.config.file, error)
            self._forget()
            self._version, self._fault = version, "map_damaged"
            return
        self._zooms = [z for z, kind in here.items() if kind]
        if not self._zooms:
            self._fault = "map_vector" if here else "map_elsewhere"

    def _here(self, tiles: Tiles) -> dict[int, str | None]:
        """The zooms with a tile around the checkpoint, and the media type of one there."""
        found: dict[int, str | None] = {}
        for z in tiles.zooms():
            for x, y in around(*self._centre, z) if self._centre else ():
                if z not in found and (tile := tiles.get(z, x, y)):
                    found[z] = media(tile)
        return found

    def _forget(self) -> None:
        if self._tiles is not None:
            self._tiles.close()
        self._tiles, self._zooms, self._version, self._fault = None, [], "", None


def opened(path: Path) -> Tiles:
    """By its first bytes, not by its name. BROKEN when it is neither."""
    with path.open("rb") as file:
        magic = file.read(16)
    if magic.startswith(b"SQLite format 3\0"):
        return MbTiles(path)
    return PmTiles(path)


def media(tile: bytes) -> str | None:
    """The media type of a picture that browsers show; None for anything else (vector tiles)."""
    if tile.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if tile.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if tile[:4] == b"RIFF" and tile[8:12] == b"WEBP":
        return "image/webp"
    return None


def around(lat7: int, lon7: int, z: int) -> Iterator[tuple[int, int]]:
    """x, y of the tile that holds a place, then of its neighbours (the map may be shifted)."""
    n = 1 << z
    x = int((lon7 / 1e7 + 180) / 360 * n)
    y = int((1 - math.asinh(math.tan(math.radians(lat7 / 1e7))) / math.pi) / 2 * n)
    for dx, dy in ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)):
        if 0 <= x + dx < n and 0 <= y + dy < n:
            yield x + dx, y + dy
