"""`esp32`: NVS of integers and blobs (no strings, pages that fill), and one raw flash sector.

NVS as ESP-IDF keeps it: 32-byte entries, 126 to a page of 4 KB, everything appended; a value that
is written again leaves its old entries behind until their page is erased. So most writes cost no
erase, and one in many does: that one is what the SOS path must not meet.
"""

import struct

import flash
import world

NOT_FOUND = -0x1102  # ESP_ERR_NVS_NOT_FOUND
TOO_LONG = -0x1109  # ESP_ERR_NVS_KEY_TOO_LONG
PAGE_ENTRIES = 126
PAGES = 6  # 24 KB of the standard partition table, one page always kept empty
_I32, _BLOB = b"i", b"b"  # before the key in the log
_PIECE = 64  # bytes: in one piece a value would take memory of the unit, and the chip takes none

_values = {}  # key -> where its value lies in the log: the chip keeps them in its flash
_file = None
_end = 0  # of the log
_page_free = PAGE_ENTRIES
_pages_free = PAGES - 2


def _load():
    """Read the log; a record that a kill cut off is not there."""
    global _file, _end
    whole = world.there("nvs.log")
    _file = open(world.path("nvs.log"), "r+b" if whole else "w+b")
    length = _file.seek(0, 2)
    while _end + 4 <= length:
        _file.seek(_end)
        name, size = struct.unpack("<HH", _file.read(4))
        end = _end + 4 + name + size
        if end > length:
            break
        _remember(_file.read(name), end - size, size)
        _end = end
    if _end < length:  # a kill cut the last one off
        _file.seek(0)
        whole = _file.read(_end)
        _file.close()
        _file = open(world.path("nvs.log"), "w+b")
        _file.write(whole)


def _remember(key, at, size):
    if size:
        _values[key] = at
    else:
        _values.pop(key, None)


def _find(key):
    """Seeks a value; its size, or None."""
    if key not in _values:
        return None
    _file.seek(_values[key] - len(key) - 2)
    (size,) = struct.unpack("<H", _file.read(2))
    _file.seek(len(key), 1)
    return size


def _holds(key, value):
    if _find(key) != len(value):
        return False
    for at in range(0, len(value), _PIECE):
        if _file.read(_PIECE) != value[at : at + _PIECE]:
            return False
    return True


def _write(key, value, entries):
    global _page_free, _pages_free, _end
    if entries > _page_free:
        if _pages_free:
            _pages_free -= 1
            _page_free = PAGE_ENTRIES
        else:  # the fullest page of old values is copied together and erased
            world.erase(2)
            _page_free = PAGE_ENTRIES
    _page_free -= entries
    _file.seek(_end)
    for piece in (struct.pack("<HH", len(key), len(value)), key, value):
        _file.write(piece)
    _end += 4 + len(key) + len(value)
    _remember(key, _end - len(value), len(value))


class NVS:
    """One namespace. An integer and a blob of one key are two entries."""

    def __init__(self, namespace):
        if _file is None:
            _load()
        self._space = namespace.encode() + b"\x00"

    def _key(self, key, kind):
        if len(key) > 15:
            raise OSError(TOO_LONG)
        return self._space + kind + key.encode()

    def _size(self, key):
        size = _find(key)
        if size is None:
            raise OSError(NOT_FOUND)
        return size

    def set_i32(self, key, value):
        key, value = self._key(key, _I32), struct.pack("<i", value)
        if not _holds(key, value):  # ESP-IDF does not write what is there already
            _write(key, value, 1)

    def get_i32(self, key):
        return struct.unpack("<i", _file.read(self._size(self._key(key, _I32))))[0]

    def set_blob(self, key, value):
        if not value:
            raise ValueError("an empty blob")
        key, value = self._key(key, _BLOB), memoryview(value)
        if not _holds(key, value):
            _write(key, value, 2 + (len(value) + 31) // 32)

    def get_blob(self, key, buffer):
        size = self._size(self._key(key, _BLOB))
        if size > len(buffer):
            raise OSError(-0x110C)  # ESP_ERR_NVS_INVALID_LENGTH
        _file.readinto(memoryview(buffer)[:size])
        return size

    def erase_key(self, key):
        found = [k for k in (self._key(key, _I32), self._key(key, _BLOB)) if k in _values]
        if not found:
            raise OSError(NOT_FOUND)
        for key in found:
            _write(key, b"", 1)

    def commit(self):
        """Writes are on flash already, as with ESP-IDF's blobs."""


class Partition:
    """Only what the unit asks for: `phy_init`, a raw sector of its own."""

    @classmethod
    def find(cls, type=1, subtype=0xFF, label=None, block_size=4096):
        if label != "phy_init":
            return []
        return [flash.Partition(world.path(label + ".img"), block_size, world.LATCH)]


WAKEUP_ALL_LOW, WAKEUP_ANY_HIGH = False, True


def wake_on_ext0(pin, level):
    world.armed["ext0"] = None if pin is None else (pin, 1 if level else 0)


def wake_on_ext1(pins, level):
    """ESP32: all of them low or any of them high."""
    if pins and not level:
        raise ValueError("this model knows ANY_HIGH only")
    world.armed["ext1"] = tuple(pins or ())
