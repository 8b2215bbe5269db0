"""`[docks]` of agent.toml: where recordings are kept, which bay is which, who gets them.

    [docks]
    store = "/var/lib/checkpoint-agent/docks"

    [[docks.bay]]
    number = 3                  # printed on the dock
    path = "1-1.3.2"            # USB port path, as in /sys/bus/usb/devices; never sdX

    [docks.members]             # who carries a camera whose file names do not say (serial = name)
    A1B2C3 = "王敏"

A bay has a `directory` instead of a `path` where there is no USB: see `devices.DirectorySource`.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from edge_agent.section import ExistingFile, FilePath, Section, Slug

MONTHS_6 = 184  # days: the longest run of six calendar months


class Lights(Section):
    """Names of `[[output]]` entries, one lamp each. A light without a lamp is on the page only."""

    working: str | None = None
    done: str | None = None
    problem: str | None = None


class Bay(Section):
    number: Annotated[int, Field(ge=1, le=99)]
    path: Annotated[str, StringConstraints(pattern=r"^\d+-\d+(\.\d+)*$")] | None = None
    directory: FilePath | None = None
    lights: Lights = Lights()

    @property
    def slug(self) -> str:
        """The B of `cp/K/dock/B`."""
        return f"bay-{self.number}"

    @model_validator(mode="after")
    def _one_place(self) -> Bay:
        if (self.path is None) == (self.directory is None):
            raise ValueError(
                f"{self.number} 号口：path（USB 端口，如 1-1.3.2）与 directory 二选一"
                f" / bay {self.number} needs either path (the USB port, like 1-1.3.2) or directory"
            )
        return self


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"不是正则表达式：{error} / not a regular expression: {error}") from error
    return pattern


class Family(Section):
    """One make of camera: how its files are named, how it is unlocked, whether it may be wiped.

    `pattern` may name the groups device, member, date (YYYYMMDD), time (HHMMSS) and marked.
    """

    name: Slug
    pattern: Annotated[str, AfterValidator(_compiles)] | None = None
    usb: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{4}:[0-9a-f]{4}$")], ...] = ()
    unlock: Literal["mass-storage", "helper"] = "mass-storage"  # see unlock.py
    helper: ExistingFile | None = None
    password_file: ExistingFile | None = None  # never in the configuration itself
    same_device: bool = True  # after unlocking; False: the camera comes back as a new device
    wipe: bool = False  # after release; the default only marks

    @model_validator(mode="after")
    def _whole(self) -> Family:
        if self.unlock == "helper" and not (self.helper and self.password_file):
            raise ValueError(
                f"{self.name}：unlock = helper 需要 helper 和 password_file"
                f" / {self.name}: unlock = helper needs helper and password_file"
            )
        return self


class Upload(Section):
    url: Annotated[str, StringConstraints(pattern=r"^https?://")]
    ca: ExistingFile | None = None
    cert: ExistingFile | None = None
    key: ExistingFile | None = None
    hours: Annotated[str, StringConstraints(pattern=r"^\d\d:\d\d-\d\d:\d\d$")] | None = None
    kbit_s: Annotated[int, Field(ge=8)] = 2000  # ceiling; a busy uplink stops video altogether
    chunk_kb: Annotated[int, Field(ge=4, le=8192)] = 1024  # largest request; see upload.py
    recheck_s: Annotated[int, Field(ge=1)] = 86_400  # unconfirmed so long: does it still exist?


class DocksConfig(Section):
    store: FilePath
    bay: tuple[Bay, ...] = ()
    family: tuple[Family, ...] = ()
    members: dict[str, Annotated[str, StringConstraints(min_length=1, max_length=40)]] = Field(
        default_factory=dict
    )
    upload: Upload | None = None
    key: ExistingFile | None = None  # PEM, signs the journal; made in the store when absent
    hash: tuple[Literal["sha256", "sm3"], ...] = ("sha256",)
    chunk_mb: Annotated[int, Field(ge=1, le=64)] = 8  # copied again at most, after a cut
    redock: Literal["sampled", "whole"] = "sampled"  # how known files are compared: again.py
    stall_s: Annotated[int, Field(ge=5)] = 30  # a camera silent for so long is shown as a problem
    keep_days: Annotated[int, Field(ge=MONTHS_6)] = MONTHS_6
    free_low_mb: Annotated[int, Field(ge=0)] = 2048  # below this, released recordings make room
    free_high_mb: Annotated[int, Field(ge=0)] = 8192  # … until so much is free

    def carrier(self, camera: str) -> str | None:
        """Who carries `camera` (its serial number, or that and the volume's); None: not said."""
        return self.members.get(camera) or self.members.get(camera.rpartition(".")[0])

    @model_validator(mode="after")
    def _consistent(self) -> DocksConfig:
        faults: list[str] = []
        for what in ("number", "path", "directory"):
            values = [str(value) for bay in self.bay if (value := getattr(bay, what)) is not None]
            twice = ", ".join(sorted({value for value in values if values.count(value) > 1}))
            if twice:
                faults.append(f"两个口的 {what} 相同：{twice} / two bays share {what} {twice}")
        if "sha256" not in self.hash:
            faults.append('hash 须含 "sha256" / hash must hold "sha256": the county confirms that')
        if self.free_high_mb < self.free_low_mb:
            faults.append("free_high_mb 小于 free_low_mb / free_high_mb is below free_low_mb")
        if faults:
            raise ValueError("; ".join(faults))
        return self
