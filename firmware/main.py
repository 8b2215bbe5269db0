"""The body unit: wiring only. drivers <-> body_unit.core; the shell carries effects out.

The same file runs on the ESP32 and, with firmware/virtual first on the path, on a desk.
"""

from drivers import heap  # first: what comes after it allocates

# isort: split
import machine  # first: on a desk this is the power-on

# isort: split
import asyncio
import gc
import os
import sys
import time
from binascii import hexlify

import esp32

from body_unit.gps import Gps
from body_unit.power import CPU_AWAKE_MS
from body_unit.store_latch import Latch
from drivers import config, pins, version
from drivers.battery import Battery, Charger
from drivers.button import Button
from drivers.care import Care
from drivers.clock import EPOCH_2000, Clock
from drivers.connect import Connector
from drivers.gps import Receiver
from drivers.line import Line
from drivers.links import Links
from drivers.nap import Nap
from drivers.nvs import Kept
from drivers.records import Records
from drivers.resolver import Resolver
from drivers.shell import Shell
from drivers.watched import alive
from drivers.wifi import Wifi

TASKS = "button gps store"
BEAT_MS = 20
WATCH_MS = 200
LOOK_MS = 500
BATTERY_MS = 10_000
VITALS_MS = 60_000
CLOCK_KEPT_MS = 600_000
TIDY_MS = 1000
FLASH_REST_MS = 20
ERROR_BYTES = 120  # as long as the contract takes
REPL_MS = 3000


