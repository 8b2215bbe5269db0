"""What every [[sensor]] has, whatever its kind."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints, model_validator

from edge_agent.section import Milli, Section, Slug

# What is measured, as the county's programs know it: supply_voltage, plate, barrier_open …
Measures = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,30}$")]


class AlarmSection(Section):
    """[sensor.alarm]: limits in the sensor's unit."""

    high: Milli | None = Field(None, description="alarm at this value and above")
    low: Milli | None = Field(None, description="alarm at this value and below")
    on: bool | None = Field(None, description="alarm when the contact is on (true) or off (false)")
    fault: bool = Field(False, description="alarm too when the sensor itself fails")
    hysteresis: Annotated[Milli, Field(ge=0)] = Field(
        0, description="how far back behind the limit the value must be before the alarm ends"
    )
    delay_s: float = Field(0, ge=0, le=3600, description="how long it must last to be an alarm")

    @model_validator(mode="after")
    def _has_a_gap(self) -> AlarmSection:
        if self.high is not None and self.low is not None and self.low >= self.high:
            raise ValueError(
                "low 必须小于 high：交换两个数 / low must be below high: swap the numbers"
            )
        return self


class SensorSection(Section):
    """[[sensor]]: one value, one topic."""

    hangs_on: ClassVar[tuple[str, ...]] = ()  # kinds of [[bus]] its `bus` may name

    id: Slug = Field(description="stands in the topic; unique at this checkpoint")
    name: str = Field("", max_length=40, description="what staff read, e.g. 配电箱烟感")
    measures: Measures = Field("", description="what is measured, e.g. supply_voltage")
    unit: str = Field("", max_length=16)
    deadband: Annotated[Milli, Field(ge=0)] = Field(
        0, description="smaller changes than this are not reported"
    )
    heartbeat_s: float = Field(
        300, ge=1, le=86400, description="reported at least this often, changed or not"
    )
    stale_after_s: float | None = Field(
        None, ge=0.1, description="a reading older than this is marked stale"
    )
    burst: int = Field(5, ge=1, le=100, description="so many reports may follow at once")
    min_gap_s: float = Field(
        1, ge=0, le=3600, description="after a burst, one report in so many seconds; rest counted"
    )
    alarm: AlarmSection | None = None

    @property
    def stale_s(self) -> float | None:
        """Seconds after which a reading is old; None where readings come when they come."""
        return self.stale_after_s

    @property
    def told_as(self) -> tuple[str, str]:
        """(what is measured, its unit), as the county reads it."""
        return self.measures or self.id.replace("-", "_")[:30], self.unit


class PolledSection(SensorSection):
    """A sensor that is asked."""

    every_s: float = Field(5, ge=0.02, le=3600, description="asked this often")

    @property
    def stale_s(self) -> float:
        # Three polls missed; at least 5 s, because a bus re-opens and a slave rests meanwhile.
        return self.stale_after_s or max(3 * self.every_s, 5.0)
