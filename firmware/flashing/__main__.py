"""`python -m flashing`: what flash.sh runs, and what Windows runs directly."""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path

from flashing import bench_commands, office_commands
from flashing.errors import FlashError, of_the_system

HERE = Path(__file__).resolve().parents[2]  # the checkout, or the kit that flash.sh came in
HOME = Path(os.environ.get("PATROL_FLASH_HOME", Path.home() / ".patrol-flash"))


def parser() -> argparse.ArgumentParser:
    """Return the whole command line."""
    ask = argparse.ArgumentParser(prog="flash.sh", description="From a bare ESP32 to a unit.")
    kit = HERE if (HERE / "kit.json").exists() else HERE / "kit"
    ask.add_argument("--kit", type=Path, default=kit, help="the offline kit's folder")
    ask.add_argument("--home", type=Path, default=HOME, help="ledger, identities, read-outs")
    commands = ask.add_subparsers(required=True, metavar="COMMAND")
    bench_commands.add(commands)
    office_commands.add(commands)
    return ask


def main() -> int:
    """Run one command: exit code 0 done, 1 not done (one sentence says why), 2 wrong arguments."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a pipe of a Windows code page cannot say 通过
            stream.reconfigure(errors="replace")
    want = parser().parse_args()
    try:
        return want.run(want)
    except FlashError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(of_the_system(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: this unit has no PASS; flash it again", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
