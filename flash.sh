#!/bin/sh
# From a bare ESP32 to a unit in a volunteer's hand. Only finds a Python and makes flash.sh's own
# environment, from the kit's wheels where this is a kit, else from the package registry.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "flash.sh: it needs Python 3.11 or newer: install it, or name it with PYTHON=…" >&2
    exit 2
fi
if [ -f "$here/requirements.lock" ]; then
    # Not beside the kit: a USB stick's exFAT holds no environment, and may be read-only.
    venv=${PATROL_FLASH_VENV:-$HOME/.patrol-flash/venv}
    "$python" "$here/firmware/flashing/venv.py" "$venv" "$here/requirements.lock" --no-deps \
        --wheelhouse "$here/wheels"
else
    venv=${PATROL_FLASH_VENV:-$here/.venv-flash}
    "$python" "$here/firmware/flashing/venv.py" "$venv" "$here/firmware/flashing/requirements.txt"
fi
PYTHONPATH="$here/firmware" exec "$venv/bin/python" -m flashing "$@"
