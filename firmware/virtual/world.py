"""The world outside a virtual unit: a directory, so that a test, a shell or a person can be it.

PATROL_STATE names the directory. What lies there:

    files/      what flashing writes (unit.json, pins.csv, *.der): copied to an empty flash
    flash.img   the `vfs` partition, a real LittleFS (flash.py); nvs.log the NVS (esp32.py)
    levels      one character 0 or 1 for each GPIO: what the outside does to the pins
    adc         two bytes for each GPIO, little-endian: millivolts at the pin
    out         what the unit does, in records of 8 bytes: host ms u32, what u8, value u8, 2 spare;
                `what` is a GPIO, or one of the codes below
    uart1 …     Unix sockets somebody listens on: the other end of that UART; uart1.rx: its buffer
    accel       what the accelerometer feels (lis3dh.py)
    wifi        networks in range: lines of "ssid<tab>password<tab>rssi"
    lte         "1" while the cell answers
    dns         lines of "name<tab>address"; a name that is not there takes DNS_MS to fail
    ledger      "boot seq name" of every record accepted, when the file is there

All times in the files are the host's CLOCK_MONOTONIC in ms, so that two processes can compare them.

The device has one interpreter lock, the unix port has none. `LOCK` is held for as long as the ESP32
stops its other threads: a flash erase, TLS arithmetic. Whoever touches a pin takes it.
"""

import os
import struct
import sys
from _thread import allocate_lock

import utime


def absolute(name):
    """A path that holds after the unit has gone to its flash."""
    return name if name.startswith("/") else os.getcwd() + "/" + name


# asyncio counts in the ticks of the port's own C code; only our code gets the ESP32's (time.py).
sys.modules["time"] = utime
import asyncio  # noqa: E402, F401

del sys.modules["time"]

sys.path[:] = [p if p in ("", ".frozen") else absolute(p) for p in sys.path]
DIR = absolute(os.getenv("PATROL_STATE") or "run/unit")
# An erase of 4 KB stops both cores: data sheets of the usual flash say 45 ms typical, 400 ms worst.
ERASE_MS = int(os.getenv("PATROL_ERASE_MS") or 45)
ERASE_WORST_MS = 400
ERASE_WORST_EVERY = 1000
TLS_MS = int(os.getenv("PATROL_TLS_MS") or 120)  # one flight of a P-256 handshake at 240 MHz
DNS_MS = 5000  # lwIP's patience with a name nobody answers for

PINS = 40
# codes in `out`: a flash erase, a write of the SOS latch, light sleep (1 begins, 0 ends), the end
# of a name's lookup (how many addresses it has)
ERASE, LATCH, SLEEP, LOOKUP = 0xFE, 0xFD, 0xFC, 0xFB

armed = {"ext0": None, "ext1": ()}  # what ends a light sleep: (pin, level); pins, any of them high
sockets = []  # the last ones made: what comes for them is data that a modem would ring for
_erases = 0
_record = bytearray(8)
LOCK = allocate_lock()


def path(name):
    """Where `name` lies in the world."""
    return DIR + "/" + name


_out = open(path("out"), "ab")


def there(name):
    """Whether the world has it."""
    try:
        os.stat(path(name))
        return True
    except OSError:
        return False


def lines(name):
    """The file's lines, split at tabs; none when it is not there."""
    try:
        with open(path(name)) as f:
            return [line.rstrip("\n").split("\t") for line in f if line.strip()]
    except OSError:
        return []


def note(what, value):
    """Write to `out`. Call it with LOCK held."""
    struct.pack_into("<IBBH", _record, 0, utime.ticks_ms() & 0xFFFFFFFF, what, value, 0)
    _out.write(_record)


def erase(where=0):
    """The time a flash erase takes, with everything else standing still. where: 0 file system,
    1 the SOS latch, 2 NVS."""
    global _erases
    _erases += 1
    with LOCK:
        note(ERASE, where)
        utime.sleep_ms(ERASE_MS if _erases % ERASE_WORST_EVERY else ERASE_WORST_MS)


def think(ms):
    """Arithmetic that keeps the interpreter lock."""
    with LOCK:
        utime.sleep_ms(ms)


def begin(idle):
    """Lay the files that are missing; `idle` is {gpio: level} of the inputs at rest."""
    if not there("levels"):
        with open(path("levels"), "wb") as f:
            f.write(bytes([0x30 + idle.get(gpio, 0) for gpio in range(PINS)]))
    if not there("adc"):
        with open(path("adc"), "wb") as f:
            f.write(struct.pack("<H", 2000) * PINS)
