"""The map with tiles beneath it, in a real Chromium; and the shift to GCJ-02, done once."""

from __future__ import annotations

import asyncio
import hashlib
import math
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import eviltransform
import pytest
from playwright.async_api import Browser, Page, expect

from edge_agent.desk.mapfile import around
from edge_agent.desk.server import STATIC
from tests.edge_agent.desk.rig import HERE, Rig, browser
from tests.edge_agent.desk.test_map import map_of
from tests.edge_agent.desk.tiles import ZOOMS, mbtiles, mercator, numbers, pmtiles, tile

APPROVAL = "审图号：鲁S(2026)000号"
# dist/gcoord.esm-browser.prod.js of npm's gcoord 1.0.7
GCOORD = "e5d4df36a334fcfdb8725b29c26ec647d9c396c4105544c46ee02f4605a23d69"
DRAWN = """() => [...document.querySelectorAll('.map image')].map((i) => ({
  href: i.getAttribute('href'), hidden: i.getAttribute('visibility') === 'hidden',
  box: ['x', 'y', 'width', 'height'].map((name) => Number(i.getAttribute(name))),
}))"""
HOME = """() => {
  const [x, y] = document.querySelector('.map .here').getAttribute('d').match(/[\\d.]+/g);
  return [Number(x) + 13, Number(y) - 9];
}"""


@pytest.fixture(scope="module")
def land() -> dict[tuple[int, int, int], bytes]:
    return {number: tile(*number) for number in numbers(range(13, 16), 1500)}


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with browser() as made:
        yield made


async def drawn(page: Page, at_least: int = 1) -> list[dict[str, Any]]:
    """The tiles on the map once every one of them is loaded or refused."""
    deadline = time.monotonic() + 8
    while True:
        pending = await page.evaluate(
            "async () => { const all = [...document.querySelectorAll('.map image')]"
            ".filter((i) => i.getAttribute('visibility') !== 'hidden');"
            " const done = await Promise.allSettled(all.map((i) => i.decode()));"
            " return done.filter((d) => d.status === 'rejected').length; }"
        )
        found = await page.evaluate(DRAWN)  # after that: one refused in between is hidden by now
        if len(found) >= at_least and not pending:
            return [one for one in found if not one["hidden"]]
        assert time.monotonic() < deadline, (len(found), pending)
        await asyncio.sleep(0.05)


def number(one: dict[str, Any]) -> tuple[int, int, int]:
    z, x, y = one["href"].partition("?")[0].split("/")[2:]
    return int(z), int(x), int(y)


def place(one: dict[str, Any], lat: float, lon: float) -> tuple[float, float]:
    """Where on the page a place of the map's own datum is, by the tile it is in."""
    z, x, y = number(one)
    east, south = mercator(lat, lon)
    left, top, width, height = one["box"]
    return left + (east * 2**z - x) * width, top + (south * 2**z - y) * height


@pytest.mark.parametrize("make", [pmtiles, mbtiles])
async def test_tiles_lie_where_they_belong(
    make: Any, land: dict[tuple[int, int, int], bytes], tmp_path: Path, chromium: Browser
) -> None:
    make(tmp_path / "m", land)
    async with Rig(tmp_path, map={"file": tmp_path / "m", "approval": APPROVAL}) as rig:
        await rig.people()
        page = await map_of(chromium, rig)
        policy: list[str] = []
        page.on("console", lambda said: policy.append(said.text))
        tiles = await drawn(page, 4)
        assert len(tiles) >= 6
        x, y = await page.evaluate(HOME)
        for one in tiles:
            at = place(one, HERE[0] / 1e7, HERE[1] / 1e7)
            assert math.dist(at, (x, y)) < 2, (one, at, (x, y))
        await expect(page.locator(".source")).to_have_text(APPROVAL)
        before = {number(one)[0] for one in tiles}
        for _ in range(2):
            await page.locator(".zoom").nth(1).click()
        await expect(page.locator(".map .scale").last).to_have_text("2.0 公里")
        assert (before, {number(one)[0] for one in await drawn(page)}) == ({15}, {14})
        for _ in range(3):  # so wide that hundreds of the coarsest tiles would be needed
            await page.locator(".zoom").nth(1).click()
        await expect(page.locator(".source")).to_have_text("底图没有这一级：放大可见")
        await expect(page.locator(".map image")).to_have_count(0)
        assert not [said for said in policy if "Content Security" in said]


