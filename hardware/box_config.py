"""The part of agent.toml that follows from how the box is wired: buses, sensors, outputs, bays.

A technician appends it to agent.toml and fills in the adapters' by-id names; the agent's own
reader accepts it as it is (tests/hardware/test_box.py).
"""

from __future__ import annotations

from edge_agent.sensors.modbus_maps import MAPS
from hardware.box import ADAPTERS, Box

HEAD = """# What the box is wired to be; written by `make hardware` from hardware/checkpoint_box/.
# Append to agent.toml. Put the adapters' own names in: ls /dev/serial/by-id/
# GPIO 6 (battery low) is not here: the kernel's gpio-shutdown overlay holds it.
"""

# Contacts of gpio.csv that the agent reads or switches, and the keys their kind wants.
SENSORS = {"ups_mains_failed": ("市电中断", "[sensor.alarm]\non = true\ndelay_s = 10")}
OUTPUTS = {"siren": ("警报器", "max_on_s = 180"), "lamp": ("状态灯", "")}
BARRIER = ("barrier_raise", "barrier_lower")  # its two buttons: one output of the agent
ANNOUNCE = """[[output]]
id = "announce"
name = "平安小喇叭"
kind = "announce"
folder = "/var/lib/checkpoint-agent/recordings"
device = "plughw:CARD=Device"
quiet = "22:00-06:00\""""


def toml(box: Box) -> str:
    blocks = [HEAD.rstrip(), *_buses(box), *_modbus(box), *_contacts(box), *_docks(box)]
    return "\n\n".join(blocks) + "\n"


def _buses(box: Box) -> list[str]:
    found: list[str] = []
    for bus in ADAPTERS:
        baud, frame = next(row["frame"] for row in box.addresses if row["bus"] == bus).split()
        found.append(
            f'[[bus]]\nname = "{bus}"\nkind = "modbus"\nport = "/dev/serial/by-id/usb-FTDI-{bus}"\n'
            f'baud = {baud}\nparity = "{frame[1]}"\nstop_bits = {frame[2]}'
        )
    found.append('[[bus]]\nname = "pi"\nkind = "gpio"\nchip = "/dev/gpiochip0"')
    return found


def _modbus(box: Box) -> list[str]:
    return [
        f'[[sensor]]\nid = "{point.replace("_", "-")}"\nkind = "modbus"\nbus = "{row["bus"]}"\n'
        f'slave = {row["address"]}\nmap = "{row["map"]}"\npoint = "{point}"'
        for row in box.addresses
        for point in MAPS[row["map"]].points
    ]


def _contacts(box: Box) -> list[str]:
    found: list[str] = []
    for row in box.gpio:
        name = row["name"]
        low = str(row["active"] == "low").lower()
        common = f'kind = "gpio"\nbus = "pi"\nline = {row["line"]}\nactive_low = {low}'
        slug = name.replace("_", "-")
        if name in SENSORS:
            chinese, more = SENSORS[name]
            found.append(f'[[sensor]]\nid = "{slug}"\nname = "{chinese}"\n{common}\n{more}')
        elif name in OUTPUTS:
            chinese, more = OUTPUTS[name]
            block = f'[[output]]\nid = "{slug}"\nname = "{chinese}"\n{common}'
            found.append(f"{block}\n{more}" if more else block)
    line = {row["name"]: row["line"] for row in box.gpio}
    found.append(
        '[[output]]\nid = "barrier"\nname = "道闸"\nkind = "barrier"\nbus = "pi"\n'
        f"open_line = {line[BARRIER[0]]}\nclose_line = {line[BARRIER[1]]}\nactive_low = true"
    )
    return [*found, ANNOUNCE]


def _docks(box: Box) -> list[str]:
    bays = [f'[[docks.bay]]\nnumber = {row["bay"]}\npath = "{row["path"]}"' for row in box.bays]
    return ['[docks]\nstore = "/var/lib/checkpoint-agent/docks"', *bays]
