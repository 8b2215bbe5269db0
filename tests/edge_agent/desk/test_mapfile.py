"""The local map file: PMTiles and MBTiles give the same tiles, and nothing in a file, or in a path,
does harm."""

from __future__ import annotations

import os
import random
import sqlite3
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from pmtiles.tile import zxy_to_tileid

from edge_agent.desk import mapfile
from edge_agent.desk.mapfile import LARGEST, MapConfig, MapFile, around
from tests.edge_agent.desk.rig import HERE, LEAD, STAFF, Rig
from tests.edge_agent.desk.test_server import Hand
from tests.edge_agent.desk.tiles import mbtiles, numbers, pmtiles, tile

PNG = tile(11, *next(around(*HERE, 11)))
AT = next(around(*HERE, 12))
Make = Callable[[Path, dict[tuple[int, int, int], bytes]], Path]
BOTH = pytest.mark.parametrize("make", [pmtiles, mbtiles])


def some(zooms: range = range(10, 15)) -> dict[tuple[int, int, int], bytes]:
    """Tiles that are all different; only their first bytes are PNG's."""
    return {(z, x, y): PNG + b"%d/%d/%d" % (z, x, y) for z, x, y in numbers(zooms)}


def opened(path: Path, **config: str) -> MapFile:
    return MapFile(MapConfig.model_validate({"file": path, **config}), HERE)


@BOTH
async def test_each_tile_is_the_one_that_was_put_there(make: Make, tmp_path: Path) -> None:
    tiles = some()
    file = opened(make(tmp_path / "a-map", tiles), datum="gcj02", approval="审图号")
    about = await file.about()
    assert about["zooms"] == [10, 11, 12, 13, 14] and about["fault"] is None
    assert (about["datum"], about["approval"]) == ("gcj02", "审图号")
    assert len(tiles) > 30
    for number, data in tiles.items():
        assert await file.tile(*number) == (data, "image/png"), number
    assert await file.tile(9, 1, 1) is None and await file.tile(14, 0, 0) is None
    file.close()


@pytest.mark.parametrize("kind", ["png", "webp", "jpeg"])
async def test_kinds_of_pictures(kind: str, tmp_path: Path) -> None:
    file = opened(pmtiles(tmp_path / "m", {(12, *AT): tile(12, *AT, kind)}, kind))
    assert (await file.about())["zooms"] == [12]
    found = await file.tile(12, *AT)
    assert found and found[1] == f"image/{kind}"
    file.close()


@BOTH
async def test_a_zoom_that_is_missing_is_not_offered(make: Make, tmp_path: Path) -> None:
    tiles = {number: data for number, data in some().items() if number[0] != 12}
    file = opened(make(tmp_path / "m", tiles))
    assert (await file.about())["zooms"] == [10, 11, 13, 14]
    assert await file.tile(12, *AT) is None
    file.close()


@BOTH
async def test_vector_tiles_and_maps_of_elsewhere_are_said(make: Make, tmp_path: Path) -> None:
    vector = opened(make(tmp_path / "vector", {(12, *AT): b"\x1f\x8b\x08 vector"}))
    assert (await vector.about())["fault"] == "map_vector"
    assert await vector.tile(12, *AT) is None  # nothing but pictures goes out
    vector.close()
    elsewhere = opened(make(tmp_path / "elsewhere", {(12, 5, 5): PNG}))
    assert (await elsewhere.about())["fault"] == "map_elsewhere"
    elsewhere.close()


async def test_no_file_and_a_file_that_comes_later(tmp_path: Path) -> None:
    file = opened(tmp_path / "m")
    assert (await file.about())["fault"] == "map_missing"
    assert await file.tile(12, *AT) is None
    pmtiles(tmp_path / "m", some())
    assert (await file.about())["fault"] is None
    assert await file.tile(12, *AT)
    before = (await file.about())["version"]
    mbtiles(tmp_path / "new", some(range(12, 13)))
    (tmp_path / "new").replace(tmp_path / "m")
    assert (await file.about())["zooms"] == [12]
    assert (await file.about())["version"] != before
    (tmp_path / "m").unlink()
    assert (await file.about())["fault"] == "map_missing"
    file.close()


async def test_no_map_is_configured() -> None:
    file = MapFile(None, HERE)
    assert await file.about() == {"zooms": [], "fault": None}
    assert await file.tile(12, *AT) is None
    file.close()


