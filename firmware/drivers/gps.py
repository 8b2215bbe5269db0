"""The receiver's UART and its power; what the bytes mean is body_unit.gps's.

What the receiver is told after each power-on (which sentences, at which rate) is gps_setup's.
"""

import asyncio

from machine import UART, Pin

from body_unit.gps_setup import Setup
from body_unit.power import GPS_FIX_S, GPS_STILL_S
from drivers.pins import uart_of
from drivers.watched import alive

_POLL_MS = 40
_RX_BYTES = 1024  # a second of 9600 baud: the flash's worst erase does not lose a sentence
_READ = 128  # bytes at a time: three times what 9600 baud bring, and 1 Hz at any rate
_OFF_POLL_MS = 200


class Receiver:
    """`parser`: body_unit.gps.Gps. post(event) gets its events."""

    def __init__(self, rows: dict, parser, clock, post):
        rx, tx = rows["gps_rx"], rows["gps_tx"]
        self._uart = UART(uart_of(rx), baudrate=9600, rx=rx.gpio, tx=tx.gpio, rxbuf=_RX_BYTES)
        self._tx = tx.gpio
        power = rows.get("gps_power")
        self._power = Pin(power.gpio, Pin.OUT) if power else None
        self._on = power.active == "high" if power else True
        self._parser = parser
        self._clock = clock
        self._post = post
        self._mode = "off"
        self._next_ms = 0
        self._setup = Setup()
        self._powered = True
        self._switch(False)

    def mode(self, mode: str) -> None:
        """off; still: a fix every GPS_STILL_S; full: 1 Hz."""
        self._mode = mode

    def doing(self) -> str:
        """on or off: for power.SLEEPS_WITH."""
        return "on" if self._powered or self._mode == "full" else "off"

    def due_ms(self):
        """When it will be switched on next, as far as that is known; None: not by itself."""
        return self._next_ms if self._mode == "still" else None

    async def run(self):
        while True:
            alive("gps")
            if self._mode == "off":
                self._switch(False)
                await asyncio.sleep_ms(_OFF_POLL_MS)
            elif self._mode == "full":
                self._switch(True)
                await self._listen()
            else:
                await self._still()

    async def _still(self):
        """On for a few fixes, off for the rest of the minute; a change of mode ends it."""
        began = self._clock.now_ms()
        self._next_ms = began + GPS_STILL_S * 1000
        while self._mode == "still":
            alive("gps")
            spent = self._clock.now_ms() - began
            if spent >= GPS_STILL_S * 1000:
                return
            on = spent < GPS_FIX_S * 1000
            self._switch(on)
            if on:
                await self._listen()
            else:
                await asyncio.sleep_ms(_OFF_POLL_MS)

    async def _listen(self):
        await asyncio.sleep_ms(_POLL_MS)
        data = self._uart.read(_READ) or b""  # none as well: a fix expires, the set-up goes on
        now_ms = self._clock.now_ms()
        for event in self._parser.feed(data, now_ms):
            self._post(event)
        self._tell(self._setup.feed(data, now_ms))

    def _tell(self, effects):
        for effect in effects:
            if effect[0] == "write":
                self._uart.write(effect[1])
            elif effect[0] == "baud":
                self._uart.init(baudrate=effect[1])

    def _switch(self, on):
        if on == self._powered:
            return
        self._powered = on
        if self._power is not None:
            if on:
                self._uart.init(tx=self._tx)
            else:  # a line that idles high would feed a receiver that is off, through its input
                Pin(self._tx, Pin.OUT, value=0)
            self._power.value(on == self._on)
        if on:
            self._tell(self._setup.begin(self._clock.now_ms()))
