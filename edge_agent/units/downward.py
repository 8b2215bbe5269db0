"""What the county and the page send to units: durable in their sessions until each has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from paho.mqtt.client import topic_matches_sub

from edge_agent.units.connection import Connection
from edge_agent.units.sessions import Down, Sessions


class Downward:
    """`deliver` for everyone who subscribed; the rest is what a connection asks of its session."""

    def __init__(
        self,
        sessions: Sessions,
        connections: Mapping[str, Connection],
        counts: Counter[str],
        clock: Callable[[], float],
        now: Callable[[], float | None],
    ) -> None:
        self._sessions, self._connections = sessions, connections
        self._counts, self._clock, self._now = counts, clock, now

    async def deliver(
        self, topic: str, payload: bytes, retain: bool, expires: float | None
    ) -> list[str]:
        """Give a message to every unit that subscribed to it; durable on return.

        Returns the units it is for. OSError when the disk takes nothing: then it is not taken.
        """
        if retain:
            await self._sessions.retain(topic, payload, self._clock())
        surely: list[str] = []
        for client, session in list(self._sessions.by_client.items()):
            qos = max(
                (
                    options & 3
                    for pattern, options in session.filters.items()
                    if topic_matches_sub(pattern, topic)
                ),
                default=-1,
            )
            if qos > 0:
                surely.append(client)
            elif qos == 0 and client in self._connections:
                self._connections[client].send_once(topic, payload, False)
        await self._queue(surely, topic, payload, False, expires)
        return surely

    async def deliver_to(self, client: str, topic: str, payload: bytes, qos: int) -> None:
        """A retained message for a fresh subscription."""
        if qos:
            await self._queue([client], topic, payload, True, None)
        else:
            self._connections[client].send_once(topic, payload, True)

    async def _queue(
        self,
        clients: list[str],
        topic: str,
        payload: bytes,
        retain: bool,
        expires: float | None,
    ) -> None:
        if not clients:
            return
        downs, written = self._sessions.queue(clients, topic, payload, retain, expires)
        fault: OSError | None = None
        try:
            await written
        except OSError as error:
            fault = error
        for client, down in downs.items():
            if client in self._connections:
                self._connections[client].send_down(down)
        if fault is not None:
            raise fault

    def retained(self, pattern: str) -> list[tuple[str, bytes]]:
        """Retained messages that a new subscription is given."""
        kept = self._sessions.retained.items()
        return [(topic, payload) for topic, payload in kept if topic_matches_sub(pattern, topic)]

    def waiting(self, client: str) -> list[Down]:
        """Messages for the unit, oldest first; those out of date are dropped here."""
        now = self._now()
        queue = list(self._sessions.by_client[client].queue.values())
        if now is None:  # the unit judges for itself
            return queue
        fresh = [down for down in queue if down.expires is None or down.expires >= now]
        for down in queue:
            if down not in fresh:
                self._counts["expired"] += 1
                self._sessions.delivered(client, down.packet_id)
        return fresh

    def tried(self, client: str, packet_id: int) -> bool:
        """Whether the message was sent before; it has been now."""
        tried = self._sessions.by_client[client].tried
        before = packet_id in tried
        tried.add(packet_id)
        return before

    def delivered(self, client: str, packet_id: int) -> None:
        """The unit's PUBACK came."""
        self._sessions.delivered(client, packet_id)
