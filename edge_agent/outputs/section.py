"""What every [[output]] has, whatever drives it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from edge_agent.section import Section, Slug


class OutputSection(Section):
    """[[output]]: something that is switched. max_on_s keeps a siren from crying all night."""

    hangs_on: ClassVar[tuple[str, ...]] = ()  # kinds of [[bus]] its `bus` may name

    id: Slug = Field(description="siren, barrier, announce: what commands call it")
    name: str = Field("", max_length=40, description="what staff read, e.g. 警报器")
    failsafe: Literal["off", "on", "keep"] = Field(
        "off", description="what it does when the agent starts and when it stops"
    )
    max_on_s: float = Field(0, ge=0, le=86400, description="switched off after this; 0: never")
