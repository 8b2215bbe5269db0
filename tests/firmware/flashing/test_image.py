"""Partition table, MicroPython image and LittleFS: what is read out of them and what is refused."""

from __future__ import annotations

import pytest

from flashing import filesystem, layout, micropython_image, partitions
from flashing.chip import PIECE, pieces
from flashing.errors import FlashError
from tests.fakes import micropython_image as fake

MB = 2**20


@pytest.mark.parametrize("megabytes", [4, 8, 16])
def test_the_file_system_follows_the_app_to_the_end_of_the_flash(megabytes: int) -> None:
    rows = partitions.parse(fake.table())
    found = partitions.file_system(rows, megabytes * MB)
    assert (found.offset, found.end) == (0x200000, megabytes * MB)


def test_a_vfs_row_of_an_older_image_counts() -> None:
    rows = partitions.parse(fake.table([*fake.ROWS, (b"vfs", 1, 0x81, 0x200000, 0x100000)]))
    assert partitions.file_system(rows, 16 * MB).size == 0x100000


@pytest.mark.parametrize("megabytes", [4, 8, 16])
def test_romfs_lies_between_the_app_and_the_file_system(megabytes: int) -> None:
    image = micropython_image.check(fake.make())
    places = layout.plan(image, megabytes * MB)
    rows = partitions.parse(places.image[0x7000 : 0x7000 + partitions.TABLE_SIZE])
    assert places.rom == partitions.Partition("romfs", 1, 0x8F, 0x200000, 0x80000)
    assert rows == [*image.rows, places.rom]
    assert max(row.end for row in rows) <= 4 * MB  # what the image's header says the flash has
    assert (places.home.offset, places.home.end) == (0x280000, megabytes * MB)
    changed = [at for at, byte in enumerate(places.image) if byte != image.content[at]]
    assert 0x7000 <= min(changed) <= max(changed) < 0x7000 + partitions.TABLE_SIZE
    regions = places.regions({"/rom/lib/a.mpy": b"M", "/main.py": b"import a\n"})
    assert [(at, len(content)) for at, content in regions[1:]] == [
        (0x200000, 0x80000),
        (0x280000, megabytes * MB - 0x280000),
    ]
    assert filesystem.read(regions[2][1]) == {"/main.py": b"import a\n"}
    with pytest.raises(FlashError, match="does not fit"):
        places.regions({"/rom/lib/a.mpy": b"M" * 0x80000})


def test_an_older_table_gives_the_room_from_its_own_row() -> None:
    older = partitions.parse(fake.table([*fake.ROWS, (b"vfs", 1, 0x81, 0x200000, 0x100000)]))
    rom, home = partitions.with_romfs(older)[-2:]
    assert (rom.label, rom.offset, rom.end) == ("romfs", 0x200000, home.offset)
    assert (home.label, home.end) == ("vfs", 0x300000)


def test_a_build_with_a_romfs_of_its_own_keeps_its_table() -> None:
    own = (b"romfs", 1, 0x8F, 0x200000, 0x20000)
    rows = partitions.parse(fake.table([*fake.ROWS, own]))
    assert partitions.with_romfs(rows) == rows


def test_a_table_is_rendered_as_it_was_parsed() -> None:
    assert partitions.render(partitions.parse(fake.table())) == fake.table()


def test_without_romfs_in_the_build_nothing_changes() -> None:
    content = fake.make(romfs=False)
    places = layout.plan(micropython_image.check(content), 4 * MB)
    assert (places.image, places.rom, places.home.offset) == (content, None, 0x200000)


@pytest.mark.parametrize("flash_size", [1 * MB, 2 * MB])
def test_a_flash_too_small_is_refused(flash_size: int) -> None:
    with pytest.raises(FlashError, match="too small"):
        partitions.file_system(partitions.parse(fake.table()), flash_size)


@pytest.mark.parametrize("at", [4, 40, 120])
def test_a_damaged_table_is_refused(at: int) -> None:
    broken = bytearray(fake.table())
    broken[at] ^= 1
    with pytest.raises(FlashError, match="partition table"):
        partitions.parse(bytes(broken))
    with pytest.raises(FlashError, match="partition table"):
        partitions.parse(b"\xff" * partitions.TABLE_SIZE)


def test_the_image_tells_its_version() -> None:
    image = micropython_image.check(fake.make())
    assert image.version == "1.29.0"
    assert [row.label for row in image.rows] == ["nvs", "phy_init", "factory"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no MicroPython image"),
        (b"<html>404</html>" * 9999, "no MicroPython image"),
        (fake.make()[:0xF000], "no MicroPython image"),
        (fake.make(chip=9), "another chip"),
        (fake.make().replace(b" on 2026-", b"__________"), "no MicroPython is inside"),
        (fake.make(version="1.24.1"), "1.24.1"),
    ],
)
def test_a_wrong_image_is_named(content: bytes, says: str) -> None:
    with pytest.raises(FlashError, match=says):
        micropython_image.check(content, "1.29.0")


def test_files_survive_the_image_and_the_rest_is_erased() -> None:
    files = {"/main.mpy": b"M" * 5000, "/lib/a/b.mpy": b"x", "/unit.json": b"{}"}
    image = filesystem.build(files, 2 * MB)
    assert len(image) == 2 * MB
    assert filesystem.read(image) == files
    assert filesystem.read(image, "/lib") == {"/lib/a/b.mpy": b"x"}
    assert filesystem.holds_one(image[:8192])
    blocks = [image[at : at + 4096] for at in range(0, len(image), 4096)]
    assert sum(block != b"\xff" * 4096 for block in blocks) <= 10


def test_too_many_files_are_refused() -> None:
    with pytest.raises(FlashError, match="does not fit"):
        filesystem.build({"/big": b"x" * MB}, MB // 2)


def test_a_blank_or_damaged_file_system_is_told_apart() -> None:
    assert not filesystem.holds_one(b"\xff" * 8192)
    with pytest.raises(FlashError, match="damaged"):
        filesystem.read(b"\x00" * MB)


@pytest.mark.parametrize("size", [1, PIECE - 0x1000, PIECE, 3 * PIECE + 5])
@pytest.mark.parametrize("at", [0, 0x1000, 2 * MB])
def test_pieces_are_the_whole_and_short(at: int, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    cut = pieces(at, content[:size])
    assert b"".join(part for _, part in cut) == content[:size]
    assert all(0 < len(part) <= PIECE for _, part in cut)
    assert [start for start, _ in cut[1:]] == [start + len(part) for start, part in cut[:-1]]
    assert all(start % PIECE == 0 for start, _ in cut[1:])
