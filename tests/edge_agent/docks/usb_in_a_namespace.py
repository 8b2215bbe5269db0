"""Run under `unshare --net`: plug cameras in by uevent, print what UsbSource makes of it (JSON)."""

from __future__ import annotations

import json

from edge_agent.docks.config import Bay
from edge_agent.docks.usb import UsbSource
from tests.fakes.usb_uevents import disk_path, send

BAYS = [Bay(number=3, path="1-1.3.2"), Bay(number=4, path="1-1.3.4")]
CARD = {"DEVTYPE": "partition", "ID_FS_TYPE": "exfat", "ID_FS_UUID": "FB9A-3C00"}
CARD |= {"ID_SERIAL_SHORT": "CAM001", "ID_VENDOR_ID": "4255", "ID_MODEL_ID": "0001"}

SECOND = {**CARD, "ID_FS_TYPE": "vfat", "ID_FS_UUID": "77AA-0001"}
DISC = {"ID_FS_TYPE": "iso9660", "ID_FS_UUID": "2020-01-01"}


def main() -> None:
    source = UsbSource(BAYS, source="kernel")
    source.poll(0.1)  # what was there before: nothing at these ports
    three, four, other = (disk_path(port, "sdb") for port in ("1-1.3.2", "1-1.3.4", "1-1.1"))
    slot = disk_path("1-1.3.2", "sdc")
    gone = {"DEVTYPE": "partition"}
    send("add", three, DEVTYPE="disk", DEVNAME="sdb", ID_PART_TABLE_TYPE="dos")
    send("add", three + "/sdb1", DEVNAME="sdb1", **CARD)
    send("add", three + "/sdb1", DEVNAME="sdb1", **CARD)  # the kernel repeats itself
    send("add", other + "/sdb1", DEVNAME="sdb1", **CARD)  # a stick in the keyboard's port
    send("add", disk_path("1-1.3.2", "sr0"), DEVTYPE="disk", DEVNAME="sr0", ID_CDROM="1", **DISC)
    send("add", slot, DEVNAME="sdc", **{**SECOND, "DEVTYPE": "disk"})
    send("change", three + "/sdb1", DEVNAME="sdb1", **{**CARD, "ID_FS_TYPE": ""})  # it was busy
    send("remove", three, DEVTYPE="disk", DEVNAME="sdb")  # not what is docked
    send("remove", three + "/sdb1", DEVNAME="sdb1", **gone)
    send("remove", slot, DEVNAME="sdc", DEVTYPE="disk")
    send("add", four + "/sdb1", DEVNAME="sdb1", **CARD)  # the same camera, next bay, same name
    send("change", four + "/sdb1", DEVNAME="sdb1", **SECOND)
    send("remove", four + "/sdb1", DEVNAME="sdb1", **gone)
    send("add", three, DEVTYPE="disk", DEVNAME="sdc")  # a blank card: unknown, not invisible
    send("change", three, DEVTYPE="disk", DEVNAME="sdc", ID_PART_TABLE_TYPE="gpt")
    seen: list[list[object]] = []
    for _ in range(16):
        for change in source.poll(1.0):
            seen.append([change.bay, *([each.camera, each.filesystem] for each in change.devices)])
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
