"""Runs on the unit, beside main.py: publishes a record every 30 ms, whatever the core thinks."""

import machine  # first: on a desk this is the power-on

# isort: split
import asyncio

from drivers import shell

EVERY_MS = 30


class Talkative(shell.Shell):
    def attach(self, *parts):
        super().attach(*parts)
        self.load = asyncio.create_task(self._talk())

    async def _talk(self):
        count = 0
        while True:
            await asyncio.sleep_ms(EVERY_MS)
            count += 1
            klass = 1 + count % 2
            fields = {"uptime_ms": self.clock.now_ms()}
            name = "unit_mark" if klass == 1 else "unit_health"
            self._do_publish(0, klass, name, fields)


shell.Shell = Talkative
machine.idle()
import main  # noqa: E402, F401  (it runs for ever)
