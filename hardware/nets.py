"""The wiring as nets: every wire ends at a pin that exists, and a pin is on one net only."""

from __future__ import annotations

from collections.abc import Iterator

from hardware.tables import Wiring


def faults(wiring: Wiring) -> Iterator[str]:
    """A wire's label is its net's name: two labels at one pin would be a short of two nets."""
    labels: dict[tuple[str, str], set[str]] = {}
    for wire in wiring.wires:
        for part, pin in wire.ends:
            if pin not in wiring.pins[part]:
                yield f"wiring: {part} has no pin {pin} (wire {wire.label})"
            labels.setdefault((part, pin), set()).add(wire.label)
    for (part, pin), found in labels.items():
        if len(found) > 1:
            yield f"wiring: {part}.{pin} joins {' and '.join(sorted(found))}; one net a pin"


def islands(wiring: Wiring) -> Iterator[str]:
    """A net of one name hangs together: a ground wire to nowhere supplies nothing."""
    pieces: dict[str, list[set[tuple[str, str]]]] = {}
    for wire in wiring.wires:
        known = pieces.setdefault(wire.label, [])
        touched = [piece for piece in known if piece & set(wire.ends)]
        known[:] = [piece for piece in known if piece not in touched]
        known.append(set(wire.ends).union(*touched))
    for label, found in pieces.items():
        if len(found) > 1:
            lone = min(found, key=len)
            where = ", ".join(sorted(f"{part}.{pin}" for part, pin in lone))
            yield f"wiring: net {label} is in {len(found)} pieces; join {where} to the rest"
