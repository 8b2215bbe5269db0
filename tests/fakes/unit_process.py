"""A body unit as a process: `firmware/main.py` under real MicroPython on virtual hardware.

    unit = UnitProcess(folder, unit="u-0123", county="c371500")
    unit.broker("county", "127.0.0.1", 8883, tls=True, name="localhost")
    unit.wifi_known("K07", "password", "county")          # a network, and its broker
    unit.identity(ca_der, cert_der, key_der)               # DER files' content, for TLS
    unit.county_key("county-1", modulus)                   # 384 bytes: who may sign commands
    unit.start()                                           # power on; first time: lays the flash
    unit.in_range("K07", "password")                       # the network can be heard…
    unit.out_of_range("K07")                               # … and no longer
    unit.charger(False)                                    # lifted off its cradle: the shift begins
    unit.feed(b"$GNRMC,…\\r\\n")                           # at 9600 baud's pace
    unit.press(); unit.hold()                              # short press; SOS (1.6 s)
    unit.haptics()                                         # [(began ms, lasted ms)] of the motor
    unit.wait_felt(3, timeout=5)                           # three long: "help is coming"
    unit.lit()                                             # the light's (ms, level)
    unit.ledger()                                          # [(boot, seq, name)] it accepted
    unit.kill(); unit.start()                              # power cut: the flash is kept
    unit.stop()

Times are ms of CLOCK_MONOTONIC, the unit's and this process's alike (`now_ms`). The outside is a
directory (`firmware/virtual/world.py` describes it); a person may play it with a shell as well.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.rom import Rom

ROOT = Path(__file__).resolve().parents[2]
RESET_EXIT = 42  # what virtual machine.reset() and its watchdog leave with
BYTE_S = 10 / 9600  # start, eight bits, stop
HOLD_S = 1.6
LONG_MS, SHORT_MS = 350, 90  # a pulse is long above, a tick below
ERASE, LATCH, SLEEP, LOOKUP = 0xFE, 0xFD, 0xFC, 0xFB  # the codes of world.py


def now_ms() -> int:
    """CLOCK_MONOTONIC in ms: what the unit stamps its pins with."""
    return time.monotonic_ns() // 1_000_000


def micropython() -> Path:
    return ROOT / ".venv-unit/bin/micropython"


class Uart:
    """The far end of a UART: bytes go out at the line's pace, what the unit says is collected."""

    def __init__(self, path: Path, byte_s: float = BYTE_S) -> None:
        path.unlink(missing_ok=True)
        self._byte_s = byte_s
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._peer: socket.socket | None = None
        self._ready = threading.Condition()
        self._queue = bytearray()
        self._closed = False
        self.heard = bytearray()
        self._threads = [
            threading.Thread(target=self._accept, daemon=True),
            threading.Thread(target=self._pace, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def write(self, data: bytes) -> None:
        """Queue bytes; they arrive at 960 a second."""
        with self._ready:
            self._queue += data
            self._ready.notify()

    def waiting(self) -> int:
        return len(self._queue)

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return  # closed
            self._peer = peer
            with contextlib.suppress(OSError):  # the unit was switched off
                while data := peer.recv(256):
                    self.heard += data

    def _pace(self) -> None:
        free_at = time.monotonic()
        while True:
            with self._ready:
                while not self._queue and not self._closed:
                    self._ready.wait()
                if self._closed:
                    return
                piece = bytes(self._queue[:16])
                del self._queue[:16]
            free_at = max(free_at, time.monotonic()) + len(piece) * self._byte_s
            time.sleep(max(0.0, free_at - time.monotonic()))
            if self._peer is not None:
                with contextlib.suppress(OSError):  # switched off: the wire does not care
                    self._peer.sendall(piece)

    def close(self) -> None:
        with self._ready:
            self._closed = True
            self._ready.notify()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        if self._peer is not None:
            self._peer.close()


class UnitProcess:
    """See the module. `folder` is made; `heap` is MicroPython's -X heapsize.

    interpreter, firmware  another MicroPython, another tree (compiled, or broken on purpose)
    script                 what to run in place of main.py; it imports main itself
    flashed                the program linked and compiled as on a unit's flash, in place of all
                           three; set on the class, what every unit runs that names none of them
    environment            more of it: PATROL_ERASE_MS and others of world.py
    """

    flashed: Rom | None = None

    def __init__(
        self,
        folder: Path,
        unit: str = "u-0001",
        county: str = "c371500",
        board: str = "virtual",
        heap: str = "2M",
        environment: dict[str, str] | None = None,
        interpreter: Path | None = None,
        firmware: Path | None = None,
        script: Path | None = None,
    ) -> None:
        self.folder = folder
        self.unit = unit
        self._heap = heap
        self._more = environment or {}
        if self.flashed is not None and not (script or firmware or interpreter):
            script = self.flashed.start
            self._more = {**self.flashed.environment("64"), **self._more}
        self._interpreter = interpreter or micropython()
        self._firmware = firmware or ROOT / "firmware"
        self._script = script
        self._process: subprocess.Popen[bytes] | None = None
        self.files = folder / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        (folder / "ledger").touch()
        shutil.copy(ROOT / "hardware/boards" / board / "pins.csv", self.files / "pins.csv")
        self._gpio = {
            row.split(",")[0]: int(row.split(",")[1])
            for row in (self.files / "pins.csv").read_text().splitlines()[1:]
            if row
        }
        self.settings: dict[str, object] = {
            "unit": unit,
            "county": county,
            "tid": unit[-2:],
            "board": board,
            "fleet": 1,
            "sms_to": "",
            "keys": {},
            "brokers": {},
            "wifi": [],
            "lte": None,
        }
        self.gps = Uart(folder / "uart1")

    # --- what flashing would write ---------------------------------------------------------
    def broker(
        self, key: str, host: str, port: int, tls: bool = False, name: str = "", then: str = ""
    ) -> None:
        row = {"host": host, "port": port, "tls": tls, "name": name, "then": then}
        self.settings["brokers"][key] = row  # type: ignore[index]

    def wifi_known(self, ssid: str, password: str, broker: str) -> None:
        row = {"ssid": ssid, "psk": password, "broker": broker}
        self.settings["wifi"].append(row)  # type: ignore[union-attr]

    def identity(self, ca_der: bytes, cert_der: bytes, key_der: bytes) -> None:
        (self.files / "ca.der").write_bytes(ca_der)
        (self.files / "cert.der").write_bytes(cert_der)
        (self.files / "key.der").write_bytes(key_der)

    def lte(self, apn: str, broker: str) -> None:
        """A modem (tests/fakes/modem.py plays it), and the broker behind its network."""
        self.settings["lte"] = {"apn": apn, "broker": broker}

    def county_key(self, kid: str, modulus: bytes) -> None:
        self.settings["keys"][kid] = modulus.hex()  # type: ignore[index]

    # --- power -----------------------------------------------------------------------------
    def start(self) -> None:
        """Switch on. An empty flash takes `files/` first, as after flashing."""
        (self.files / "unit.json").write_text(json.dumps(self.settings, ensure_ascii=False))
        path = [self._firmware / "virtual", self._firmware, ROOT / ".venv-unit/lib-unit", ".frozen"]
        environment = {
            **os.environ,
            "MICROPYPATH": ":".join(map(str, path)),
            "PATROL_STATE": str(self.folder),
            **self._more,
        }
        with (self.folder / "console").open("ab") as console:
            self._process = subprocess.Popen(
                [str(self._interpreter), "-X", f"heapsize={self._heap}", self._main()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
            )

    def _main(self) -> str:
        return str(self._script or self._firmware / "main.py")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Cut the power: SIGKILL, the flash stays as it was at that moment."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wait_exit(self, timeout: float) -> int:
        """Exit code: RESET_EXIT after a reset of its own."""
        assert self._process is not None
        return self._process.wait(timeout)

    def stop(self) -> None:
        """Cut the power and put the bench away."""
        self.kill()
        self.gps.close()

    def console(self) -> str:
        """What it printed: nothing, unless it broke."""
        path = self.folder / "console"
        return path.read_text(errors="replace") if path.exists() else ""

    # --- the outside -----------------------------------------------------------------------
    def pin(self, signal: str, level: int) -> None:
        """Put a level on an input, by its name in pins.csv."""
        path = self.folder / "levels"
        deadline = time.monotonic() + 10
        while not path.exists() or path.stat().st_size < 40:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the unit did not start: {self.console()[-2000:]}")
            time.sleep(0.01)
        with path.open("r+b") as levels:
            levels.seek(self._gpio[signal])
            levels.write(b"01"[level : level + 1])

    def gpio(self, signal: str) -> int:
        return self._gpio[signal]

    def press(self, seconds: float = 0.2) -> int:
        """Short press (active low). Returns when the finger went up, in ms."""
        self.pin("button", 0)
        time.sleep(seconds)
        self.pin("button", 1)
        return now_ms()

    def hold(self, seconds: float = HOLD_S) -> int:
        """The SOS gesture; returns when the finger went *down*, in ms (the hold ends 1.5 s on)."""
        began = now_ms()
        self.press(seconds)
        return began

    def charger(self, present: bool) -> None:
        self.pin("charger", 1 if present else 0)

    def battery(self, millivolts: int) -> None:
        """At the cell; the board's divider halves it."""
        path = self.folder / "adc"
        data = bytearray(path.read_bytes()) if path.exists() else bytearray(80)
        struct.pack_into("<H", data, 2 * self._gpio["battery"], millivolts // 2)
        path.write_bytes(data)

    def feed(self, nmea: bytes) -> None:
        """Bytes for the GPS UART, queued, at 9600 baud's pace."""
        self.gps.write(nmea)

    def in_range(self, ssid: str, password: str = "", rssi: int = -60) -> None:
        rows = [row for row in self._networks() if row.split("\t")[0] != ssid]
        self._replace("wifi", [*rows, f"{ssid}\t{password}\t{rssi}"])

    def out_of_range(self, ssid: str) -> None:
        self._replace("wifi", [row for row in self._networks() if row.split("\t")[0] != ssid])

    def names(self, addresses: dict[str, str]) -> None:
        """What its DNS knows; anything else takes five seconds to fail."""
        self._replace("dns", [f"{name}\t{address}" for name, address in addresses.items()])

    def feel(self, samples: Iterable[tuple[int, int, int]] = (), mood: str = "ok") -> None:
        """What the accelerometer feels from now on: mg, one each 20 ms, the last one stays.

        A unit that nobody lets feel anything has no accelerometer; see firmware/virtual/lis3dh.py.
        """
        self._replace("accel", [mood, *(f"{x} {y} {z}" for x, y, z in samples)])

    def _networks(self) -> list[str]:
        path = self.folder / "wifi"
        return path.read_text().splitlines() if path.exists() else []

    def _replace(self, name: str, lines: list[str]) -> None:
        new = self.folder / (name + ".new")
        new.write_text("".join(line + "\n" for line in lines))
        new.replace(self.folder / name)

    # --- what it did -----------------------------------------------------------------------
    def outputs(self, since: int = 0) -> list[tuple[int, int, int]]:
        """(ms, GPIO or code, level) of everything the unit did since `since`."""
        path = self.folder / "out"
        data = path.read_bytes() if path.exists() else b""
        high = now_ms() & ~0xFFFFFFFF
        rows = [struct.unpack_from("<IBBH", data, at) for at in range(0, len(data) - 7, 8)]
        found = [
            ((high | ms) if (high | ms) <= now_ms() else (high | ms) - (1 << 32), what, level)
            for ms, what, level, _ in rows
        ]
        return [row for row in found if row[0] >= since]

    def haptics(self, since: int = 0) -> list[tuple[int, int]]:
        """Pulses of the motor: (began, lasted) in ms. One that has not ended yet is left out."""
        pulses: list[tuple[int, int]] = []
        began: int | None = None
        for ms, what, level in self.outputs(since):
            if what == self._gpio["haptic"]:
                if level:
                    began = ms
                elif began is not None:
                    pulses.append((began, ms - began))
                    began = None
        return pulses

    def wait_felt(self, longs: int, timeout: float, since: int = 0) -> int:
        """Wait until so many long pulses came as one signal (gaps under 0.5 s); when it ended.

        1 raised, 2 someone has it, 3 help is coming. TimeoutError with what was felt instead.
        """
        deadline = time.monotonic() + timeout
        while True:
            for signal in signals(self.haptics(since)):
                if len(signal) == longs and all(lasted >= LONG_MS for _, lasted in signal):
                    ended = signal[-1][0] + signal[-1][1]
                    if now_ms() - ended > 500:  # no further pulse belongs to it
                        return ended
            if time.monotonic() > deadline:
                raise TimeoutError(f"{longs} long pulses not felt; felt {self.haptics(since)}")
            time.sleep(0.02)

    def lit(self, since: int = 0) -> list[tuple[int, int]]:
        """(ms, level) of the light."""
        light = self._gpio["light"]
        return [(ms, level) for ms, what, level in self.outputs(since) if what == light]

    def latched(self, since: int = 0) -> list[int]:
        """When the SOS latch was written, in ms."""
        return [ms for ms, what, _ in self.outputs(since) if what == LATCH]

    def erases(self, since: int = 0) -> list[tuple[int, int]]:
        """(ms, where) of every erased flash block; where: 0 file system, 1 SOS latch, 2 NVS."""
        return [(ms, where) for ms, what, where in self.outputs(since) if what == ERASE]

    def lookups_in_vain(self) -> int:
        """How many names were looked up that nobody knows."""
        return sum(what == LOOKUP and not found for _, what, found in self.outputs())

    def naps(self, since: int = 0) -> list[tuple[int, int]]:
        """(began, lasted) of each light sleep, in ms. One that has not ended yet is left out."""
        found: list[tuple[int, int]] = []
        began: int | None = None
        for ms, what, level in self.outputs(since):
            if what == SLEEP and level:
                began = ms
            elif what == SLEEP and began is not None:
                found.append((began, ms - began))
                began = None
        return found

    def asleep(self) -> bool:
        """Whether its CPU is in a light sleep now."""
        levels = [level for _, what, level in self.outputs() if what == SLEEP]
        return bool(levels) and levels[-1] == 1

    def gaps(self, since: int = 0) -> list[tuple[int, int]]:
        """(ms, gap in ms) of a unit run by tests/bench/on_unit/gap_probe.py."""
        path = self.folder / "gaps"
        rows = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [(int(r[0]), int(r[1])) for r in rows if len(r) == 2 and int(r[0]) >= since]

    def ledger(self) -> list[tuple[str, int, str]]:
        """(boot, seq, name) of every record it accepted, over all its boots."""
        rows = [line.split() for line in (self.folder / "ledger").read_text().splitlines()]
        return [(row[0], int(row[1]), row[2]) for row in rows if len(row) == 3]


def signals(pulses: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Pulses grouped into signals: a pause of half a second or more parts them."""
    groups: list[list[tuple[int, int]]] = []
    for began, lasted in pulses:
        if lasted < SHORT_MS:
            continue  # the hold's growing ticks
        if groups and began - sum(groups[-1][-1]) < 500:
            groups[-1].append((began, lasted))
        else:
            groups.append([(began, lasted)])
    return groups
