"""LTE: a SIMCom A76xx on a UART: on, registered, dialled (PPP), hung up, off; and SMS.

What matters is the order at the end: PPP must be down before the modem is told anything, and the
modem must have answered before its power is taken, or the network keeps a dead context for minutes
and refuses the next one. An SMS needs command mode, so it hangs up, sends and dials again: it is
sent only when no data link works anyway.

Power: online and idle it sleeps between paging cycles while DTR is high (AT+CSCLK=1; the CPU holds
it high while it sleeps itself, and RI rings for what comes). Not wanted it is off, or, by the
policy (power.MODEM), left to the network's power saving mode: it then goes off by itself with its
registration kept, and the power key wakes it.
"""

import asyncio

import network
from machine import UART, Pin

from body_unit.power import PSM_ACTIVE_S, PSM_TAU_H
from drivers.at import At, ModemError
from drivers.pins import uart_of
from drivers.watched import alive

BAUD = 115200
ON_PULSE_MS = 500  # A7670 hardware design: >= 50 ms
OFF_PULSE_MS = 2600  # >= 2.5 s
BOOT_MS = 16_000  # to the first answer
ANSWER_MS = (500, 1000, 2000, 4000)  # for the first answers: a modem that boots is silent or slow
SYNC_MS = 10_000  # until late answers to those are through
PSM_FALLS_MS = 60_000  # not asleep by then: the network grants no power saving mode
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
        self._at = At(self._uart, clock, self._beat)
        self._key, self._key_on = _output(rows["modem_pwrkey"])
        self._reset, self._reset_on = _output(rows["modem_reset"])
        self._dtr, self._dtr_on = _output(rows["modem_dtr"])
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
        self._rest = "off"
        self._busy = False
        self.up = False
        self.rssi = None  # dBm when it was switched on last, None: no signal or not asked yet

    def _beat(self):
        alive(self.name)

    def want(self, on: bool) -> None:
        self._wanted = on

    def rest(self, how: str) -> None:
        """off or psm: what it does from the next time on when it is not wanted."""
        self._rest = how

    def doing(self) -> str:
        """off, up, or busy between the two: for power.SLEEPS_WITH."""
        return "up" if self.up else "busy" if self._busy else "off"

    def powered(self) -> bool:
        """Whether it is on. While it is not, RI reads as if it rang."""
        return self._status.value() == self._status_on

    def nap(self, on: bool) -> None:
        """The CPU goes to sleep: so may the modem. Or it is back."""
        self._dtr.value(self._dtr_on if on else 1 - self._dtr_on)

    def sms(self, number: str, text: str) -> None:
        """Send it as soon as the modem can; ("sms_sent", ok) follows."""
        if number:
            self._sms = (number, text)
        else:
            self._post(("sms_sent", False))

    async def run(self):
        while True:
            self._beat()
            if not self._needed():
                await (self._doze() if self._rest == "psm" else self._off())
                self._busy = False
                await asyncio.sleep_ms(_POLL_MS)
                continue
            self._busy = True
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

    def _needed(self):
        return self._wanted or self._sms is not None

    # --- power -----------------------------------------------------------------------------
    async def _on(self):
        if not self.powered():
            await self._pulse(self._key, self._key_on, ON_PULSE_MS)
        began = self._clock.now_ms()
        tried = 0
        while True:
            try:
                await self._at.ask("AT", timeout_ms=ANSWER_MS[min(tried, len(ANSWER_MS) - 1)])
                break
            except ModemError:
                tried += 1
                if self._clock.now_ms() - began > BOOT_MS:
                    raise
        self.rssi = _dbm(await self._at.ask("AT+CSQ", "+CSQ:", SYNC_MS))
        await self._at.ask("ATE0")

    async def _doze(self):
        """PSM takes it off by itself; where the network grants none, it is switched off."""
        if not await self._until(lambda: self._needed() or not self.powered(), PSM_FALLS_MS):
            self._log("lte: no power saving mode here")
            await self._off()

    async def _off(self):
        """Switch off what is on, and wait until it is."""
        if not self.powered():
            return
        try:
            await self._at.ask("AT+CPOF")
        except ModemError:
            await self._pulse(self._key, self._key_on, OFF_PULSE_MS)
        await self._until(lambda: not self.powered(), DOWN_MS)

    async def _restart(self):
        """After a fault wait, longer each time; from the second in a row on, reset the modem."""
        pause = PAUSE_MS[min(self._failures, len(PAUSE_MS) - 1)]
        self._failures += 1
        if self._failures > 1:
            await self._pulse(self._reset, self._reset_on, ON_PULSE_MS)
        self._busy = False
        await self._until(lambda: not self._needed(), pause)

    async def _pulse(self, pin, level, length_ms):
        pin.value(level)
        await asyncio.sleep_ms(length_ms)
        pin.value(1 - level)

    async def _until(self, condition, timeout_ms):
        deadline = self._clock.now_ms() + timeout_ms
        while not condition() and self._clock.now_ms() < deadline:
            self._beat()
            await asyncio.sleep_ms(_POLL_MS)
        return condition()

    # --- network ---------------------------------------------------------------------------
    async def _register(self):
        (sim,) = await self._at.ask("AT+CPIN?", "+CPIN:") or ("absent",)
        if sim != "READY":
            raise ModemError("SIM %s" % sim)
        await self._at.ask('AT+CGDCONT=1,"IP","%s"' % self._apn)
        await self._saving()
        deadline = self._clock.now_ms() + REGISTER_MS
        while True:
            answer = await self._at.ask("AT+CEREG?", "+CEREG:")
            fields = answer[0].split(",") if answer else []
            if len(fields) > 1 and fields[1].strip() in ("1", "5"):  # home, roaming
                return
            if self._clock.now_ms() > deadline:
                raise ModemError("no network in %d s" % (REGISTER_MS // 1000))
            await asyncio.sleep_ms(1000)

    async def _saving(self):
        """Sleep by DTR, and PSM as the policy wants it; one that knows neither just draws more."""
        psm = "AT+CPSMS=0"
        if self._rest == "psm":
            psm = 'AT+CPSMS=1,,,"%s","%s"' % (_timer(1, PSM_TAU_H), _timer(0, PSM_ACTIVE_S // 2))
        for command in ("AT+CSCLK=1", psm):
            try:
                await self._at.ask(command)
            except ModemError as error:
                self._log("lte: %s" % error)

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
                self._beat()
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
        if self._rest == "psm":  # the policy may have changed since it registered
            await self._saving()
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


def _dbm(answer):
    """3GPP TS 27.007 8.5: 0 to 31 in steps of 2 dBm from -113; 99 is unknown."""
    level = answer[0].split(",")[0] if answer else ""
    return 2 * int(level) - 113 if level.isdigit() and int(level) <= 31 else None


def _timer(unit, count):
    """3GPP TS 24.008 10.5.7.4a, 10.5.7.3: three bits of unit and five of count, as digits.

    T3412 extended: unit 1 is an hour; T3324: unit 0 is two seconds.
    """
    return "".join(["1" if (unit << 5 | count) & 1 << (7 - i) else "0" for i in range(8)])


def _output(row):
    level = 1 if row.active == "high" else 0
    return Pin(row.gpio, Pin.OUT, value=1 - level), level
