"""LTE: a SIMCom A76xx on a UART: on, registered, dialled (PPP), hung up, off; and SMS.

What matters is the order at the end: PPP must be down before the modem is told anything, and the
modem must have answered before its power is taken, or the network keeps a dead context for minutes
and refuses the next one. An SMS needs command mode, so it hangs up, sends and dials again: it is
sent only when no data link works anyway.
"""

import asyncio

import network
from machine import UART, Pin

from drivers.at import At, ModemError
from drivers.pins import uart_of

BAUD = 115200
ON_PULSE_MS = 500  # A7670 hardware design: >= 50 ms
OFF_PULSE_MS = 2600  # >= 2.5 s
BOOT_MS = 16_000  # to the first answer
REGISTER_MS = 90_000
DIAL_MS = 30_000
DOWN_MS = 10_000
GUARD_MS = 1100  # of silence around +++
PAUSE_MS = (2000, 5000, 15_000, 30_000, 60_000)  # after each failure in a row
_POLL_MS = 200


class Lte:
    """`up`: there is an address. settings: {"apn", "broker"}."""

    name = "lte"

    def __init__(self, rows: dict, settings: dict, clock, on_change, post, log):
        """on_change(name, up); post(event) hears ("sms_sent", ok); log(text)."""
        tx, rx = rows["modem_tx"], rows["modem_rx"]
        self._uart = UART(uart_of(tx), baudrate=BAUD, tx=tx.gpio, rx=rx.gpio, rxbuf=2048)
        self._at = At(self._uart, clock)
        self._key, self._key_on = _output(rows["modem_pwrkey"])
        self._reset, self._reset_on = _output(rows["modem_reset"])
        status = rows["modem_status"]
        self._status = Pin(status.gpio, Pin.IN)
        self._status_on = 1 if status.active == "high" else 0
        self._apn = settings["apn"]
        self.broker = settings["broker"]
        self._clock = clock
        self._on_change = on_change
        self._post = post
        self._log = log
        self._wanted = False
        self._sms = None  # (number, text) to send
        self._failures = 0
        self.up = False

    def want(self, on: bool) -> None:
        self._wanted = on

    def sms(self, number: str, text: str) -> None:
        """Send it as soon as the modem can; ("sms_sent", ok) follows."""
        if number:
            self._sms = (number, text)
        else:
            self._post(("sms_sent", False))

    async def run(self):
        while True:
            if not self._wanted and self._sms is None:
                await self._off()
                await asyncio.sleep_ms(_POLL_MS)
                continue
            try:
                await self._on()
                await self._register()
                await self._send_sms()
                if self._wanted:
                    await self._online()
                self._failures = 0
            except ModemError as error:
                self._log("lte: %s" % error)
                if self._sms is not None:
                    self._sms = None
                    self._post(("sms_sent", False))
                await self._restart()

    # --- power -----------------------------------------------------------------------------
    def _powered(self):
        return self._status.value() == self._status_on

    async def _on(self):
        if not self._powered():
            await self._pulse(self._key, self._key_on, ON_PULSE_MS)
        began = self._clock.now_ms()
        while True:
            try:
                await self._at.ask("AT", timeout_ms=500)
                break
            except ModemError:
                if self._clock.now_ms() - began > BOOT_MS:
                    raise
        await self._at.ask("ATE0")

    async def _off(self):
        """Switch off what is on, and wait until it is."""
        if not self._powered():
            return
        try:
            await self._at.ask("AT+CPOF")
        except ModemError:
            await self._pulse(self._key, self._key_on, OFF_PULSE_MS)
        await self._until(lambda: not self._powered(), DOWN_MS)

    async def _restart(self):
        """After a fault wait, longer each time; from the second in a row on, reset the modem."""
        pause = PAUSE_MS[min(self._failures, len(PAUSE_MS) - 1)]
        self._failures += 1
        if self._failures > 1:
            await self._pulse(self._reset, self._reset_on, ON_PULSE_MS)
        await self._until(lambda: not self._wanted and self._sms is None, pause)

    async def _pulse(self, pin, level, length_ms):
        pin.value(level)
        await asyncio.sleep_ms(length_ms)
        pin.value(1 - level)

    async def _until(self, condition, timeout_ms):
        deadline = self._clock.now_ms() + timeout_ms
        while not condition() and self._clock.now_ms() < deadline:
            await asyncio.sleep_ms(_POLL_MS)
        return condition()

    # --- network ---------------------------------------------------------------------------
    async def _register(self):
        (sim,) = await self._at.ask("AT+CPIN?", "+CPIN:") or ("absent",)
        if sim != "READY":
            raise ModemError("SIM %s" % sim)
        await self._at.ask('AT+CGDCONT=1,"IP","%s"' % self._apn)
        deadline = self._clock.now_ms() + REGISTER_MS
        while True:
            answer = await self._at.ask("AT+CEREG?", "+CEREG:")
            fields = answer[0].split(",") if answer else []
            if len(fields) > 1 and fields[1].strip() in ("1", "5"):  # home, roaming
                return
            if self._clock.now_ms() > deadline:
                raise ModemError("no network in %d s" % (REGISTER_MS // 1000))
            await asyncio.sleep_ms(1000)

    async def rssi(self):
        """dBm from AT+CSQ, or None; in command mode only."""
        answer = await self._at.ask("AT+CSQ", "+CSQ:")
        level = int(answer[0].split(",")[0]) if answer else 99
        return None if level == 99 else 2 * level - 113

    async def _online(self):
        await self._at.ask("ATD*99#", timeout_ms=DIAL_MS)
        ppp = network.PPP(self._uart)
        ppp.active(True)
        ppp.connect()
        try:
            if not await self._until(ppp.isconnected, DIAL_MS):
                raise ModemError("PPP: no address in %d s" % (DIAL_MS // 1000))
            self._tell(True)
            self._failures = 0
            while self._wanted and self._sms is None and ppp.isconnected():
                await asyncio.sleep_ms(_POLL_MS)
            lost = self._wanted and self._sms is None
        finally:
            self._tell(False)
        await self._hang_up(ppp)
        if lost:
            raise ModemError("the connection was lost")

    async def _hang_up(self, ppp):
        """PPP down first, then command mode, then the call."""
        ppp.disconnect()
        await self._until(lambda: not ppp.isconnected(), DOWN_MS)
        ppp.active(False)
        await asyncio.sleep_ms(GUARD_MS)
        self._uart.write(b"+++")
        await asyncio.sleep_ms(GUARD_MS)
        await self._at.ask("ATH")

    def _tell(self, up):
        if up != self.up:
            self.up = up
            self._on_change(self.name, up)

    # --- SMS -------------------------------------------------------------------------------
    async def _send_sms(self):
        if self._sms is None:
            return
        number, text = self._sms
        await self._at.ask("AT+CMGF=1")  # text mode
        await self._at.ask_text('AT+CMGS="%s"' % number, text.encode())
        self._sms = None
        self._post(("sms_sent", True))


def _output(row):
    level = 1 if row.active == "high" else 0
    return Pin(row.gpio, Pin.OUT, value=1 - level), level
