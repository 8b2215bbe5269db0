"""The board's pin map, from the pins.csv that the hardware is drawn and checked from."""

from collections import namedtuple

# gpio: int; direction, pull, active, bus, wake: as the columns of hardware/README.md say
PinRow = namedtuple("PinRow", ("gpio", "direction", "pull", "active", "bus", "wake"))


def read(path):
    """{signal: PinRow}. A signal the board does not have is absent. OSError, ValueError."""
    with open(path) as f:
        lines = [line.rstrip("\r\n") for line in f]
    columns = lines[0].split(",")
    places = [columns.index(name) for name in ("signal",) + _COLUMNS]
    rows = {}
    for line in lines[1:]:
        if line:
            cells = line.split(",")
            signal, gpio, *rest = [cells[place] for place in places]
            rows[signal] = PinRow(int(gpio), *rest)
    return rows


_COLUMNS = ("gpio", "direction", "pull", "active", "bus", "wake")


def uart_of(row):
    """Number of the UART a row's line belongs to: "uart1.rx" -> 1."""
    return int(row.bus.split(".")[0][4:])
