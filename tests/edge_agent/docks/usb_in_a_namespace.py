"""Run under `unshare --net`: plug cameras in by uevent, print what UsbSource makes of it (JSON)."""

from __future__ import annotations

import json

from edge_agent.docks.config import Bay
from edge_agent.docks.usb import UsbSource
from tests.fakes.usb_uevents import disk_path, send

BAYS = [Bay(number=3, path="1-1.3.2"), Bay(number=4, path="1-1.3.4")]
CARD = {"DEVTYPE": "partition", "ID_FS_TYPE": "exfat", "ID_FS_UUID": "FB9A-3C00"}
CARD |= {"ID_SERIAL_SHORT": "CAM001", "ID_VENDOR_ID": "4255", "ID_MODEL_ID": "0001"}


def main() -> None:
    source = UsbSource(BAYS, source="kernel")
    source.poll(0.1)  # what was there before: nothing at these ports
    three, four, other = (disk_path(port, "sdb") for port in ("1-1.3.2", "1-1.3.4", "1-1.1"))
    send("add", three, DEVTYPE="disk", DEVNAME="sdb", ID_PART_TABLE_TYPE="dos")
    send("add", three + "/sdb1", DEVNAME="sdb1", **CARD)
    send("add", three + "/sdb1", DEVNAME="sdb1", **CARD)  # the kernel repeats itself
    send("add", other + "/sdb1", DEVNAME="sdb1", **CARD)  # a stick in the keyboard's port
    send("remove", three, DEVTYPE="disk", DEVNAME="sdb")  # not what is docked
    send("remove", three + "/sdb1", DEVNAME="sdb1", DEVTYPE="partition")
    send("add", four + "/sdb1", DEVNAME="sdb1", **CARD)  # the same camera, next bay, same name
    send("add", three, DEVTYPE="disk", DEVNAME="sdc")  # a blank card: unknown, not invisible
    seen: list[list[str | None]] = []
    for _ in range(8):
        for change in source.poll(1.0):
            device = change.device
            camera = device.camera if device else None
            seen.append([change.bay, camera, device.filesystem if device else None])
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
