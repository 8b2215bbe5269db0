"""The body unit: wiring only. drivers <-> body_unit.core; the shell carries effects out.

The same file runs on the ESP32 and, with firmware/virtual first on the path, on a desk.
"""

import drivers.heap  # noqa: F401  (first: what comes after it allocates)

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
from drivers.wifi import Wifi

RESETS = {
    machine.PWRON_RESET: "power_on",
    machine.HARD_RESET: "brownout",
    machine.WDT_RESET: "watchdog",
    machine.DEEPSLEEP_RESET: "deep_sleep",
    machine.SOFT_RESET: "software",
}
TASKS = ("button", "power", "store", "wake")
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
        self.accel = None
        if "accel_int" in rows:
            from drivers.lis3dh import Accelerometer

            self.accel = Accelerometer(rows, clock)
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
        has = (
            ("charger", "charger" in rows),
            ("lte", settings.get("lte") and "modem_tx" in rows),
            ("accelerometer", self.accel is not None and self.accel.alive),
        )
        identity["has"] = tuple([name for name, there in has if there])
        latch = Latch(esp32.Partition.find(label="phy_init")[0])
        self.shell = shell = Shell(identity, kept, self.records, latch, clock, self.button)
        self.wifi = Wifi(config.networks(settings, kept.values.get("wifi", b"")), self.link)
        self.lte = None
        if settings.get("lte") and "modem_tx" in rows:
            from drivers.lte import Lte

            self.lte = Lte(rows, settings["lte"], clock, self.link, shell.post, shell.log)
        self.links = Links(self.wifi, self.lte, clock, self.records.store.waiting)
        self.carriers = [link for link in (self.wifi, self.lte) if link is not None]
        connector = Connector(Resolver())
        lines = [
            Line(link, settings["brokers"], settings["fleet"], self.records, connector, shell)
            for link in self.carriers
        ]
        self.gps = Receiver(rows, Gps(version.BUILD_S), clock, shell.post)
        shell.attach(lines, self.links, self.gps, self.lte)
        self.battery = Battery(rows["battery"]) if "battery" in rows else None
        self.charger = Charger(rows["charger"]) if "charger" in rows else None
        watched: dict = {line.task: line for line in lines}
        watched.update(gps=self.gps, links=self.links)
        watched.update({link.name: link for link in self.carriers})
        self.care = Care(clock, TASKS + tuple(watched))
        for part in watched.values():
            part.alive = self.care.alive
        parts: dict = {link.name: link for link in self.carriers}
        parts.update(button=self.button, receiver=self.gps, store=self.records)
        if self.accel is not None:
            self.accel.attach(shell.post, shell.log)
            parts["fall"] = self.accel
        self.nap = Nap(rows, shell, parts, self.care, self.accel)

    def link(self, name, up):
        self.shell.post(("link", name, up))

    async def run(self):
        shell = self.shell
        self.button.start()
        known = self.clock.unix_s() if self.clock.known else None
        shell.post(("boot", RESETS.get(machine.reset_cause(), "power_on"), known))
        accel = [] if self.accel is None else [self.accel.run()]
        await asyncio.gather(
            self._fingers(),
            self._power(),
            self._wake(),
            self._store(),
            self._vitals(),
            self.gps.run(),
            *[link.run() for link in self.carriers],
            self.links.run(),
            self.nap.run(),
            *accel,
            self.care.run(),
            *[line.run() for line in shell.lines],
        )

    async def _fingers(self):
        beats = -1
        while True:
            for event in self.button.events():
                self.shell.post(event)
            if self.button.beats() != beats:  # the thread lives
                beats = self.button.beats()
                self.care.alive("button")
            await asyncio.sleep_ms(20)

    async def _power(self):
        was = None
        count = 0
        while True:
            if self.charger is not None and self.charger.present() != was:
                was = self.charger.present()
                self.shell.post(("charger", was))
            if self.battery is not None and count % 20 == 0:
                self.shell.post(("battery", self.battery.mv()))
            count += 1
            self.care.alive("power")
            await asyncio.sleep_ms(500)

    async def _wake(self):
        while True:
            if self.clock.now_ms() >= self.shell.wake_ms:
                self.shell.post(("tick",))
            self.care.alive("wake")
            await asyncio.sleep_ms(50)

    async def _store(self):
        records = self.records
        tidied_ms = 0
        while True:
            try:
                await asyncio.wait_for_ms(records.owed.wait(), TIDY_MS)
            except asyncio.TimeoutError:
                pass  # nothing new
            # An erase stops everything for 45 ms: what is due has its turn first, and between two.
            await asyncio.sleep_ms(FLASH_REST_MS)
            records.owed.clear()
            while records.step():
                await asyncio.sleep_ms(FLASH_REST_MS)
            if self.clock.now_ms() - tidied_ms >= TIDY_MS:
                tidied_ms = self.clock.now_ms()
                for _ in records.store.tidy():
                    records.tell()
                    await asyncio.sleep_ms(FLASH_REST_MS)
                for line in self.shell.lines:
                    line.pump()  # tidying may have written a gap
            self.care.alive("store")

    async def _vitals(self):
        kept_ms = 0
        while True:
            await asyncio.sleep_ms(VITALS_MS)
            gc.collect()
            values = self.care.take()
            values["queue"] = self.records.store.waiting()
            if "error" in self.kept.values:
                values["error"] = self.kept.values["error"].decode()
            rssi = self.wifi.rssi() or (self.lte and self.lte.rssi)
            if rssi is not None:
                values["rssi"] = rssi
            self.shell.post(("vitals", values))
            if self.clock.now_ms() - kept_ms >= CLOCK_KEPT_MS:
                kept_ms = self.clock.now_ms()
                now_s = self.clock.unix_s()
                self.kept.set_number("clock", now_s - EPOCH_2000)  # 31 bits
                self.shell.core.unit.clock.stored(now_s)


def run():
    """Until a reset: an ESP32 has nobody to go back to."""
    unit = None
    try:
        unit = Unit()
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
