"""`machine` on a desk: pins, ADC, UART, RTC, watchdog of a virtual ESP32 (world.py is its outside).

Importing it is the power-on: the flash is mounted, as _boot.py of the ESP32 does before main.py.
"""

import os
import struct
import sys
import time
from _thread import start_new_thread

import flash
import lis3dh
import utime
import world  # before our own modules: it makes the path hold
from uart import UART, readable, uarts  # noqa: F401

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
_RESET_EXIT = 42  # exit code of reset(): whoever runs the virtual unit starts it again
# The `vfs` partition of a 4 MB board is 2 MB.
FLASH_BYTES = int(os.getenv("PATROL_FLASH_KB") or 2048) * 1024


class Pin:
    """Inputs read `levels`, outputs write `out` when they change."""

    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_UP, PULL_DOWN = 2, 1

    def __init__(self, gpio, mode=-1, pull=-1, value=None):
        if not 0 <= gpio < world.PINS:
            raise ValueError("invalid pin")
        self._gpio = gpio
        self._level = 0
        self._input = False
        self.init(mode, pull, value)

    def init(self, mode=-1, pull=-1, value=None):
        if mode != -1:
            self._input = mode == Pin.IN
        if value is not None:
            self.value(value)

    def value(self, level=None):
        with world.LOCK:
            if level is None:
                return self.level()
            level = 1 if level else 0
            if level != self._level:
                if self._gpio == _wires.get("i2c_scl"):
                    _bus.clock(level)
                    self._level = level
                    return
                self._level = level
                world.note(self._gpio, level)

    def level(self):
        """What stands at it; not part of the device's Pin. Call it with LOCK held."""
        if self._gpio == _wires.get("i2c_sda"):
            return _bus.sda()
        if self._gpio == _wires.get("accel_int"):
            _bus.pass_time()
            return _bus.chip.int1()
        if not self._input:
            return self._level
        _levels.seek(self._gpio)
        _levels.readinto(_level)
        return _level[0] & 1


class ADC:
    """`read_uv`, as on the ESP32 with its calibration."""

    ATTN_11DB = 3

    def __init__(self, pin, atten=None):
        self._gpio = pin._gpio

    def read_uv(self):
        with open(world.path("adc"), "rb") as f:
            f.seek(2 * self._gpio)
            return struct.unpack("<H", f.read(2))[0] * 1000


class I2C:
    """The accelerometer is all that hangs on it."""

    def __init__(self, number, scl, sda, freq=400000, timeout=50000):
        pass

    def readfrom_mem_into(self, address, register, buffer):
        _bus.transfer(address)
        buffer[:] = _bus.chip.read(register, len(buffer))

    def writeto_mem(self, address, register, data):
        _bus.transfer(address)
        _bus.chip.write(register, data[0])


def _felt(known):
    """What the world lets the accelerometer feel, when it is another file than the known one."""
    try:
        version = os.stat(world.path("accel"))[1]  # replaced by rename: another inode
    except OSError:
        return 0, "absent", []
    if version == known:
        return version, "", []
    with open(world.path("accel")) as f:
        mood = f.readline().strip()
        return version, mood, [tuple([int(word) for word in row.split()]) for row in f]


class RTC:
    """(year, month, day, weekday, hour, minute, second, microsecond)."""

    def datetime(self, fields=None):
        if fields is None:
            y, mo, d, h, mi, s, wd, _ = time.gmtime()[:8]
            return y, mo, d, wd, h, mi, s, 0
        y, mo, d, _, h, mi, s, _ = fields
        time.set_rtc(time.mktime((y, mo, d, h, mi, s, 0, 0, 0)))


class WDT:
    """Bites by SIGKILL when it was not fed: like the chip's, it asks nobody."""

    def __init__(self, id=0, timeout=5000):
        self._timeout = timeout
        with open("/proc/self/stat") as f:
            self._bite = "kill -9 " + f.read().split()[0]
        self.feed()
        start_new_thread(self._watch, ())

    def feed(self):
        self._fed = utime.ticks_ms()

    def _watch(self):
        while utime.ticks_diff(utime.ticks_ms(), self._fed) <= self._timeout:
            utime.sleep_ms(100)
        _remember("watchdog")
        os.system(self._bite)


def _remember(why):
    """For reset_cause() of the next run."""
    with open(world.path("reset"), "w") as f:
        f.write(why)


def reset():
    _remember("software")
    sys.exit(_RESET_EXIT)


def reset_cause():
    """What the last run left behind; nothing left is a cut of the power."""
    return _cause


def unique_id():
    return b"\x02\x00\x00" + bytes(world.DIR.encode())[-3:]


def lightsleep(time_ms):
    """Both cores stand still for so long, or until an armed pin has its level.

    The modem's ring (`modem_ri`), where it is armed, comes with data for a socket.
    """
    end = utime.ticks_add(utime.ticks_ms(), time_ms)
    with world.LOCK:
        world.note(world.SLEEP, 1)
        while utime.ticks_diff(end, utime.ticks_ms()) > 0 and not _woken():
            utime.sleep_ms(2)
        for line in uarts:
            line.sleep()
        world.note(world.SLEEP, 0)


def _woken():
    ext0 = world.armed["ext0"]
    if ext0 is not None and ext0[0].level() == ext0[1]:
        return True
    for pin in world.armed["ext1"]:
        if pin.level() or (
            pin._gpio == _wires.get("modem_ri") and any([readable(s) for s in world.sockets])
        ):
            return True
    return False


def witness(boot, seq, name):
    """Only a virtual unit has one: an outside account of every record that it accepted."""
    if world.there("ledger"):
        with open(world.path("ledger"), "a") as f:
            f.write("%s %d %s\n" % (boot, seq, name))


def _pin_map():
    """(signal, gpio, active) of each row of the board's pins.csv.

    Not by drivers.pins: the linked unit has that inside, and a second one would be its heap.
    """
    with open("pins.csv") as f:
        columns = f.readline().strip().split(",")
        wanted = [columns.index(name) for name in ("signal", "gpio", "active")]
        for line in f:
            cells = line.split(",")
            signal, gpio, active = [cells[at] for at in wanted]
            if signal:
                yield signal, int(gpio), active


def _power_on():
    flash.power_on(FLASH_BYTES)
    idle_levels = {}
    for signal, gpio, active in _pin_map():
        idle_levels[gpio] = 1 if active == "low" else 0
        if signal in ("i2c_sda", "i2c_scl", "accel_int", "modem_ri"):
            _wires[signal] = gpio
    world.begin(idle_levels)
    try:
        with open(world.path("reset")) as f:
            why = f.read()
        os.remove(world.path("reset"))
    except OSError:
        why = "power"
    return {"software": SOFT_RESET, "watchdog": WDT_RESET}.get(why, PWRON_RESET)


_wires = {}  # {signal: gpio}: those the model itself plays
_bus = lis3dh.Bus(_felt, utime.ticks_ms)
_cause = _power_on()
_levels = open(world.path("levels"), "rb")
_level = bytearray(1)
