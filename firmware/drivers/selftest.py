"""Self test of a made unit: flash.sh calls these over the REPL, one JSON line printed by each.

It uses the unit's own drivers and pin map, so that what is tested is what runs. Nothing of it is
imported by the program itself. The other side is firmware/flashing/selftest.py.
"""

import gc
import hashlib
import json
import os
import socket
import ssl
import sys
import time

import machine
import network

from body_unit import gps_setup
from body_unit.gps_framer import Framer
from drivers import lte, pins
from drivers.battery import Battery

ROWS = pins.read("pins.csv")
ROM = "/rom"


def _ask(question, seconds, uart, needle):
    """Send `question` to a UART and return the line of the answer that holds `needle`, or ""."""
    uart.write(question)
    text = b""
    end = time.ticks_add(time.ticks_ms(), int(seconds * 1000))
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        text = (text + (uart.read(256) or b""))[-512:]
        for line in text.split(b"\n")[:-1]:
            if needle in line:
                return line.strip().decode("ascii", "ignore")
        time.sleep_ms(20)
    return ""


def hold_watchdog():
    """The program may have started it; while testing nobody else feeds it. 10 minutes."""
    machine.WDT(timeout=600000)


def _hashes(top, shown, hashes):
    """Put the SHA-256 of every file below `top` into `hashes`, named from `shown` on."""
    folders = [""]
    while folders:
        folder = folders.pop()
        for name in os.listdir(top + folder):
            path = folder + "/" + name
            if os.stat(top + path)[0] & 0x4000:
                folders.append(path)
                continue
            digest = hashlib.sha256()
            with open(top + path, "rb") as f:
                while True:
                    block = f.read(1024)
                    if not block:
                        break
                    digest.update(block)
            hashes[shown + path] = "".join("%02x" % b for b in digest.digest())


def who():
    """The chip, the interpreter, and the hash of every file."""
    hashes = {}
    _hashes(".", "", hashes)
    if ROM in sys.path:  # the interpreter puts it there when it has mounted the program's partition
        _hashes(ROM, ROM, hashes)
    gc.collect()
    with open("unit.json") as f:
        unit = json.load(f)["unit"]
    print(
        json.dumps(
            {
                "mac": ":".join("%02x" % b for b in machine.unique_id()),
                "unit": unit,
                "mpy": sys.implementation._mpy & 0xFF,
                "micropython": ".".join(str(n) for n in sys.implementation.version[:3]),
                "hashes": hashes,
                "heap": gc.mem_free() + gc.mem_alloc(),
            }
        )
    )


def gps():
    """The first whole sentence at any rate that receivers are shipped with; RMC tells of a fix."""
    rx, tx = ROWS["gps_rx"], ROWS.get("gps_tx")
    if "gps_power" in ROWS:
        row = ROWS["gps_power"]
        machine.Pin(row.gpio, machine.Pin.OUT, value=1 if row.active == "high" else 0)
    heard = []
    for baud in gps_setup.BAUDS:
        uart = machine.UART(
            pins.uart_of(rx), baud, rx=rx.gpio, tx=tx.gpio if tx else None, rxbuf=1024
        )
        framer = Framer()
        end = time.ticks_add(time.ticks_ms(), gps_setup.LISTEN_MS)
        while time.ticks_diff(end, time.ticks_ms()) > 0:
            framer.feed(uart.read(256) or b"", heard.append)
            time.sleep_ms(20)
        if heard:
            break
    fix = any([text[2:5] == "RMC" and text.split(",")[2] == "A" for text in heard])
    print(json.dumps({"heard": heard[0][:5] if heard else "", "fix": fix}))


def pressed(milliseconds):
    """Whether the button goes down and up within the time."""
    row = ROWS["button"]
    pull = {"up": machine.Pin.PULL_UP, "down": machine.Pin.PULL_DOWN}.get(row.pull)
    pin = (
        machine.Pin(row.gpio, machine.Pin.IN, pull)
        if pull
        else machine.Pin(row.gpio, machine.Pin.IN)
    )
    down = 1 if row.active == "high" else 0
    end = time.ticks_add(time.ticks_ms(), milliseconds)
    seen = False
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        if pin.value() == down:
            seen = True
        elif seen:
            break
        time.sleep_ms(10)
    print(json.dumps({"down": seen, "up": pin.value() != down}))


def pulse(signal):
    """Three pulses of 200 ms on an output."""
    row = ROWS[signal]
    on = 1 if row.active == "high" else 0
    pin = machine.Pin(row.gpio, machine.Pin.OUT, value=1 - on)
    for _ in range(3):
        pin.value(on)
        time.sleep_ms(200)
        pin.value(1 - on)
        time.sleep_ms(200)
    print(json.dumps({"pulsed": signal}))


def battery():
    """Millivolts at the cell."""
    print(json.dumps({"mv": Battery(ROWS["battery"]).mv()}))


def modem():
    """IMEI of the modem and ICCID of its SIM; empty where it does not answer."""
    tx, rx, key = ROWS["modem_tx"], ROWS["modem_rx"], ROWS["modem_pwrkey"]
    pin = machine.Pin(key.gpio, machine.Pin.OUT, value=1)
    time.sleep_ms(lte.ON_PULSE_MS)  # too short to switch off one that is on
    pin.value(0)
    uart = machine.UART(pins.uart_of(tx), lte.BAUD, tx=tx.gpio, rx=rx.gpio, rxbuf=512)
    ready = ""
    for attempt in range(lte.BOOT_MS // 1000 + 4):
        ready = ready or _ask(b"AT\r", 1, uart, b"OK")
        if attempt == 1 and not ready:  # the program may have left it in data mode
            time.sleep_ms(lte.GUARD_MS)
            uart.write(b"+++")
            time.sleep_ms(lte.GUARD_MS)
    imei = _ask(b"AT+CGSN\r", 2, uart, b"86") if ready else ""
    iccid = _ask(b"AT+CCID\r", 2, uart, b"89") if ready else ""
    digits = "".join([c for c in iccid if c.isdigit() or c in "ABCDEF"])
    print(json.dumps({"imei": imei, "iccid": digits[-20:]}))


def line(seconds):
    """Join the first known network in range and open TLS to its broker."""
    with open("unit.json") as f:
        found = json.load(f)
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    near = [row[0].decode() for row in wlan.scan()]
    known = [row for row in found["wifi"] if row["ssid"] in near]
    if not known:
        print(json.dumps({"reach": "no known Wi-Fi in range"}))
        return
    wlan.connect(known[0]["ssid"], known[0]["psk"])
    end = time.ticks_add(time.ticks_ms(), int(seconds * 1000))
    while not wlan.isconnected() and time.ticks_diff(end, time.ticks_ms()) > 0:
        time.sleep_ms(100)
    if not wlan.isconnected():
        print(json.dumps({"reach": "", "why": "the Wi-Fi refused it"}))
        return
    broker = found["brokers"][known[0]["broker"]]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    with open("ca.der", "rb") as f:
        context.load_verify_locations(cadata=f.read())
    context.load_cert_chain("cert.der", "key.der")
    raw = socket.socket()
    raw.settimeout(seconds)
    try:
        raw.connect(socket.getaddrinfo(broker["host"], broker["port"])[0][-1])
        context.wrap_socket(raw, server_hostname=broker["name"]).close()
        print(json.dumps({"reach": "TLS"}))
    except (OSError, ValueError) as error:  # ValueError: a certificate that does not hold
        print(json.dumps({"reach": "", "why": str(error).strip()}))
    finally:
        raw.close()
