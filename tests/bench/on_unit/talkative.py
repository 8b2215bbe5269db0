"""A shell that publishes a record every 30 ms (PATROL_TALK_MS), whatever the core thinks."""

import asyncio
import os

from drivers import shell

EVERY_MS = int(os.getenv("PATROL_TALK_MS") or 30)


class Talkative(shell.Shell):
    def attach(self, *parts):
        super().attach(*parts)
        self.load = asyncio.create_task(self._talk())

    async def _talk(self):
        count = 0
        while True:
            await asyncio.sleep_ms(EVERY_MS)
            count += 1
            fields = {"uptime_ms": self.clock.now_ms()}
            if count % 2:
                self._do_publish(0, 1, "unit_mark", fields)
            else:
                self._do_publish(0, 2, "unit_health", fields)


shell.Shell = Talkative
