"""Eight ways in which a broker breaks MQTT, each met once by a unit that has something to send."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

from patrol_contract import mqtt_packets as mqtt
from tests.fakes.unit_process import UnitProcess

CASES = {
    "garbage": b"\xff\x17\x00garbage",
    "length_268_mb": b"\x30\xff\xff\xff\x7f",
    "topic_longer_than_packet": b"\x30\x05\x00\x60abc",
    "endless_varint": b"\x30\xff\xff\xff\xff\xff",
    "truncated_publish": b"\x32\x05\x00\x03a/b",  # ends where its packet identifier should be
    "short_puback": b"\x40\x01\x00",
    "unknown_puback": b"\x40\x02\x7f\x7f",
    "bad_connack": b"\x20\x02\x02\x00",
}


class RudeBroker:
    """Answers the first connection with `bad`, later ones as a broker should; notes when."""

    def __init__(self, name: str, bad: bytes) -> None:
        self._name, self._bad = name, bad
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.said_at = self.acked_at = 0.0
        self.done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        first = True
        while not self.done.is_set():
            peer, _ = self._listener.accept()
            with peer:
                self._serve(peer, first)
            first = False

    def _serve(self, peer: socket.socket, rude: bool) -> None:
        decoder = mqtt.Decoder(1 << 16)
        while data := peer.recv(4096):
            for packet in decoder.feed(data):
                due = mqtt.Connect if self._name == "bad_connack" else mqtt.Publish
                if rude and isinstance(packet, due):
                    peer.sendall(self._bad)
                    self.said_at = self.said_at or time.monotonic()
                    continue
                if isinstance(packet, mqtt.Connect):
                    peer.sendall(mqtt.encode_connack(mqtt.V311, False, 0))
                elif isinstance(packet, mqtt.Subscribe):
                    peer.sendall(mqtt.encode_suback(mqtt.V311, packet.packet_id, [1, 1, 1, 1]))
                elif isinstance(packet, mqtt.Publish):
                    peer.sendall(mqtt.encode_puback(mqtt.V311, packet.packet_id))
                    self.acked_at = time.monotonic()
                    self.done.set()
                    return

    def close(self) -> None:
        self._listener.close()


def recovery_s(folder: Path, name: str, bad: bytes, timeout: float = 20) -> float | None:
    """Seconds from the bad packet to the next publish that was acknowledged; None: never."""
    broker = RudeBroker(name, bad)
    unit = UnitProcess(folder)
    unit.broker("county", "127.0.0.1", broker.port)
    unit.wifi_known("COUNTY", "password", "county")
    unit.in_range("COUNTY", "password")
    unit.start()
    try:
        if not broker.done.wait(timeout):
            return None
        return broker.acked_at - broker.said_at
    finally:
        unit.stop()
        broker.close()
        if "Traceback" in unit.console():
            raise RuntimeError(unit.console())


def measure(folder: Path) -> dict[str, Any]:
    """{"malformed": {cases, recovered, max_s}}."""
    times = [recovery_s(folder / name, name, bad) for name, bad in CASES.items()]
    good = [seconds for seconds in times if seconds is not None]
    longest = round(max(good), 2) if good else None
    return {"malformed": {"cases": len(CASES), "recovered": len(good), "max_s": longest}}
