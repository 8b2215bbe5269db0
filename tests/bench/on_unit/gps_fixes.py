"""Runs on the unit: a file through body_unit.gps at 9600 baud's pace, in the UART's small pieces.

Prints each fix as [ms of day, lat7, lon7, unix_s], and last {"exceptions", "bytes_per_pair"}: the
heap that a second (RMC and GGA) takes, with the collector off.
"""

import gc
import json
import sys

from body_unit.gps import Gps

PIECE = 48  # bytes the driver finds at a time
BYTES_PER_S = 960


def main(path, build_s):
    gps = Gps(build_s)
    exceptions = fixes = spent = counted = 0
    at = 0
    with open(path, "rb") as f:
        while True:
            data = f.read(PIECE)
            before = measure_from(fixes)
            try:
                events = gps.feed(data, at * 1000 // BYTES_PER_S)
                if not data:
                    events = gps.feed(data, at * 1000 // BYTES_PER_S + 1000)
            except Exception as error:  # that is what is counted here
                exceptions += 1
                sys.print_exception(error)
                events = ()
            if before:
                spent += gc.mem_alloc() - before
            gc.enable()
            for event in events:
                if event[0] == "fix":
                    fix = event[1]
                    print(json.dumps([gps.day_ms, fix.lat7, fix.lon7, fix.unix_s]))
                    fixes += 1
                    counted += 1 if before else 0
            at += len(data)
            if not data:
                break
    pair = spent // counted if counted else 0
    print(json.dumps({"exceptions": exceptions, "bytes_per_pair": pair}))


def measure_from(fixes):
    """Heap in use before a piece, once the receiver is known; 0 while it is not."""
    if fixes < 10:
        return 0
    gc.collect()
    gc.disable()
    return gc.mem_alloc()


main(sys.argv[1], int(sys.argv[2]))
