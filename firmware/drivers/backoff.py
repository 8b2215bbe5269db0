"""When to try again, and how long to wait for an answer: pure functions of what went wrong.

Full jitter (any moment of a window that doubles) because a county's units all lose the same broker
in the same second, and a listen queue holds 100: the window begins at fleet / 180 s, which is some
six new TLS sessions in each 33 ms of county broker, and doubles up to its longest.
"""

LONGEST_MS = 60_000
SOS_MS = 1000  # an open SOS tries again so soon
PATIENCE_MS = 3500  # with a press's 0.5 s, a look each 0.2 s and a new connection: told anew in 5 s
CALM_MS = 600_000  # after so long without a fault, patience is as short as at first


def pause_ms(failures: int, fleet: int, sos: bool, random: int) -> int:
    """Pause before the next try. `failures`: in a row, 1 after the first; `random`: 0 to 65535."""
    window = max(100, fleet * 1000 // 180) << min(failures - 1, 10)
    window = min(window, max(LONGEST_MS, fleet * 1000 // 180))
    if sos:
        window = min(window, SOS_MS)
    return window * random >> 16


def patience_ms(stalls: int) -> int:
    """How long a publish may stay unacknowledged: 3.5 s, doubled with each stall, four times.

    A link that freezes 6 s in every 20 would otherwise be given up in every freeze.
    """
    return PATIENCE_MS << min(stalls, 4)
