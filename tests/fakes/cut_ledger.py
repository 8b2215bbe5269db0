"""flash.sh with a power cut in the middle of its first PASS row: half of the line reaches the disk.

python -m tests.fakes.cut_ledger flash --unit u-0123 …
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from flashing import __main__ as program
from flashing import ledger


def cut(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line[: len(line) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    ledger.append_line = cut
    sys.exit(program.main())
