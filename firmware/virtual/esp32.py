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

_values = {}  # key -> (where it lies in the log, size): the chip keeps them in its flash
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
        _values[key] = (at, size)
    else:
        _values.pop(key, None)


def _read(key):
    """A value, or None."""
    if key not in _values:
        return None
    at, size = _values[key]
    _file.seek(at)
    return _file.read(size)


def _entries(value):
    return 1 if len(value) == 4 else 2 + (len(value) + 31) // 32


def _write(key, value):
    global _page_free, _pages_free, _end
    need = _entries(value)
    if need > _page_free:
        if _pages_free:
            _pages_free -= 1
            _page_free = PAGE_ENTRIES
        else:  # the fullest page of old values is copied together and erased
            world.erase(2)
            _page_free = PAGE_ENTRIES
    _page_free -= need
    _file.seek(_end)
    _file.write(struct.pack("<HH", len(key), len(value)) + key + value)
    _end += 4 + len(key) + len(value)
    _remember(key, _end - len(value), len(value))


class NVS:
    """One namespace."""

    def __init__(self, namespace):
        if _file is None:
            _load()
        self._space = namespace.encode() + b"\x00"

    def _key(self, key):
        if len(key) > 15:
            raise OSError(TOO_LONG)
        return self._space + key.encode()

    def _get(self, key):
        value = _read(self._key(key))
        if value is None:
            raise OSError(NOT_FOUND)
        return value

    def _set(self, key, value):
        key = self._key(key)
        if _read(key) != value:  # ESP-IDF does not write what is there already
            _write(key, value)

    def set_i32(self, key, value):
        self._set(key, struct.pack("<i", value))

    def get_i32(self, key):
        return struct.unpack("<i", self._get(key))[0]

    def set_blob(self, key, value):
        value = bytes(value)
        if not value:
            raise ValueError("an empty blob")
        # Five bytes at the least tell a blob from an integer in this model.
        self._set(key, b"\x00" + len(value).to_bytes(4, "little") + value)

    def get_blob(self, key, buffer):
        value = self._get(key)[5:]
        if len(value) > len(buffer):
            raise OSError(-0x110C)  # ESP_ERR_NVS_INVALID_LENGTH
        buffer[: len(value)] = value
        return len(value)

    def erase_key(self, key):
        self._get(key)
        key = self._key(key)
        _write(key, b"")

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


def raw_temperature():
    """Degrees Fahrenheit, as the chip says it."""
    return 104
