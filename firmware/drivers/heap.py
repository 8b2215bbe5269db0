"""Importing this makes a small heap collect early, before anything else is imported.

The garbage that imports and every packet leave behind would otherwise lie between what stays, and
part the heap for ever: the largest free block counts, not the sum. In 60 KB a patrol asked in vain
for a block 0 times with a collection each KB, 1 with one each 2 KB, 12 with one each 4 KB. With
PSRAM a collection takes long and room is plenty; in between, the more is free the seldomer it pays.
"""

import gc

_SMALL = gc.mem_free() + gc.mem_alloc() < 512 * 1024  # bytes
_EVERY = 1024  # bytes asked for
_SHARE = 12

LOG_BYTES = 2048  # of the log of the last hour, in one block
WINDOW = 8  # publishes of a line without a PUBACK; each takes half a KB
if _SMALL:
    gc.threshold(_EVERY)
    LOG_BYTES = 1024
    WINDOW = 6


def settle():
    """All that stays has been made: collect when a twelfth of what is free then was asked for."""
    gc.collect()
    if _SMALL:
        gc.threshold(max(_EVERY, gc.mem_free() // _SHARE))
