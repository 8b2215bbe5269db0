"""What the county sees: an ordinary MQTT client with the contract's reference consumer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge_agent.county import account
from edge_agent.county.patrolctl import CountyConfig, client, connect
from edge_agent.county.signer import Signer
from patrol_contract import consumer, topics


@dataclass(frozen=True)
class Seen:
    """One PUBLISH as it came in."""

    at: float  # time.time()
    verdict: str
    name: str
    who: dict[str, str]
    fields: dict[str, Any]


class County:
    """Subscribes to the whole county, keeps every arrival in order, prints the account.

    paho calls back in its own thread; everything is handed to the event loop in arrival order.
    """

    def __init__(self, config: CountyConfig, signer: Signer, out: Callable[[str], None]) -> None:
        self.consumer = consumer.Consumer()
        self.seen: list[Seen] = []
        self._config, self._signer, self._out = config, signer, out
        self._news = asyncio.Condition()
        self._telling: asyncio.Future[None] | None = None
        self._client = client(config, "county-demo")

    async def start(self) -> None:
        loop = asyncio.get_running_loop()

        def on_message(_c: Any, _u: Any, m: Any) -> None:
            at = time.time()
            loop.call_soon_threadsafe(self._take, m.topic, m.payload, bool(m.retain), at)

        self._client.on_message = on_message
        await asyncio.to_thread(connect, self._config, self._client)
        own = self._config.county
        self._client.subscribe([(f"owntracks/{own}/#", 1), (f"patrol/v1/{own}/#", 1)])

    async def stop(self) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def _take(self, topic: str, payload: bytes, retained: bool, at: float) -> None:
        verdict, name, who, fields = self.consumer.feed(topic, payload, retained)
        if name is None or who is None or fields is None:
            self._out(f"!! {topic}: {verdict}")
            return
        self.seen.append(Seen(at, verdict, name, who, fields))
        if verdict == consumer.NEW:
            self._out(account.line(name, who, fields, at))
        self._telling = asyncio.ensure_future(self._tell())

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def first(
        self, what: str, holds: Callable[[Seen], bool], within_s: float, since: float = 0.0
    ) -> Seen:
        """The first arrival since `since` for which `holds`. TimeoutError names `what`."""

        def find() -> Seen | None:
            return next((s for s in self.seen if s.at >= since and holds(s)), None)

        await self.until(what, lambda: find() is not None, within_s)
        found = find()
        assert found is not None
        return found

    async def until(self, what: str, holds: Callable[[], bool], within_s: float) -> None:
        """Wait until `holds()`, looked at with each arrival. TimeoutError names `what`."""
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(holds)
        except TimeoutError:
            raise TimeoutError(f"{what}: not seen by the county in {within_s:.0f} s") from None

    def command(self, unit: str, cmd: str, **own: Any) -> None:
        """Sign and publish a command to a unit."""
        name, payload = self._signer.command(unit, cmd, **own)
        self._client.publish(topics.topic(name, C=self._config.county, U=unit), payload, 1)

    def duty(self, group: str, level: str) -> None:
        """Sign and publish a duty level."""
        name, payload = self._signer.duty(group, level)
        self._client.publish(topics.topic(name, C=self._config.county, G=group), payload, 1, True)
