"""A LIS3DH as a register model, and the bus it hangs on; what it feels is the world's file `accel`.

The file: a word for its mood (below), then "x y z" in mg a line, one for each 20 ms; the last one
stays. It may be replaced at any time; the first sample is then felt at once.

    ok       answers
    absent   nobody at its address (so does a board without the file)
    other    another chip there: WHO_AM_I is wrong
    nack     answers no more
    stuck    holds SDA low until it is clocked free
    reset    has lost its settings (answers `ok` once they are written again)
"""

import math

IS_ME = 0x33
STEP_MS = 20  # the model knows 50 Hz only
FIFO = 32
_CUT_OFF_HZ = 1.0
_KEEPS = 1 / (1 + 2 * math.pi * _CUT_OFF_HZ * STEP_MS / 1000)
ENODEV, ETIMEDOUT = 19, 110


class Engine:
    """One of the two interrupt generators: INTx_CFG at `base`, SRC, THS, DURATION behind it."""

    def __init__(self, base, latch_bit, filter_bit):
        self.base, self.latch_bit, self.filter_bit = base, latch_bit, filter_bit
        self.source = 0
        self._lasted = 0

    def feed(self, registers, raw, filtered):
        config = registers[self.base]
        limit = (registers[self.base + 2] & 0x7F) * 62
        values = filtered if registers[0x21] & self.filter_bit else raw
        flags = 0
        for axis in range(3):
            low, high = 1 << 2 * axis, 2 << 2 * axis
            flags |= high if abs(values[axis]) > limit else low
        wanted = config & 0x3F
        met = flags & wanted
        now = wanted and (met == wanted if config & 0x80 else met)
        self._lasted = self._lasted + 1 if now else 0
        if self._lasted > registers[self.base + 3]:
            self.source = 0x40 | met
        elif not registers[0x24] & self.latch_bit:
            self.source = 0

    def read(self, registers):
        value = self.source
        if registers[0x24] & self.latch_bit:
            self.source = 0
        return value


class Chip:
    """Registers as the data sheet has them; sample() is what its clock does 50 times a second."""

    def __init__(self):
        self.power_on()

    def power_on(self):
        self.registers = bytearray(64)
        self.registers[0x0F] = IS_ME
        self.registers[0x20] = 0x07
        self.engines = Engine(0x30, 0x08, 0x01), Engine(0x34, 0x02, 0x02)
        self.fifo = []
        self.overrun = False
        self._last = (0, 0, 0)
        self._high = (0, 0, 0)
        self._reset = False

    def int1(self):
        """Level of the pin INT1."""
        routed = self.registers[0x22]
        first, second = self.engines
        return int(bool((routed & 0x40 and first.source) or (routed & 0x20 and second.source)))

    def sample(self, x, y, z):
        registers = self.registers
        if not registers[0x20] & 0xF0:
            return  # power-down
        at = (x, y, z)
        if self._reset:  # the filter begins here
            self._reset = False
            self._last, self._high = at, (0, 0, 0)
        self._high = tuple(
            [_KEEPS * (high + new - old) for high, new, old in zip(self._high, at, self._last)]
        )
        self._last = at
        for engine in self.engines:
            engine.feed(registers, at, self._high)
        if registers[0x24] & 0x40 and registers[0x2E] & 0xC0 == 0x80:
            self.fifo = self.fifo[-FIFO + 1 :] + [at]
            self.overrun = len(self.fifo) == FIFO

    def write(self, register, value):
        self.registers[register & 0x7F] = value
        if register == 0x2E and not value & 0xC0:  # bypass empties it
            self.fifo = []
            self.overrun = False

    def read(self, register, count):
        first = register & 0x7F
        if first == 0x28 and register & 0x80:
            return self._samples(count)
        return bytes([self._one(first + i if register & 0x80 else first) for i in range(count)])

    def _one(self, register):
        if register == 0x26:
            self._reset = True
        for engine in self.engines:
            if register == engine.base + 1:
                return engine.read(self.registers)
        if register == 0x2F:
            return (
                (0x40 if self.overrun else 0)
                | (0x20 if not self.fifo else 0)
                | min(31, len(self.fifo))
            )
        return self.registers[register]

    def _samples(self, count):
        """With the FIFO on, the registers' number goes round from OUT_Z_H to OUT_X_L."""
        found = b""
        while len(found) < count:
            at = self.fifo.pop(0) if self.fifo else self._last
            for axis in at:
                digits = max(-2048, min(2047, int(axis) // 4)) << 4 & 0xFFFF
                found += bytes((digits & 0xFF, digits >> 8))
            self.overrun = False
        return found[:count]


class Bus:
    """The wires, and what the person does to the chip. look() -> (version, mood, samples)."""

    def __init__(self, look, now_ms):
        self.chip = Chip()
        self._look = look
        self._now_ms = now_ms
        self._version = None
        self.mood = "absent"
        self._samples = []
        self._at_ms = 0
        self._clocks = 0

    def pass_time(self):
        """Feel what came since the last time."""
        version, mood, samples = self._look(self._version)
        now = self._now_ms()
        if version != self._version:
            self._version, self._samples = version, samples
            self.mood = mood
            self._at_ms = now
            self._clocks = 9 if mood == "stuck" else 0
            if mood == "reset":
                self.chip.power_on()
                self.mood = "ok"
        while self._samples and now >= self._at_ms:
            self._at_ms += STEP_MS
            self.chip.sample(*self._samples[0])
            if len(self._samples) > 1:
                self._samples.pop(0)

    def sda(self):
        """Level of the wire while nobody of us pulls it."""
        self.pass_time()
        return 0 if self._clocks else 1

    def clock(self, level):
        if level and self._clocks:
            self._clocks -= 1
            if not self._clocks:
                self.mood = "ok"

    def transfer(self, address):
        """Raises what machine.I2C does."""
        self.pass_time()
        if self._clocks:
            raise OSError(ETIMEDOUT)
        if address != 0x18 or self.mood in ("absent", "nack"):
            raise OSError(ENODEV)
        self.chip.registers[0x0F] = 0x32 if self.mood == "other" else IS_ME