@BOTH
async def test_damage_anywhere_is_a_sentence(make: Make, tmp_path: Path) -> None:
    """Cut short, overwritten, lengths of gigabytes: an answer each time, or none; never a crash."""
    whole = make(tmp_path / "whole", some(range(11, 14))).read_bytes()
    draw = random.Random(11)
    faults: set[object] = set()
    for n in range(120):
        bad = bytearray(whole)
        if n % 3 == 0:
            del bad[draw.randrange(1, len(bad)) :]
        else:
            start = draw.randrange(0, 4096 if n % 3 == 1 else len(bad))
            bad[start : start + draw.choice((1, 8, 600))] = draw.randbytes(draw.choice((1, 8, 600)))
        (tmp_path / "m").write_bytes(bad)
        file = opened(tmp_path / "m")
        about = await file.about()
        for number in some(range(11, 13)):
            found = await file.tile(*number)
            assert found is None or len(found[0]) <= LARGEST
        faults |= {about["fault"], (await file.about())["fault"]}
        file.close()
    assert {"map_damaged", None} <= faults
    for junk in (b"", b"PMTiles", os.urandom(5000), b"SQLite format 3\0" + bytes(4000)):
        (tmp_path / "m").write_bytes(junk)
        file = opened(tmp_path / "m")
        assert (await file.about())["fault"] == "map_damaged"
        file.close()


async def test_a_file_that_was_not_copied_to_its_end_is_shown_as_far_as_it_goes(
    tmp_path: Path,
) -> None:
    tiles = some(range(11, 15))
    whole = pmtiles(tmp_path / "m", tiles)
    whole.write_bytes(whole.read_bytes()[:-5])
    file = opened(whole)
    assert (await file.about())["fault"] is None
    last = max(tiles, key=lambda number: zxy_to_tileid(*number))
    assert await file.tile(*last) is None
    assert (await file.about())["fault"] == "map_partly"
    assert await file.tile(12, *AT)  # the others are still there
    file.close()


async def test_a_tile_too_large_is_not_read(tmp_path: Path) -> None:
    tiles = {**some(range(11, 12)), (12, *AT): PNG + bytes(LARGEST)}
    for make in (pmtiles, mbtiles):
        file = opened(make(tmp_path / make.__name__, tiles))
        assert (await file.about())["fault"] == "map_damaged"  # found while looking around here
        assert await file.tile(12, *AT) is None
        file.close()


@BOTH
async def test_memory_stays_flat(make: Make, tmp_path: Path) -> None:
    file = opened(make(tmp_path / "m", some(range(10, 16))))
    await file.about()
    wanted = list(some(range(10, 16)))

    async def read() -> None:
        for number in wanted:
            await file.tile(*number)

    await read()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(5):
        await read()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    file.close()
    assert grown < 100_000, grown


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    mbtiles(tmp_path / "m.mbtiles", some(range(11, 13)))
    async with Rig(tmp_path, map={"file": tmp_path / "m.mbtiles", "approval": "审图号"}) as made:
        await made.people()
        yield made


async def test_tiles_are_for_those_who_are_logged_in(rig: Rig) -> None:
    hand = Hand(rig)
    url = f"/tiles/12/{AT[0]}/{AT[1]}"
    assert (await hand.get("/map.json"))[0] == 401
    assert (await hand.get(url))[0] == 401
    await hand.enter(STAFF)
    status, about = await hand.get("/map.json")
    assert status == 200 and '"approval":"审图号"' in about
    async with hand.http.get(rig.url + url, headers={"Range": "bytes=0-3"}) as answer:
        assert answer.status == 200  # a tile whole: no range of any file is ever served
        assert await answer.read() == PNG + b"12/%d/%d" % AT
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Cache-Control"].startswith("private")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert (await hand.press("lock", {}))[0] == 200
    assert (await hand.get(url))[0] == 423
    await hand.http.close()


async def test_a_path_names_a_tile_and_nothing_else(rig: Rig) -> None:
    hand = Hand(rig)
    await hand.enter(LEAD)
    for path in (
        "12/-1/0", "12/1.0/1", "12/1/1.png", "23/0/0", "0/1/0", "12/99999/1", "x/1/1", "12/1/%00",
        f"12/{AT[0]}/{AT[1]}%27%20OR%201=1", "..%2f..%2fdesk.db/1/1", "%2e%2e/%2e%2e/desk.db",
        f"{'9' * 5000}/1/1", "１２/1/1", "12/1/1/1", "12//1", "12/1",
    ):  # fmt: skip
        status, text = await hand.get(f"/tiles/{path}")
        assert status == 404, (path, status)
        assert "SQLite" not in text
    await hand.http.close()


def test_a_map_of_another_page(tmp_path: Path) -> None:
    """A database that is no map, like the agent's own."""
    db = sqlite3.connect(tmp_path / "desk.db")
    db.execute("CREATE TABLE account (name TEXT)")
    db.commit()
    db.close()
    with pytest.raises(sqlite3.Error):
        mapfile.opened(tmp_path / "desk.db")
