"""One link's way to its brokers: connect, keep the window full, give up in time, try again.

A line is made for each link (Wi-Fi, LTE) and works while its link is up. What is unacknowledged
when a connection ends is sent again with DUP to the same broker, or given back for another line.
"""

import asyncio
import os

from body_unit.power import KEEPALIVE_S
from body_unit.store import split
from drivers import backoff
from drivers.heap import WINDOW
from drivers.mqtt import LineError, Session, Silence
from drivers.watched import alive
from patrol_contract.mqtt_packets import V311, Connect, Will

RESERVED = 2  # of the window, for an SOS
HELLO_MS = 6000  # TCP, TLS and CONNACK: some 3 s at 300 ms and 64 kbit/s
# A connection on which nothing comes for so long was given up before: a ping, and the longest wait.
SILENT_MS = KEEPALIVE_S * 500 + backoff.LONGEST_MS
_DOWN_POLL_MS = 200
_PAUSE_POLL_MS = 50


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
        self._task = None  # type: asyncio.Task | None  # that runs
        self._deadline_ms = None  # of the connection that is being opened
        self._kicked = False  # no pause any more
        self._failures = 0
        self._stalls = 0
        self._fault_ms = 0
        self._left = ("", ())  # (broker, what its session left unacknowledged)
        self._fallback = ""
        self._number = 0  # of the session
        self._stale = False

    # --- asked by the shell --------------------------------------------------------------------
    def urgent(self) -> None:
        """Forget every back-off, now and once."""
        self._failures = 0
        self._stalls = 0
        self._kicked = True

    def pump(self) -> None:
        """Send what waits, as far as the window goes."""
        session = self._session
        while session is not None:
            free = session.free()
            record = self._records.take(self.link.name, free <= RESERVED) if free else None
            if record is None:
                return
            session.publish(*split(record[1]), False, record)

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
            self._records.give_back(self.link.name, self._left[1])
            self._left = ("", ())

    def renew(self, ended: int) -> None:
        """Session `ended`, over another link, is over: if it was the later one, connect anew.

        Our birth and the will that the broker holds bear the lower number: neither would count.
        """
        self._stale = self._session is not None and self._number < ended

    def quiet(self) -> bool:
        """Nothing is waited for here: the CPU may sleep."""
        return not self.link.up or (self._session is not None and self._session.quiet())

    # --- running -------------------------------------------------------------------------------
    def watch(self) -> None:
        """To be called some times a second, by another task: ends what takes too long."""
        session = self._session
        if session is None:
            deadline_ms = self._deadline_ms
            if self._task and deadline_ms is not None and self._unit.clock.now_ms() > deadline_ms:
                self._deadline_ms = None
                self._task.cancel()
            return
        try:
            if not self.link.up:
                raise LineError("the link is gone")
            if self._stale and not self._records.sos_open():  # an SOS keeps what works
                raise Stale("a later session has ended")
            session.check(backoff.patience_ms(self._stalls))
        except Exception as fault:  # want of memory, too, costs no more than the connection
            session.fail(fault)

    async def run(self):
        self._task = asyncio.current_task()
        while True:
            while not self.link.up:
                alive(self.task)
                self._fallback = ""
                await asyncio.sleep_ms(_DOWN_POLL_MS)
            broker = self._fallback or self.link.broker
            try:
                await self._connection(broker, self._brokers[broker])
            except Stale:
                continue
            except asyncio.CancelledError:  # its time was up (watch)
                self._failed(Silence("no answer"), broker)
            except (LineError, OSError, MemoryError) as error:
                self._failed(error, broker)
            if self.link.up:
                await self._pause()

    def _failed(self, error, broker):
        now = self._unit.clock.now_ms()
        if now - self._fault_ms > backoff.CALM_MS:
            self._stalls = 0
        self._fault_ms = now
        self._failures += 1
        if isinstance(error, Silence):
            self._stalls += 1
        self._unit.log("%s %s: %s" % (self.link.name, broker, error))
        self._fallback = self._brokers[broker].get("then") or ""

    async def _pause(self):
        pause = backoff.pause_ms(
            self._failures,
            self._fleet,
            self._records.sos_open(),
            int.from_bytes(os.urandom(2), "big"),
        )
        self._kicked = False
        end = self._unit.clock.now_ms() + pause
        while not self._kicked and self._unit.clock.now_ms() < end:
            alive(self.task)
            await asyncio.sleep_ms(_PAUSE_POLL_MS)

    def _reads(self):
        alive(self.task, SILENT_MS)

    async def _connection(self, broker, row):
        unit = self._unit
        self._number = unit.next_session()
        self._stale = False
        sock = None
        session = None
        try:
            longest = min(backoff.LONGEST_MS, HELLO_MS << min(self._failures, 4))
            alive(self.task, 2 * longest)
            self._deadline_ms = unit.clock.now_ms() + longest
            sock = await self._connector.open(row["host"], row["port"], row["tls"], row.get("name"))
            session = Session(sock, unit.clock, self._window, self._claim(broker))
            await session.hello(self._hello())
            self._deadline_ms = None
            session.subscribe(unit.filters())
            self._session = session
            self._failures = 0
            self._fallback = broker if self._fallback else ""
            self.birth()
            self._pump_sos()  # what is sent again waits for an SOS too
            session.resend(_parts)
            unit.session_up(broker, self)
            self.pump()
            await session.run(unit.message, self._puback, self._reads)
        finally:
            self._deadline_ms = None
            if session is not None:
                session.close()
                self._left = (broker, session.unacked)
            if self._session is not None:
                self._session = None
                unit.session_down(broker, self, self._number)
            if sock is not None:
                sock.close()

    def _claim(self, broker):
        """What this broker was sent and did not acknowledge; what another was goes back."""
        left_at, left = self._left
        self._left = ("", ())
        if left_at == broker:
            return left
        self._records.give_back(self.link.name, left)
        return ()

    def _pump_sos(self):
        session = self._session
        while session is not None and session.free():
            record = self._records.take(self.link.name, True)
            if record is None:
                return
            session.publish(*split(record[1]), False, record)

    def _hello(self):
        unit = self._unit
        topic, payload = unit.state(False, self._number, self.link.name)
        will = Will(topic, payload, 1, True, {})
        return Connect(unit.name, V311, False, KEEPALIVE_S, unit.name, None, will, {})

    def _puback(self, record, reason):
        if record is not None:
            self._unit.puback(record)
        self.pump()


def _parts(record):
    return split(record[1])
