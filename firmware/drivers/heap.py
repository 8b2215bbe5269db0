"""Importing this makes a small heap collect early, before anything else is imported.

The garbage that imports leave behind would otherwise lie between what stays, and part the heap for
ever: the largest free block counts, not the sum. With PSRAM a collection takes long and room is
plenty.
"""

import gc

_SMALL = 512 * 1024  # bytes
_EVERY = 4096

LOG_BYTES = 2048  # of the log of the last hour, in one block
if gc.mem_free() + gc.mem_alloc() < _SMALL:
    gc.threshold(_EVERY)
    LOG_BYTES = 1024
