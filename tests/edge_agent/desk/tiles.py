"""A small raster map, drawn here from made-up land: for tests and pictures. Nobody's map data.

Fields, a river, a wood, roads and houses around the rig's checkpoint, in metres east and south of
it; painted per tile in Web Mercator, so that every zoom shows the same land.
"""

from __future__ import annotations

import io
import math
import random
import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from tests.edge_agent.desk.rig import HERE

ZOOMS = range(11, 17)
REACH_M = 3500  # tiles are made this far around the checkpoint
EQUATOR_M = 40_075_016.7
SIZE = 256
KINDS = {"png": TileType.PNG, "webp": TileType.WEBP, "jpeg": TileType.JPEG}

Point = tuple[float, float]
LAND = "#f2f5ea"
FIELDS = ("#d6e8b8", "#efe9bd", "#c4dfa6", "#e2eecb", "#ede6cf")


def mercator(lat: float, lon: float) -> Point:
    """0..1 east and south."""
    north = math.asinh(math.tan(math.radians(lat))) / math.pi
    return (lon + 180) / 360, (1 - north) / 2


@cache
def land() -> list[tuple[str, str, int, list[Point]]]:
    """(kind, colour, width in m, points in m) from the ground up; the same each time."""
    draw = random.Random(7)
    shapes: list[tuple[str, str, int, list[Point]]] = []
    for east in range(-3600, 3600, 300):
        for south in range(-3600, 3600, 200):
            corners = [(0, 0), (290, 15), (280, 195), (-10, 180)]
            field = [(east + x + draw.randint(-9, 9), south + y) for x, y in corners]
            shapes.append(("area", draw.choice(FIELDS), 0, field))
    wood = [(1500, -2600), (2700, -2300), (2900, -1000), (2000, -700), (1300, -1500)]
    river = [(x, 900 + 420 * math.sin(x / 1100)) for x in range(-4000, 4001, 100)]
    pond = [(-520 + 95 * math.cos(a), 70 + 55 * math.sin(a)) for a in (n / 3 for n in range(19))]
    shapes += [("area", "#7fbf72", 0, wood), ("line", "#5fb0ea", 70, river)]
    shapes.append(("area", "#5fb0ea", 0, pond))
    road = [(x, -0.35 * x + 60 * math.sin(x / 700)) for x in range(-4000, 4001, 100)]
    lane = [(120 * math.sin(y / 900), y) for y in range(-4000, 4001, 100)]
    track = [(x, 0.6 * x + 300) for x in range(-4000, 4001, 200)]
    for points, wide in ((track, 7), (lane, 12), (road, 20)):
        shapes += [("line", "#8f7f62", wide + 8, points), ("line", "#ffffff", wide, points)]
    for east, south in ((-570, -440), (600, 340), (-770, 970), (900, -300), (-1900, 600)):
        for _ in range(40):
            x, y = east + draw.gauss(0, 130), south + draw.gauss(0, 100)
            house = [(x, y), (x + 22, y), (x + 22, y + 14), (x, y + 14)]
            shapes.append(("area", "#a5674f", 0, house))
    return shapes


def tile(z: int, x: int, y: int, kind: str = "png") -> bytes:
    n = 2**z
    east0, south0 = mercator(HERE[0] / 1e7, HERE[1] / 1e7)
    metre = n * SIZE / EQUATOR_M / math.cos(math.radians(HERE[0] / 1e7))  # px of one metre

    def px(point: Point) -> Point:
        return (east0 * n - x) * SIZE + point[0] * metre, (south0 * n - y) * SIZE + point[1] * metre

    picture = Image.new("RGB", (SIZE, SIZE), LAND)
    pen = ImageDraw.Draw(picture)
    for form, colour, wide, points in land():
        spots = [px(point) for point in points]
        if form == "area":
            pen.polygon(spots, fill=colour)
        else:
            pen.line(spots, fill=colour, width=max(1, round(wide * metre)), joint="curve")
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()


def numbers(zooms: range = ZOOMS, reach_m: float = REACH_M) -> Iterator[tuple[int, int, int]]:
    """z, x, y of the tiles around the checkpoint."""
    east, south = mercator(HERE[0] / 1e7, HERE[1] / 1e7)
    for z in zooms:
        n = 2**z
        reach = reach_m / EQUATOR_M / math.cos(math.radians(HERE[0] / 1e7)) * n
        for x in range(int(east * n - reach), int(east * n + reach) + 1):
            for y in range(int(south * n - reach), int(south * n + reach) + 1):
                yield z, x, y


def mbtiles(path: Path, tiles: dict[tuple[int, int, int], bytes]) -> Path:
    """MBTiles 1.3."""
    db = sqlite3.connect(path)
    with db:
        db.execute("CREATE TABLE metadata (name text, value text)")
        db.execute(
            "CREATE TABLE tiles"
            " (zoom_level integer, tile_column integer, tile_row integer, tile_data blob)"
        )
        db.execute("CREATE UNIQUE INDEX tile ON tiles (zoom_level, tile_column, tile_row)")
        rows = [(z, x, 2**z - 1 - y, data) for (z, x, y), data in tiles.items()]
        db.executemany("INSERT INTO tiles VALUES (?,?,?,?)", rows)
        db.execute("INSERT INTO metadata VALUES ('format', 'png')")
    db.close()
    return path


def pmtiles(path: Path, tiles: dict[tuple[int, int, int], bytes], kind: str = "png") -> Path:
    """PMTiles 3, with the library that the agent reads it with."""
    with path.open("wb") as file:
        writer = Writer(file)
        for number in sorted(tiles, key=lambda number: zxy_to_tileid(*number)):
            writer.write_tile(zxy_to_tileid(*number), tiles[number])
        zooms = [z for z, _, _ in tiles]
        header = {
            "tile_type": KINDS[kind], "tile_compression": Compression.NONE,
            "min_zoom": min(zooms), "max_zoom": max(zooms),
            "min_lon_e7": -1800000000, "min_lat_e7": -850000000,
            "max_lon_e7": 1800000000, "max_lat_e7": 850000000,
            "center_zoom": min(zooms), "center_lon_e7": HERE[1], "center_lat_e7": HERE[0],
        }  # fmt: skip
        writer.finalize(header, {})
    return path
