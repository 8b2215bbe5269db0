"""Does every supply carry what hangs on it, all peaks at once, at its lowest input voltage?

Load of a rail = the worst peak of each part on it + what its own converters take in:

    converter: input current = output current x output voltage / (lowest input voltage x efficiency)
    path (switch, linear regulator): input current = output current

Peaks are added as if they came together. They seldom do; the modem's 2 A burst and a Wi-Fi frame
can, and a unit that browns out then is lost at the worst moment.
"""

from __future__ import annotations

from collections.abc import Iterator

from hardware.tables import Draw, Rail


def own_peak_ma(rail: str, power: list[Draw]) -> float:
    """The parts directly on this rail: each part's worst state."""
    worst: dict[str, float] = {}
    for draw in power:
        if draw.rail == rail:
            worst[draw.part] = max(worst.get(draw.part, 0), draw.peak_ma)
    return sum(worst.values())


def peak_ma(rail: Rail, rails: dict[str, Rail], power: list[Draw]) -> float:
    """All that this rail must give at once, its converters' inputs included."""
    total = own_peak_ma(rail.name, power)
    for child in rails.values():
        if child.parent == rail.name:
            out = peak_ma(child, rails, power)
            total += child.input_ma(out, parent_mv=rail.min_mv, own_mv=child.max_mv)
    return total


def faults(rails: dict[str, Rail], power: list[Draw]) -> Iterator[str]:
    for draw in power:
        if draw.rail not in rails and draw.rail != "none":
            yield f"power.csv: {draw.part} {draw.state} draws from {draw.rail}, which is no rail"
    for rail in rails.values():
        need = peak_ma(rail, rails, power)
        if need > rail.limit_ma:
            yield (
                f"rails.csv: {rail.name} must give {need:.0f} mA at its worst and is good for "
                f"{rail.limit_ma:.0f}; a stronger supply or fewer loads"
            )
