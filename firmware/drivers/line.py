"""One link's way to its brokers: connect, keep the window full, give up in time, try again.

A line is made for each link (Wi-Fi, LTE) and works while its link is up. What is unacknowledged
when a connection ends is sent again with DUP to the same broker, or given back for another line.
"""

import asyncio
import os

from body_unit.power import KEEPALIVE_S
from drivers import backoff
from drivers.mqtt import LineError, Session
from patrol_contract.mqtt_packets import V311, Connect, Will

WINDOW = 8
RESERVED = 2  # of the window, for an SOS
HELLO_MS = 6000  # TCP, TLS and CONNACK: some 3 s at 300 ms and 64 kbit/s
_DOWN_POLL_MS = 200


class Stale(LineError):
    """This session is older than one that has ended: a new one is wanted."""


class Line:
    """`link`: .name, .up, .broker. `unit`: what the lines share (see shell.py)."""

    def __init__(self, link, brokers: dict, fleet: int, records, connector, unit, window=WINDOW):
        self.link = link
        self.task = "line " + link.name  # for the watchdog
        self._brokers = brokers
        self._fleet = fleet
        self._records = records
        self._connector = connector
        self._unit = unit
        self._window = window
        self._session = None
        self._kick = asyncio.Event()
        self._failures = 0
        self._stalls = 0
        self._fault_ms = 0
        self._left = ("", [])  # (broker, what its session left unacknowledged)
        self._fallback = ""
        self._number = 0  # of the session
        self._stale = False

    def alive(self, name: str, for_ms: int = 0) -> None:
        """Given from outside: care.Care.alive."""

    # --- asked by the shell --------------------------------------------------------------------
    def urgent(self) -> None:
        """Forget every back-off, now and once."""
        self._failures = 0
        self._stalls = 0
        self._kick.set()

    def pump(self) -> None:
        """Send what waits, as far as the window goes."""
        session = self._session
        while session is not None:
            free = session.free()
            record = self._records.take(self.link.name, free <= RESERVED) if free else None
            if record is None:
                return
            session.publish(record[2], record[3], False, record)

    def birth(self) -> None:
        """Publish the retained state, when connected."""
        if self._session is not None:
            topic, payload = self._unit.state(True, self._number, self.link.name)
            self._session.publish(topic, payload, True, None)

    def subscribe(self) -> None:
        """The topics have changed."""
        if self._session is not None:
            self._session.subscribe(self._unit.filters())

    def surrender(self) -> None:
        """Not connected: let another line send what is left here."""
        if self._session is None and self._left[1]:
            self._records.give_back(self.link.name, [left[1] for left in self._left[1]])
            self._left = ("", [])

    def renew(self, ended: int) -> None:
        """Session `ended`, over another link, is over: if it was the later one, connect anew.

        Our birth and the will that the broker holds bear the lower number: neither would count.
        """
        self._stale = self._session is not None and self._number < ended

    def quiet(self) -> bool:
        """Nothing is waited for here: the CPU may sleep."""
        return not self.link.up or (self._session is not None and self._session.quiet())

    # --- running -------------------------------------------------------------------------------
    async def run(self):
        while True:
            while not self.link.up:
                self.alive(self.task)
                self._fallback = ""
                await asyncio.sleep_ms(_DOWN_POLL_MS)
            broker = self._fallback or self.link.broker
            try:
                await self._connection(broker, self._brokers[broker])
            except Stale:
                continue
            except (LineError, OSError, asyncio.TimeoutError, MemoryError) as error:
                self._failed(error, broker)
            if self.link.up:
                await self._pause()

    def _failed(self, error, broker):
        now = self._unit.clock.now_ms()
        if now - self._fault_ms > backoff.CALM_MS:
            self._stalls = 0
        self._fault_ms = now
        self._failures += 1
        if isinstance(error, asyncio.TimeoutError) or getattr(error, "stalled", False):
            self._stalls += 1
        self._unit.log("%s %s: %s" % (self.link.name, broker, error or "no answer"))
        self._fallback = self._brokers[broker].get("then") or ""

    async def _pause(self):
        pause = backoff.pause_ms(
            self._failures,
            self._fleet,
            self._records.sos_open(),
            int.from_bytes(os.urandom(2), "big"),
        )
        self._kick.clear()
        self.alive(self.task, pause)
        try:
            await asyncio.wait_for_ms(self._kick.wait(), pause)
        except asyncio.TimeoutError:
            pass  # the usual end of a pause

    def _patience(self):
        self.alive(self.task)
        if not self.link.up:
            raise LineError("the link is gone")
        if self._stale and not self._records.sos_open():  # an SOS keeps what works
            raise Stale("a later session has ended")
        return backoff.patience_ms(self._stalls)

    async def _connection(self, broker, row):
        unit = self._unit
        self._number = unit.next_session()
        self._stale = False
        sock = None
        session = None
        try:
            longest = min(backoff.LONGEST_MS, HELLO_MS << min(self._failures, 4))
            self.alive(self.task, 2 * longest)
            opened = self._connector.open(row["host"], row["port"], row["tls"], row.get("name"))
            began = unit.clock.now_ms()
            stream, sock = await asyncio.wait_for_ms(opened, longest)
            session = Session(stream, unit.clock, self._window, self._claim(broker))
            left = max(1, longest - (unit.clock.now_ms() - began))
            await asyncio.wait_for_ms(session.hello(self._hello()), left)
            session.subscribe(unit.filters())
            self._session = session
            self._failures = 0
            self._fallback = broker if self._fallback else ""
            self.birth()
            self._pump_sos()  # what is sent again waits for an SOS too
            session.resend()
            unit.session_up(broker, self)
            self.pump()
            await session.run(unit.message, self._puback, self._patience)
        finally:
            if session is not None:
                self._left = (broker, [left for left in session.unacked if left[1]])
            if self._session is not None:
                self._session = None
                unit.session_down(broker, self, self._number)
            if sock is not None:
                sock.close()

    def _claim(self, broker):
        """What this broker was sent and did not acknowledge; what another was goes back."""
        left_at, left = self._left
        self._left = ("", [])
        if left_at == broker:
            return left
        self._records.give_back(self.link.name, [one[1] for one in left])
        return ()

    def _pump_sos(self):
        session = self._session
        while session is not None and session.free():
            record = self._records.take(self.link.name, True)
            if record is None:
                return
            session.publish(record[2], record[3], False, record)

    def _hello(self):
        unit = self._unit
        topic, payload = unit.state(False, self._number, self.link.name)
        will = Will(topic, payload, 1, True, {})
        return Connect(unit.name, V311, False, KEEPALIVE_S, unit.name, None, will, {})

    def _puback(self, record, reason):
        if record is not None:
            self._unit.puback(record)
        self.pump()
