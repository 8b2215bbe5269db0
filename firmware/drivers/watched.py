"""Who lives: each task reports in, and care.py feeds the watchdog only while all of them do."""

said = {}  # name of a task: ms that it may be silent beside the usual patience; None: said before


def alive(name: str, for_ms: int = 0) -> None:
    """`for_ms`: it now waits for something that long at most."""
    said[name] = for_ms
