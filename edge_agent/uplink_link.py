"""One connection to a county broker: a paho client driven by the event loop, no thread of its own.

A new paho client for every connection: a kept one resends what was under way in its old order, and
an SOS raised meanwhile would stand behind it. What is under way is the uplink's to keep.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.uplink_config import UplinkConfig

CONNECT_S = 10.0  # for TCP, TLS and CONNACK each
SESSION_S = 24 * 3600  # the broker keeps our subscriptions and the county's commands so long
LONGEST = 1 << 16  # bytes of a packet from the county


class LinkFault(Exception):
    """The county cannot be reached this way; one sentence."""


class Link:
    """`await open()`, then publish; `lost` ends with the reason when the connection is over."""

    def __init__(
        self,
        config: UplinkConfig,
        client_id: str,
        five: bool,
        on_puback: Callable[[int, int], None],
        on_message: Callable[[Link, paho.MQTTMessage], None],
        on_read: Callable[[], None],
    ) -> None:
        self.config = config
        self.five = five
        self.receive_maximum = 65535
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._connack: asyncio.Future[int] = self._loop.create_future()
        self._socket: Any = None
        self._misc: asyncio.TimerHandle | None = None
        self._on_puback = on_puback
        self._on_read = on_read
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if five else False,
            protocol=paho.MQTTv5 if five else paho.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,  # a command is acknowledged once it is durable here
        )
        client.max_inflight_messages_set(0)  # the window is ours
        client.max_queued_messages_set(0)
        client.connect_timeout = CONNECT_S
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = lambda _c, _u, message: on_message(self, message)
        client.on_socket_open = _no_delay
        client.on_socket_close = self._closed
        self._client = client

    async def open(self, will: tuple[str, bytes]) -> bool:
        """Connect; True when the broker kept our session. LinkFault says why not."""
        config = self.config
        self._client.will_set(*will, qos=1, retain=True)
        try:
            if config.tls:
                self._client.tls_set_context(_tls(config))
            properties = None
            if self.five:
                properties = Properties(PacketTypes.CONNECT)
                properties.SessionExpiryInterval = SESSION_S
                properties.MaximumPacketSize = LONGEST
            await asyncio.to_thread(
                self._client.connect,
                config.host,
                config.port,
                config.keepalive_s,
                config.bind or "",
                clean_start=False if self.five else paho.MQTT_CLEAN_START_FIRST_ONLY,
                properties=properties,
            )
            self._socket = self._client.socket()
            if self._socket is None:
                raise LinkFault(f"{config.url}: the connection closed at once")
            self._loop.add_reader(self._socket, self._readable)
            self.flush()
            self._tick()
            async with asyncio.timeout(CONNECT_S):
                return bool(await self._connack)
        except TimeoutError:
            self.close()
            raise LinkFault(f"{config.url}: no answer within {CONNECT_S:.0f} s") from None
        except (OSError, ValueError) as error:
            self.close()
            raise LinkFault(f"{config.url}: {_why(error)}") from error
        except BaseException:
            self.close()
            raise

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> int:
        """Write a PUBLISH; returns its packet id, with which `on_puback` comes."""
        while True:  # paho refuses an id that is still under way, and takes the next one then
            info = self._client.publish(topic, payload, qos, retain)
            if info.rc != paho.MQTT_ERR_QUEUE_SIZE:
                return info.mid

    def flush(self) -> None:
        """Write what the socket did not take yet, now and as it becomes writable."""
        if self._socket is None or self._socket.fileno() < 0:
            return
        if self._client.want_write():
            self._client.loop_write()
        if self._client.want_write():
            self._loop.add_writer(self._socket, self.flush)
        elif self._socket is not None and self._socket.fileno() >= 0:
            self._loop.remove_writer(self._socket)

    def acknowledge(self, message: paho.MQTTMessage) -> None:
        """PUBACK for what the county sent."""
        if self.lost.done():
            return
        self._client.ack(message.mid, message.qos)
        self.flush()

    def subscribe(self, filters: list[str]) -> None:
        """QoS 1; the broker's refusals are not told apart here."""
        if filters:
            self._client.subscribe([(name, 1) for name in filters])

    def unsubscribe(self, filters: list[str]) -> None:
        if filters:
            self._client.unsubscribe(filters)

    async def leave(self) -> None:
        """Say goodbye (the will is not published), then close."""
        if not self.lost.done():
            self._client.disconnect()
        self.close()

    def close(self) -> None:
        """Drop the connection without a word."""
        if self._misc is not None:
            self._misc.cancel()
        self._end("closed here")
        self._closed(None, None, self._socket)
        sock, self._socket = self._socket, None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.close()

    # -- paho's side ---------------------------------------------------------------------------

    def _readable(self) -> None:
        self._client.loop_read()
        while self._socket is not None and isinstance(self._socket, ssl.SSLSocket):
            if not self._socket.pending():
                break
            self._client.loop_read()
        self._on_read()

    def _tick(self) -> None:
        if self._client.loop_misc() == paho.MQTT_ERR_SUCCESS:
            self._misc = self._loop.call_later(1.0, self._tick)

    def _closed(self, _client: object, _data: object, sock: Any) -> None:
        if self._socket is not None and sock is not None and sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)

    def _connected(
        self, _client: object, _data: object, flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        if self._connack.done():
            return
        if reason.is_failure:
            self._connack.set_exception(LinkFault(f"{self.config.url}: refused, {reason}"))
            return
        self.receive_maximum = getattr(properties, "ReceiveMaximum", 65535)
        self._connack.set_result(flags.session_present)

    def _disconnected(
        self, _client: object, _data: object, _flags: object, reason: ReasonCode, _more: object
    ) -> None:
        self._end(str(reason))

    def _published(
        self, _client: object, _data: object, mid: int, reason: ReasonCode, _more: object
    ) -> None:
        self._on_puback(mid, reason.value)

    def _end(self, why: str) -> None:
        if not self._connack.done():
            self._connack.set_exception(LinkFault(f"{self.config.url}: {why} before CONNACK"))
            self._connack.exception()  # nobody may be waiting for it
        if not self.lost.done():
            self.lost.set_result(why)


def _no_delay(_client: object, _data: object, sock: Any) -> None:
    """Nagle's algorithm would hold an SOS back until the bulk before it is acknowledged."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _tls(config: UplinkConfig) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=config.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if config.cert is not None:
        context.load_cert_chain(config.cert, config.key)
    return context


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not trusted ({error.verify_message}); check `ca`"
    if isinstance(error, socket.gaierror):
        return "the name cannot be resolved; check the name server or write the address"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there (connection refused)"
    return str(error) or type(error).__name__
