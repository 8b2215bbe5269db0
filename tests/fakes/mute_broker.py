"""A county broker that accepts every connection and acknowledges no PUBLISH, ever."""

from __future__ import annotations

import asyncio
import contextlib

from patrol_contract import mqtt_packets as mqtt


class MuteBroker:
    """`await start()`; counts the PUBLISHes it ignored, the state's own not among them."""

    def __init__(self) -> None:
        self.port = 0
        self.ignored = 0
        self.connections = 0

    async def start(self) -> MuteBroker:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = mqtt.Decoder(1 << 16)
        with contextlib.suppress(OSError, mqtt.ProtocolError):
            while data := await reader.read(65536):
                for packet in decoder.feed(data):
                    if isinstance(packet, mqtt.Connect):
                        self.connections += 1
                        writer.write(mqtt.encode_connack(decoder.version, False, 0))
                    elif isinstance(packet, mqtt.Publish):
                        self.ignored += not packet.topic.endswith("/state")
                    elif isinstance(packet, mqtt.Subscribe):
                        reasons = [1] * len(packet.filters)
                        writer.write(mqtt.encode_suback(decoder.version, packet.packet_id, reasons))
                    elif isinstance(packet, mqtt.Pingreq):
                        writer.write(mqtt.encode_pingresp())
        writer.close()