async def test_a_missing_zoom_and_a_missing_tile(
    land: dict[tuple[int, int, int], bytes], tmp_path: Path, chromium: Browser
) -> None:
    gone = next(n for n in land if n[0] == 14)
    kept = {n: data for n, data in land.items() if n[0] in (13, 14) and n != gone}
    mbtiles(tmp_path / "m", kept)
    async with Rig(tmp_path, map={"file": tmp_path / "m"}) as rig:
        await rig.people()
        page = await map_of(chromium, rig)
        assert {number(one)[0] for one in await drawn(page)} == {14}  # 15 is not there
        await page.locator(".zoom").first.click()
        tiles = await drawn(page)
        assert {number(one)[0] for one in tiles} == {14}  # larger, rather than none
        assert tiles[0]["box"][2] > 256
        await expect(page.locator(".source")).to_have_text("底图：配置里没有写审图号")
        for _ in range(2):
            await page.locator(".zoom").nth(1).click()
        assert gone not in {number(one) for one in await drawn(page)}


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("missing", "没有底图文件 m，用示意图代替"),
        ("junk", "底图文件 m 打不开，用示意图代替"),
        ("vector", "底图文件 m 是矢量图"),
        ("elsewhere", "底图文件 m 不包含 十里铺卡点"),
    ],
)
async def test_without_a_map_that_can_be_shown_the_sketch_stands_in_and_says_why(
    what: str, says: str, tmp_path: Path, chromium: Browser
) -> None:
    path = tmp_path / "m"
    if what == "junk":
        path.write_bytes(random.Random(3).randbytes(20_000))
    elif what == "vector":
        here = next(n for n in numbers(range(12, 13)))
        pmtiles(path, {here: b"\x1f\x8b\x08 no picture"})
    elif what == "elsewhere":
        mbtiles(path, {(12, 5, 5): tile(12, 5, 5)})
    async with Rig(tmp_path, map={"file": path, "approval": APPROVAL}) as rig:
        await rig.people()
        page = await map_of(chromium, rig)
        await expect(page.locator(".source[data-fault]")).to_contain_text(says)
        await expect(page.locator(".map .ring")).to_have_count(4)
        await expect(page.locator(".map image")).to_have_count(0)
        await expect(page.locator(".map .name.village").first).to_be_visible()
        await expect(page.locator(".mapbox")).not_to_contain_text(APPROVAL)  # of no map, no number


async def test_memory_stays_flat_while_the_map_is_moved(
    land: dict[tuple[int, int, int], bytes], tmp_path: Path, chromium: Browser
) -> None:
    pmtiles(tmp_path / "m", land)
    async with Rig(tmp_path, map={"file": tmp_path / "m"}) as rig:
        await rig.people()
        page = await map_of(chromium, rig)
        session = await page.context.new_cdp_session(page)

        async def used() -> tuple[float, int]:
            await session.send("HeapProfiler.collectGarbage")
            heap = (await session.send("Runtime.getHeapUsage"))["usedSize"] / 1e6
            return heap, (await session.send("Memory.getDOMCounters"))["nodes"]

        async def move() -> None:
            for step in (1, 1, 0, 0):
                await page.locator(".zoom").nth(step).click()
                await drawn(page)

        await move()
        before = await used()
        for _ in range(6):
            await move()
        after = await used()
        assert after[0] - before[0] < 1.0, (before, after)  # MB
        assert after[1] - before[1] < 300, (before, after)


# WGS-84 and GCJ-02 of the tests of github.com/googollee/eviltransform (go/transform_test.go):
# Shanghai, Shenzhen, Beijing; to five decimals there, that is one metre.
KNOWN = [
    (31.1774276, 121.5272106, 31.17530398364597, 121.531541859215),
    (22.543847, 113.912316, 22.540796131694766, 113.9171764808363),
    (39.911954, 116.377817, 39.91334545536069, 116.38404722455657),
]
SHIFT = """async ([places, datum]) => {
  const {shown} = await import("/static/projection.js");
  return places.map(([lat, lon]) => shown(Math.round(lat * 1e7), Math.round(lon * 1e7), datum));
}"""
BACK = """async (places) => {
  const {default: gcoord} = await import("/static/gcoord.js");
  return places.map((place) => gcoord.transform(place, gcoord.GCJ02, gcoord.WGS84));
}"""


