"""The LIS3DH accelerometer: it watches by itself, wakes the CPU, and is read in bursts.

Its two interrupt engines do the waiting: number 1 looks for free fall (all axes low at once),
number 2 for motion, behind the chip's own high-pass filter, so that gravity does not count. Both
are latched and drive INT1, which wakes a sleeping CPU. The last 32 samples (0.64 s) lie in its
FIFO meanwhile: how the person stood before a fall is read after it.

Nothing here may stop anything else: every fault of the bus is an OSError within BUS_US, after which
the chip is left alone for RETRY_MS, and then the bus is freed and the chip set up anew.
"""

import asyncio
import time

from machine import I2C, Pin

from body_unit.fall import Fall
from body_unit.motion import Shaking

ADDRESS = 0x18  # SA0 to ground
IS_ME = 0x33
# Register names as in ST's data sheet (DocID17530, chapter 8).
WHO_AM_I = 0x0F
REFERENCE = 0x26
OUT_X_L = 0x28
FIFO_SRC = 0x2F
INT1_SRC = 0x31
INT2_SRC = 0x35
_ACTIVE = 0x40  # IA of INTx_SRC; OVRN of FIFO_SRC
_BURST = 0x80  # of the register's number: go on to the next one
# Register and value, written in this order.
SETUP = (
    b"\x20\x47"  # CTRL_REG1: 50 Hz, X, Y, Z
    b"\x21\x02"  # CTRL_REG2: high-pass for engine 2 only (HPIS2), its lowest cut-off: 1 Hz
    b"\x22\x60"  # CTRL_REG3: engines 1 and 2 to the pin INT1
    b"\x23\xa8"  # CTRL_REG4: whole samples only (BDU), 8 g full scale, 12 bits: 4 mg a digit
    b"\x24\x4a"  # CTRL_REG5: FIFO on; both engines latched until their source is read
    b"\x25\x00"  # CTRL_REG6: INT1 active high
    b"\x2e\x00"  # FIFO_CTRL: emptied by bypass ...
    b"\x2e\x80"  # ... then stream: the newest 32
    b"\x32\x06"  # INT1_THS: 62 mg each: 372 mg
    b"\x33\x03"  # INT1_DURATION: 60 ms
    b"\x30\x95"  # INT1_CFG: X, Y and Z low
    b"\x36\x02"  # INT2_THS: 124 mg
    b"\x37\x01"  # INT2_DURATION: 20 ms
    b"\x34\x2a"  # INT2_CFG: X or Y or Z high
)
FIFO = 32
_AT_ONCE = 8  # samples in a transfer
POLL_MS = 400  # the FIFO is full after 640
SILENT_POLLS = 5  # without one sample: the chip lost its settings
RETRY_MS = 60_000
BUS_US = 20_000  # the longest a transfer may take
_CLOCKS = 9


class Accelerometer:
    """`rows`: i2c_sda, i2c_scl of the pin map. Attach it before it runs."""

    def __init__(self, rows, clock):
        self._sda, self._scl = rows["i2c_sda"].gpio, rows["i2c_scl"].gpio
        self._clock = clock
        self._why = ""  # it does not answer
        self._one = bytearray(1)
        self._samples = memoryview(bytearray(6 * _AT_ONCE))
        self._fall = Fall()
        self._shaking = Shaking()
        self._empty = 0
        self.alive = self._begin()

    def attach(self, post, log):
        """post(event) hears what the core takes; log(text)."""
        self._post = post
        self._log = log

    def doing(self):
        """maybe, while the next seconds decide about a fall: for power.SLEEPS_WITH."""
        return "maybe" if self.alive and self._fall.suspects() else "no"

    async def run(self):
        if not self.alive:
            self._log(self._why)
        while True:
            if self.alive:
                await asyncio.sleep_ms(POLL_MS)
                self._poll()
            else:
                await asyncio.sleep_ms(RETRY_MS)
                if self._begin():
                    self._tell(True)

    # --- the chip -------------------------------------------------------------------------------
    def _begin(self):
        """Free the bus, set the chip up; False when it does not answer."""
        self._empty = 0
        try:
            self._free_bus()
            self._i2c = I2C(0, scl=Pin(self._scl), sda=Pin(self._sda), freq=400_000, timeout=BUS_US)
            if self._read(WHO_AM_I) != IS_ME:
                raise OSError("another chip at its address")
            for at in range(0, len(SETUP), 2):
                self._i2c.writeto_mem(ADDRESS, SETUP[at], SETUP[at + 1 : at + 2])
            self._read(REFERENCE)  # the high-pass filter begins at the present position
            self._read(INT1_SRC)
            self._read(INT2_SRC)
        except OSError as fault:
            self._why = "accelerometer: %s" % fault
            return False
        return True

    def _free_bus(self):
        """A reset in mid-byte leaves the chip holding SDA: clock it out (UM10204, 3.1.16)."""
        sda = Pin(self._sda, Pin.IN)
        scl = Pin(self._scl, Pin.OPEN_DRAIN, value=1)
        for _ in range(_CLOCKS):
            if sda.value():
                break
            scl.value(0)
            time.sleep_us(5)
            scl.value(1)
            time.sleep_us(5)
        sda = Pin(self._sda, Pin.OPEN_DRAIN, value=0)  # a stop: SDA rises while SCL is high
        time.sleep_us(5)
        sda.value(1)

    def _read(self, register):
        self._i2c.readfrom_mem_into(ADDRESS, register, self._one)
        return self._one[0]

    def _poll(self):
        try:
            shaken = self._read(INT2_SRC) & _ACTIVE
            self._read(INT1_SRC)  # its latch has done its part: we are awake
            waiting = self._read(FIFO_SRC)
            count = left = FIFO if waiting & _ACTIVE else waiting & 0x1F
            while left:
                some = min(left, _AT_ONCE)
                self._i2c.readfrom_mem_into(ADDRESS, OUT_X_L | _BURST, self._samples[: 6 * some])
                self._judge(6 * some)
                left -= some
        except OSError as fault:
            self._log("accelerometer: %s" % fault)
            self._tell(False)
            return
        self._empty = 0 if count else self._empty + 1
        if self._empty >= SILENT_POLLS:
            self._log("accelerometer: no samples")
            self._tell(self._begin())
            return
        event = self._shaking.feed(bool(shaken), self._clock.now_ms())
        if event is not None:
            self._post(event)

    def _judge(self, size):
        data = self._samples
        for at in range(0, size, 6):
            if self._fall.feed(
                _mg(data[at], data[at + 1]),
                _mg(data[at + 2], data[at + 3]),
                _mg(data[at + 4], data[at + 5]),
            ):
                self._post(("fall",))

    def _tell(self, alive):
        if alive != self.alive:
            self.alive = alive
            self._post(("accelerometer", alive))
            if not alive:
                self._fall = Fall()


def _mg(low, high):
    """12 bits, left-justified, two's complement, 4 mg a digit."""
    value = (high << 8 | low) >> 4
    return (value - 4096 if value & 0x800 else value) * 4
