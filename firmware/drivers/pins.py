"""The board's pin map, from the pins.csv that the hardware is drawn and checked from."""

from collections import namedtuple

# gpio: int; direction, pull, active, bus, wake: as the columns of hardware/README.md say
PinRow = namedtuple("PinRow", "gpio direction pull active bus wake")


def read(path):
    """{signal: PinRow}. What the board does not have is absent. OSError, ValueError, KeyError."""
    rows = {}
    with open(path) as f:
        columns = f.readline().strip().split(",")
        for line in f:
            cells = dict(zip(columns, line.rstrip("\r\n").split(",")))
            if cells["signal"]:
                rows[cells["signal"]] = PinRow(
                    int(cells["gpio"]),
                    cells["direction"],
                    cells["pull"],
                    cells["active"],
                    cells["bus"],
                    cells["wake"],
                )
    return rows


def uart_of(row):
    """Number of the UART a row's line belongs to: "uart1.rx" -> 1."""
    return int(row.bus.split(".")[0][4:])
