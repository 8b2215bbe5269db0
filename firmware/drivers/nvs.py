"""What must survive a reboot and is small: the core's kept values, and counters.

NVS has no list of its keys on MicroPython, so the names are kept beside the values. It takes no
empty blob either: an empty value is a key taken out. A value too long for it (a plan of many
points) is a file beside the program. Where there is no room, a value holds until the power goes:
nothing that is to be kept is worth more than the unit that keeps running.
"""

import os

import esp32

_NAMES = "_names"
_FILE = "kept-"
_LONGEST = 1900  # bytes: NVS keeps a blob in one page
_SHORT = 256  # a longer value, once it is kept, is not held in RAM as well


class Kept:
    """`values` is what was kept before this boot, {key: bytes}, and what is short since."""

    def __init__(self, space: str = "patrol"):
        self._nvs = esp32.NVS(space)
        self._numbers = {}  # those that found no room
        self.values = {}
        self._sizes = {}  # of all that is kept
        buffer = bytearray(_LONGEST)
        for name in (self._get(_NAMES, buffer) or b"").decode().split("\n"):
            value = self._get(name, buffer) if name else None
            if value is not None:
                self.values[name] = value
                self._sizes[name] = len(value)

    def _get(self, key, buffer):
        try:
            return bytes(buffer[: self._nvs.get_blob(key, buffer)])
        except OSError:
            pass  # not there; perhaps a long one
        try:
            with open(_FILE + key, "rb") as f:
                return f.read()
        except OSError:
            return None

    def set(self, key: str, value: bytes) -> bool:
        """Key of up to 15 characters; value of up to 8 KB. False: there is no room to keep it."""
        try:
            self._keep(key, value)
            return True
        except OSError:
            self.values[key] = value
            return False

    def _keep(self, key, value):
        known = key in self._sizes
        was_long = known and self._sizes[key] > _LONGEST
        if len(value) > _LONGEST:
            self._write(key, value)
        elif value:
            self._nvs.set_blob(key, value)
        if known and not was_long and not 0 < len(value) <= _LONGEST:
            self._nvs.erase_key(key)
        if was_long and len(value) <= _LONGEST:
            os.remove(_FILE + key)
        self.values.pop(key, None)
        if value:
            self._sizes[key] = len(value)
            if len(value) <= _SHORT:
                self.values[key] = value
        elif known:
            del self._sizes[key]
        if known != bool(value):
            names = "\n".join(self._sizes).encode()
            if names:
                self._nvs.set_blob(_NAMES, names)
            else:
                self._nvs.erase_key(_NAMES)
        self._nvs.commit()

    def _write(self, key, value):
        """Whole or not at all; the one in the NVS, which would win, goes after it."""
        try:
            with open(_FILE + "new", "wb") as f:
                f.write(value)
        except OSError:
            os.remove(_FILE + "new")  # what it has come to takes room
            raise
        os.rename(_FILE + "new", _FILE + key)

    def number(self, key: str) -> int:
        """A kept number of 31 bits, 0 at first."""
        if key in self._numbers:
            return self._numbers[key]
        try:
            return self._nvs.get_i32(key)
        except OSError:
            return 0

    def set_number(self, key: str, number: int) -> None:
        try:
            self._nvs.set_i32(key, number)
            self._nvs.commit()
            self._numbers.pop(key, None)
        except OSError:
            self._numbers[key] = number

    def count(self, key: str) -> int:
        """The next number under this key: 1, 2, 3 … over all boots."""
        self.set_number(key, self.number(key) + 1)
        return self.number(key)
