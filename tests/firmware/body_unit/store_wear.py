"""What a year of patrols costs the flash, counted on real LittleFS. MicroPython only.

A 4 MB board gives LittleFS 2 MB. What never changes (the firmware) keeps its blocks for ever, so
only the free ones share the wear; NOR flash is good for 100,000 erases of each block.
"""

import ram_flash
from store_rig import Shell, store_lane

VFS_BLOCKS = 512
STATIC_BLOCKS = 64  # firmware, certificates, settings: 256 KB
CYCLES = 100000
YEARS = 10
DAY_S = 12 * 3600
TRACK_S = 10  # mean period of position reports over a shift
TRACKS = 3000


def measure():
    """-> bytes and erases of a track, the space of 24 h offline, wear of ten years in per cent."""
    flash = ram_flash.RamFlash(VFS_BLOCKS)
    ram_flash.mount(flash, make=True)
    unit = Shell("/flash/queue")
    store_lane.SEGMENT_BYTES = 16 * 1024
    before = flash.erases
    for _ in range(TRACKS // 2):  # offline
        unit.append(2)
    size = unit.store.lanes[2].bytes * 2 // TRACKS
    unit.take_all()
    for _ in range(TRACKS // 2):  # online
        unit.append(2)
        unit.take_all()
    unit.append(0)
    erases = flash.erases - before
    ram_flash.umount()
    records = YEARS * 365 * DAY_S // TRACK_S
    life = (VFS_BLOCKS - STATIC_BLOCKS) * CYCLES
    return {
        "bytes_per_track": size,
        "day_5s_kb": size * 86400 // 5 // 1024,
        "budget_kb": unit.store.budget // 1024,
        "erases_per_100_tracks": erases * 100 // TRACKS,
        "wear_percent_10y": records * erases * 100 // TRACKS // life,
    }
