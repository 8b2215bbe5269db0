"""Battery voltage and the charger's signal."""

from machine import ADC, Pin


class Battery:
    """Millivolts at the cell, over the board's divider."""

    def __init__(self, row):
        self._adc = ADC(Pin(row.gpio), atten=ADC.ATTN_11DB)
        self._factor = float(row.active)  # millivolts at the source for one at the pin

    def mv(self) -> int:
        """Median of five: the modem's bursts pull the voltage down for 0.6 ms each."""
        samples = []
        for _ in range(5):
            samples.append(self._adc.read_uv())
        samples.sort()
        return int(samples[2] // 1000 * self._factor)


class Charger:
    """Whether the unit stands on its cradle."""

    def __init__(self, row):
        self._pin = Pin(row.gpio, Pin.IN)
        self._yes = 1 if row.active == "high" else 0
        self._told = None

    def news(self):
        """Whether it is there, if that is news; otherwise None."""
        present = self._pin.value() == self._yes
        if present == self._told:
            return None
        self._told = present
        return present