async def test_the_shift_to_gcj02(tmp_path: Path, chromium: Browser) -> None:
    draw = random.Random(5)
    places = [(lat, lon) for lat, lon, _, _ in KNOWN]
    places += [(draw.uniform(19, 49), draw.uniform(76, 133)) for _ in range(400)]
    async with Rig(tmp_path) as rig:
        page = await (await chromium.new_context()).new_page()
        await page.goto(rig.url)
        shifted = await page.evaluate(SHIFT, [places, "gcj02"])
        for (lat, lon), (east, north) in zip(places, shifted, strict=True):
            other = eviltransform.wgs2gcj(lat, lon)
            assert metres((north, east), other) < 0.1, (lat, lon)
            assert 30 < metres((north, east), (lat, lon)) < 1500
        for (*_, lat, lon), (east, north) in zip(KNOWN, shifted[:3], strict=True):
            assert metres((north, east), (lat, lon)) < 1.1
        for (lat, lon), (east, north) in zip(
            places, await page.evaluate(BACK, shifted), strict=True
        ):
            assert metres((north, east), (lat, lon)) < 0.2  # and back again
        abroad = [(35.68, 139.77), (-33.87, 151.21), (48.85, 2.35), (40.71, -74.0)]
        for datum, where in (("gcj02", abroad), ("wgs84", places)):
            same = await page.evaluate(SHIFT, [where, datum])
            for (lat, lon), (east, north) in zip(where, same, strict=True):
                assert metres((north, east), (lat, lon)) < 0.02


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    north = (a[0] - b[0]) * 111_320
    return math.hypot(north, (a[1] - b[1]) * 111_320 * math.cos(math.radians(a[0])))


async def test_a_map_in_gcj02_is_laid_under_wgs84_places_once_shifted(
    tmp_path: Path, chromium: Browser
) -> None:
    """The picture's own place of the checkpoint lies under the checkpoint's sign, to a few px;
    distances, bearings and what the server holds are as on any other map."""
    north, east = eviltransform.wgs2gcj(HERE[0] / 1e7, HERE[1] / 1e7)
    where = round(north * 1e7), round(east * 1e7)
    assert metres((north, east), (HERE[0] / 1e7, HERE[1] / 1e7)) > 300
    mbtiles(tmp_path / "m", {n: tile(*n) for n in numbers(range(15, 16), 2000)})
    lat, lon = HERE[0] + 36_000, HERE[1] + 30_000
    said: dict[str, str] = {}
    for datum in ("wgs84", "gcj02"):
        folder = tmp_path / datum
        folder.mkdir()
        async with Rig(folder, map={"file": tmp_path / "m", "datum": datum}) as rig:
            await rig.people()
            rig.board.put("unit", "u-0001", {"lat": lat, "lon": lon, "tst": int(time.time())})
            page = await map_of(chromium, rig)
            tiles = {number(one): one for one in await drawn(page)}
            one = tiles[15, *next(around(*(where if datum == "gcj02" else HERE), 15))]
            x, y = await page.evaluate(HOME)
            wanted = where if datum == "gcj02" else HERE
            assert math.dist(place(one, wanted[0] / 1e7, wanted[1] / 1e7), (x, y)) < 2
            dot = await page.evaluate(
                "document.querySelector('.map .person').getAttribute('transform')"
                ".match(/[\\d.]+/g).map(Number)"
            )
            inside = eviltransform.wgs2gcj(lat / 1e7, lon / 1e7)
            inside = inside if datum == "gcj02" else (lat / 1e7, lon / 1e7)
            assert math.dist(place(one, *inside), dot) < 3
            await page.locator(".map .person .dot").click()
            said[datum] = await page.locator(".pickedlist").inner_text()
            assert rig.board.get("unit", "u-0001")["lat"] == lat  # WGS-84 kept
            await page.context.close()
    assert said["wgs84"] == said["gcj02"]


def test_the_shift_stands_in_one_place() -> None:
    users = [
        path.name for path in STATIC.glob("*.js")
        if "gcoord" in path.read_text() and path.name != "gcoord.js"
    ]  # fmt: skip
    assert users == ["projection.js"]
    assert (STATIC / "projection.js").read_text().count("gcoord.transform(") == 1


def test_gcoord_is_what_its_makers_published_with_its_licence() -> None:
    licence, _, code = (STATIC / "gcoord.js").read_text().partition("*/\n")
    assert hashlib.sha256(code.encode()).hexdigest() == GCOORD
    assert "MIT License" in licence and "Jiulong Hu" in licence


def test_the_made_up_land_has_every_zoom() -> None:
    assert {z for z, _, _ in numbers()} == set(ZOOMS)
