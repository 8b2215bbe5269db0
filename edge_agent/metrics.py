"""Prometheus metrics on loopback: what waits, how the county is reached, what was refused.

`patrol_sos_delay_seconds` is what an SOS raised now would take to its PUBACK: bytes ahead / rate +
round trip; NaN while the county is not reached.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge_agent.outbox import Outbox
from edge_agent.section import Address, Section, TcpAddress
from edge_agent.uplink import Uplink

LANES = ("sos", "custody", "event", "telemetry")


class MetricsConfig(Section):
    """`[metrics]` in agent.toml: where Prometheus reads; loopback unless told otherwise."""

    listen: TcpAddress = Address("127.0.0.1", 9464)


class Metrics(Collector):
    """`run()` for ever. counts() is the units' endpoint's counters."""

    def __init__(
        self,
        listen: Address,
        outbox: Outbox,
        uplink: Uplink,
        counts: Callable[[], Mapping[str, int]],
    ) -> None:
        self._listen, self._outbox, self._uplink, self._counts = listen, outbox, uplink, counts
        self.port = 0  # where it listens, once it does

    async def run(self) -> None:
        registry = CollectorRegistry()
        registry.register(self)
        server, thread = start_http_server(self._listen.port, self._listen.host, registry=registry)
        self.port = server.server_port
        try:
            await asyncio.Event().wait()
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def collect(self) -> Iterable[Metric]:
        """Called in the server's thread: reads numbers, changes nothing."""
        status, tally = self._uplink.status(), self._outbox.store.tally
        for name, index in (("records", 0), ("bytes", 1)):
            waiting = GaugeMetricFamily(
                f"patrol_outbox_{name}", f"{name} that wait for the county", labels=["lane"]
            )
            for lane, label in enumerate(LANES):
                waiting.add_metric([label], tally[lane][index])
            yield waiting
        delay = math.nan if status.sos_delay is None else status.sos_delay
        for name, says, value in (
            ("sos_delay_seconds", "what an SOS raised now would take to its PUBACK", delay),
            ("uplink_up", "1 while the county is reached", float(status.connected)),
            ("uplink_window_bytes", "what may be under way", status.window),
            ("uplink_rate_bytes", "bytes/s, measured", status.rate),
            ("uplink_round_trip_seconds", "shortest of late", status.rtt),
            ("outbox_fault", "1 while the disk refuses", float(self._outbox.fault is not None)),
        ):
            yield GaugeMetricFamily(f"patrol_{name}", says, value=value)
        for name, says, value in (
            ("outbox_commits", "transactions with their fsync", self._outbox.store.commits),
            ("uplink_refused", "records the county's broker refused", status.refused),
            ("uplink_connections", "connections begun", status.reconnects),
        ):
            yield CounterMetricFamily(f"patrol_{name}", says, value=value)
        units = CounterMetricFamily("patrol_units", "the units' endpoint", labels=["what"])
        for what, value in dict(self._counts()).items():
            units.add_metric([what], value)
        yield units
