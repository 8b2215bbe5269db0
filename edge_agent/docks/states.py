"""What may happen to a recording, and in which order.

Theory. A recording is one file of one camera: (camera serial, path, size, mtime, fingerprint).
It belongs to no bay and to no docking: it is begun in one and may be finished in another, after
any number of yanks and power cuts. Its state is a row in the ledger, and a state changes only
together with its custody event, in one transaction: so the journal spells the recording's path
through this table, each step once.

    INVENTORIED   seen on a camera, nothing copied
    COPYING       chunks are in `incoming/`, each on disk before its record is
    READBACK_OK   the whole copy was read from the disk, not from memory, and hashes the same
    SEALED        renamed into its bag, directories on disk: from here the camera is not needed
    ANNOUNCED     the event is durable in the outbox
    UPLOADED      the county's tus server has taken every byte. Proves nothing about their value
    COUNTY_CONFIRMED  a signed dock_confirm names the same SHA-256
    RELEASED      the camera may be wiped, the copy may be evicted once the law's time is over
    EVICTED       the copy made room for others

Faults are states too: the way out of each is `start`, which needs the camera. A fault
after SEALED does not exist, because nothing after SEALED touches the camera. Two edges go back:
a county that holds other bytes, or lost them, gets them again (UPLOADED -> ANNOUNCED).

A pair that is missing from the table is a mistake of the caller and raises: there is no
way from anything but COUNTY_CONFIRMED to RELEASED, and none from an unreleased state to EVICTED.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    EMPTY = "EMPTY"
    DETECTED = "DETECTED"
    UNLOCKING = "UNLOCKING"
    MOUNTED_RO = "MOUNTED_RO"
    INVENTORIED = "INVENTORIED"
    COPYING = "COPYING"
    READBACK_OK = "READBACK_OK"
    SEALED = "SEALED"
    ANNOUNCED = "ANNOUNCED"
    UPLOADED = "UPLOADED"
    COUNTY_CONFIRMED = "COUNTY_CONFIRMED"
    RELEASED = "RELEASED"
    EVICTED = "EVICTED"
    YANKED = "YANKED"
    NO_SPACE = "NO_SPACE"
    READ_ERROR = "READ_ERROR"
    UNKNOWN_CAMERA = "UNKNOWN_CAMERA"
    MISMATCH = "MISMATCH"
    UNLOCK_REFUSED = "UNLOCK_REFUSED"


class Step(StrEnum):
    """What can happen to a recording."""

    START = "start"  # its camera is here and its turn has come
    SAME = "same"  # read-back hashes like the source
    DIFFERS = "differs"
    GONE = "gone"  # the camera left
    FULL = "full"  # no room, even after eviction
    UNREADABLE = "unreadable"  # the camera answers, but not with the file
    RENAMED = "renamed"
    ANNOUNCE = "announce"
    UPLOAD = "upload"
    LOST = "lost"  # by the county: to be sent again
    CONFIRM = "confirm"
    RELEASE = "release"
    EVICT = "evict"


class NotInTable(ValueError):
    """A step that the table does not have."""


S = State
FAULTS = frozenset({S.YANKED, S.NO_SPACE, S.READ_ERROR, S.MISMATCH})

RECORDING: dict[tuple[State, Step], State] = {
    (S.INVENTORIED, Step.START): S.COPYING,
    (S.INVENTORIED, Step.GONE): S.YANKED,
    (S.INVENTORIED, Step.FULL): S.NO_SPACE,
    (S.INVENTORIED, Step.UNREADABLE): S.READ_ERROR,
    (S.COPYING, Step.START): S.COPYING,  # after a power cut: the chunks are found again
    (S.COPYING, Step.SAME): S.READBACK_OK,
    (S.COPYING, Step.DIFFERS): S.MISMATCH,
    (S.COPYING, Step.GONE): S.YANKED,
    (S.COPYING, Step.FULL): S.NO_SPACE,
    (S.COPYING, Step.UNREADABLE): S.READ_ERROR,
    **{(fault, Step.START): S.COPYING for fault in FAULTS},
    (S.YANKED, Step.FULL): S.NO_SPACE,
    (S.READ_ERROR, Step.FULL): S.NO_SPACE,
    (S.MISMATCH, Step.FULL): S.NO_SPACE,
    (S.READBACK_OK, Step.RENAMED): S.SEALED,
    (S.READBACK_OK, Step.DIFFERS): S.MISMATCH,  # looked at again after a cut before the rename
    (S.SEALED, Step.ANNOUNCE): S.ANNOUNCED,
    (S.ANNOUNCED, Step.UPLOAD): S.UPLOADED,
    (S.ANNOUNCED, Step.CONFIRM): S.COUNTY_CONFIRMED,  # a cut came between upload and its record
    (S.UPLOADED, Step.LOST): S.ANNOUNCED,
    (S.UPLOADED, Step.CONFIRM): S.COUNTY_CONFIRMED,
    (S.COUNTY_CONFIRMED, Step.RELEASE): S.RELEASED,
    (S.RELEASED, Step.EVICT): S.EVICTED,
}

# What staff read. 请勿拔出 stands beside the working light.
SAYS: dict[State, str] = {
    S.EMPTY: "空",
    S.DETECTED: "已插入",
    S.UNLOCKING: "正在解锁",
    S.MOUNTED_RO: "正在读取目录",
    S.INVENTORIED: "等待采集",
    S.COPYING: "正在采集",
    S.READBACK_OK: "已复核",
    S.SEALED: "已封存",
    S.ANNOUNCED: "已上报",
    S.UPLOADED: "已上传",
    S.COUNTY_CONFIRMED: "县局已核对",
    S.RELEASED: "可以清空",
    S.EVICTED: "到期已清除",
    S.YANKED: "未采完即拔出",
    S.NO_SPACE: "磁盘空间不足",
    S.READ_ERROR: "记录仪读取出错",
    S.UNKNOWN_CAMERA: "无法识别的记录仪",
    S.MISMATCH: "复核不一致，重新采集",
    S.UNLOCK_REFUSED: "记录仪拒绝解锁",
}

NEEDS_CAMERA = frozenset({S.INVENTORIED, S.COPYING, *FAULTS})
ON_DISK = frozenset(
    {S.SEALED, S.ANNOUNCED, S.UPLOADED, S.COUNTY_CONFIRMED, S.RELEASED}
)  # there is a copy in a bag


def after(state: State, step: Step) -> State:
    """The state that `step` leads to; NotInTable where it leads nowhere."""
    try:
        return RECORDING[state, step]
    except KeyError:
        raise NotInTable(f"a recording that is {state} cannot {step}") from None


class Light(StrEnum):
    """What the lamp on a bay says. `working` means 请勿拔出, do not pull out."""

    EMPTY = "empty"
    WORKING = "working"
    DONE = "done"
    PROBLEM = "problem"


def light(bay: State, pending: int, problems: int) -> Light:
    """pending: recordings here that still need the camera; problems: those in a fault."""
    if bay is S.EMPTY:
        return Light.EMPTY
    if problems or bay in (S.UNKNOWN_CAMERA, S.UNLOCK_REFUSED, *FAULTS):
        return Light.PROBLEM
    if pending or bay in (S.DETECTED, S.UNLOCKING, S.MOUNTED_RO):
        return Light.WORKING
    return Light.DONE