class Unit:
    """Everything that this board has, made once."""

    def __init__(self):
        settings = config.load()
        rows = pins.read("pins.csv")
        self.kept = kept = Kept()
        floor_s = max(version.BUILD_S, kept.number("clock") + EPOCH_2000)
        self.clock = clock = Clock(floor_s)
        accel = None
        if "accel_int" in rows:
            from drivers.lis3dh import Accelerometer

            accel = Accelerometer(rows, clock)
        boot = hexlify(os.urandom(8)).decode()
        witness = getattr(machine, "witness", None)  # virtual boards only
        self.records = Records("queue", boot, settings["county"], settings["unit"], witness)
        self.button = Button(rows, clock)
        identity = {
            "unit": settings["unit"],
            "county": settings["county"],
            "tid": settings["tid"],
            "floor_s": floor_s,
            "boot": boot,
            "firmware": version.VERSION,
            "board": settings["board"],
            "keys": settings["keys"],
            "sms_to": settings["sms_to"],
            "brokers": config.brokers(settings),
        }
        has = []
        if "charger" in rows:
            has.append("charger")
        if settings.get("lte") and "modem_tx" in rows:
            has.append("lte")
        if accel is not None and accel.alive:
            has.append("accelerometer")
        identity["has"] = tuple(has)
        latch = Latch(esp32.Partition.find(label="phy_init")[0])
        self.shell = shell = Shell(identity, kept, self.records, latch, clock, self.button)
        self.wifi = Wifi(config.networks(settings, kept.values.get("wifi", b"")), self.link)
        self.lte = None
        if "lte" in has:
            from drivers.lte import Lte

            self.lte = Lte(rows, settings["lte"], clock, self.link, shell.post, shell.log)
        self.links = Links(self.wifi, self.lte, clock, self.records.store.waiting)
        receiver = Receiver(rows, Gps(version.BUILD_S), clock, shell.post)
        parts: dict = {"button": self.button, "receiver": receiver, "store": self.records}
        connector = Connector(Resolver())
        lines = []
        names: list = TASKS.split()
        for link in (self.wifi, self.lte):
            if link is not None:
                parts[link.name] = link
                line = Line(
                    link, settings["brokers"], settings["fleet"], self.records, connector, shell
                )
                lines.append(line)
                names.append(link.name)
                names.append(line.task)
        shell.attach(lines, self.links, receiver, self.lte)
        self.battery = Battery(rows["battery"]) if "battery" in rows else None
        self.charger = Charger(rows["charger"]) if "charger" in rows else None
        self.care = Care(clock, names)
        self._beats = -1  # of the button's thread
        self._battery_ms = 0  # when each of these is due
        self._vitals_ms = VITALS_MS
        self._keep_clock_ms = CLOCK_KEPT_MS
        if accel is not None:
            accel.attach(shell.post, shell.log)
            parts["fall"] = accel
        self.nap = Nap(rows, shell, parts, self.care, accel)
        self._tasks: list = []
        for part in (receiver, self.wifi, self.lte, accel):
            if part is not None:
                self._tasks.append(part)
        self._tasks += lines

    def link(self, name, up):
        self.shell.post(("link", name, up))

    async def run(self):
        shell = self.shell
        self.button.start()
        known = self.clock.unix_s() if self.clock.known else None
        shell.post(("boot", _reset_cause(), known))
        asyncio.get_event_loop().set_exception_handler(_ended)
        self._power()
        asyncio.create_task(self._store())  # noqa: RUF006 (MicroPython's loop holds it)
        for part in self._tasks:  # what waits in the middle of its work
            asyncio.create_task(part.run())  # noqa: RUF006
        await self._beat()

    async def _beat(self):
        """All that is short and never waits, in one task: each task of its own is 200 bytes."""
        shell = self.shell
        now_ms = self.clock.now_ms
        watched_ms = looked_ms = awake_ms = 0
        while True:
            await asyncio.sleep_ms(BEAT_MS)
            now = now_ms()
            self.care.beat(BEAT_MS)
            self._fingers()
            if now >= shell.wake_ms:
                shell.post(("tick",))
            if now - watched_ms >= WATCH_MS:
                watched_ms = now
                for line in shell.lines:
                    line.watch()
                self.care.feed()
            if now - looked_ms >= LOOK_MS:
                looked_ms = now
                self._power()
                self.links.step()
                self._vitals()
            if now - awake_ms >= CPU_AWAKE_MS:  # everybody who is due has had a turn
                self.nap.step()
                awake_ms = now_ms()

    def _fingers(self):
        for event in self.button.events():
            self.shell.post(event)
        if self.button.beats() != self._beats:  # the thread lives
            self._beats = self.button.beats()
            alive("button")

    def _power(self):
        present = self.charger.news() if self.charger is not None else None
        if present is not None:
            self.shell.post(("charger", present))
        now = self.clock.now_ms()
        if self.battery is not None and now >= self._battery_ms:
            self._battery_ms = now + BATTERY_MS
            self.shell.post(("battery", self.battery.mv()))

    async def _store(self):
        """The flash's work in steps, each of which may erase: that stops everything for 45 ms.

        So what is due has its turn between two of them; and a hold has the flash to itself, that
        its latch need not wait for an erase. No finger keeps it longer than gesture.HOLD_MS.
        """
        records = self.records
        writing = False
        tidying = None
        tidied_ms = 0
        while True:
            await asyncio.sleep_ms(FLASH_REST_MS)
            alive("store")
            if self.button.may_call():
                continue
            now = self.clock.now_ms()
            if tidying is not None:
                try:
                    next(tidying)
                except StopIteration:
                    tidying = None
                    for line in self.shell.lines:
                        line.pump()  # tidying may have written a gap
                records.tell()
            elif not writing and now - tidied_ms >= TIDY_MS:
                tidied_ms = now
                tidying = records.store.tidy()
            elif writing or records.owed:
                records.owed = False
                writing = records.step()

    def _vitals(self):
        now = self.clock.now_ms()
        if now < self._vitals_ms:
            return
        self._vitals_ms = now + VITALS_MS
        gc.collect()
        values = self.care.take()
        values["queue"] = self.records.store.waiting()
        if "error" in self.kept.values:
            values["error"] = self.kept.values["error"].decode()
        rssi = self.wifi.rssi() or (self.lte and self.lte.rssi)
        if rssi is not None:
            values["rssi"] = rssi
        self.shell.post(("vitals", values))
        if now >= self._keep_clock_ms:
            self._keep_clock_ms = now + CLOCK_KEPT_MS
            now_s = self.clock.unix_s()
            self.kept.set_number("clock", now_s - EPOCH_2000)  # 31 bits
            self.shell.core.unit.clock.stored(now_s)


def _reset_cause():
    words = {
        machine.HARD_RESET: "brownout",
        machine.WDT_RESET: "watchdog",
        machine.DEEPSLEEP_RESET: "deep_sleep",
        machine.SOFT_RESET: "software",
    }
    return words.get(machine.reset_cause(), "power_on")


def _ended(loop, context):
    """A task has ended, which none may: as if it had happened here."""
    raise context["exception"]


def run():
    """Until a reset: an ESP32 has nobody to go back to."""
    unit = None
    try:
        unit = Unit()
        heap.settle()
        asyncio.run(unit.run())
    except KeyboardInterrupt:  # a technician
        if unit:
            unit.shell.ring.save()
    except Exception as fault:  # nobody stands by to read it: remember it, and begin again
        sys.print_exception(fault)
        gc.collect()  # it may have been want of memory
        text = "%s: %s" % (type(fault).__name__, fault)
        if unit:
            unit.shell.log(text)
            unit.shell.ring.save()
            unit.kept.set("error", text.encode()[:ERROR_BYTES])
        else:
            time.sleep_ms(REPL_MS)  # for Ctrl-C: what stops a unit from starting is mended by cable
        machine.reset()


if __name__ != "unit_main":  # as flashed, it is started when what importing it left is garbage
    run()
