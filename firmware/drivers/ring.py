"""The log of the last hour: in RAM while the unit runs, on flash when it stops, for a technician.

A line that comes again within the last few only counts up, so that a broker which is down all
evening takes two lines and not a thousand. It is written to FILE before every reset that the
program makes itself and when a technician interrupts it (Ctrl-C at the REPL, which is what
mpremote does); then:

    mpremote exec "from drivers import ring; ring.show()"

A watchdog's bite or a cut of the power loses it: then `reset` and `error` of health tell.
"""

FILE = "log.txt"
HOUR_MS = 3_600_000
ROOM = 6000  # characters
LONGEST = 120
_ALIKE = 6  # lines looked back


class Ring:
    def __init__(self):
        self._rows = []  # [first ms, last ms, times, text]
        self._size = 0

    def add(self, now_ms: int, text: str) -> None:
        text = text[:LONGEST]
        for row in self._rows[-_ALIKE:]:
            if row[3] == text:
                row[1] = now_ms
                row[2] += 1
                return
        self._rows.append([now_ms, now_ms, 1, text])
        self._size += len(text)
        while self._size > ROOM or self._rows[0][1] < now_ms - HOUR_MS:
            self._size -= len(self._rows.pop(0)[3])

    def lines(self):
        """Text, oldest first: seconds since boot, what, how often and until when."""
        for first, last, times, text in self._rows:
            line = "%d.%d %s" % (first // 1000, first // 100 % 10, text)
            yield line if times == 1 else "%s (x%d, last %d)" % (line, times, last // 1000)

    def save(self) -> None:
        """Over the one of before; a full flash is no reason to stop."""
        try:
            with open(FILE, "w") as f:
                for line in self.lines():
                    f.write(line + "\n")
        except OSError as fault:
            print("log not written: %s" % fault)


def show() -> None:
    """For the technician."""
    with open(FILE) as f:
        for line in f:
            print(line, end="")
