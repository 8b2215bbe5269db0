#!/bin/bash
# Build MicroPython's unix port 32-bit with single-precision floats and print where it is.
#
# A float that costs metres, or a structure that fits only because a pointer is 8 bytes, passes every
# test on 64 bits. This build has the numbers of the ESP32: object representation A, 32-bit words,
# single floats. Source: Debian's own `micropython` package (trixie), checked by apt against Debian's
# keys, in lists of its own: the machine's sources are left as they are.
#
# Beside it lie `names`, every name in its flash, for known_names.py; and `micropython-unit`, the same
# with firmware/virtual frozen in: on the chip `machine`, `network` and the like are in its flash too,
# and what they are made of takes nothing of the heap that unit_heap.py looks for.
#
# Idempotent; kept in ~/.cache/patrol-micropython32. Needs gcc-multilib, make, dpkg-dev: installed
# when root or sudo allows, else named (exit 2).
set -euo pipefail
cache="${XDG_CACHE_HOME:-$HOME/.cache}/patrol-micropython32"
final="$cache/micropython"
virtual="$(cd "$(dirname "$0")/../../firmware/virtual" && pwd)"
recipe="$(cat "$0" "$virtual"/*.py | sha256sum | cut -c1-16)"
made() {
    [ "$(cat "$cache/recipe" 2>/dev/null)" = "$recipe" ] && "$final" -c 1 && "$final-unit" -c 1 &&
        [ -s "$cache/names" ]
}
if made; then
    echo "$final"
    exit
fi

say() { echo "micropython32: $*" >&2; }
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # two builds in one place would break each other
if made; then
    echo "$final"
    exit
fi

missing=()
for package in gcc-multilib make dpkg-dev debian-archive-keyring; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    wait=(-o DPkg::Lock::Timeout=300) # another installation may be running
    if ! { "${as_root[@]}" apt-get update -qq "${wait[@]}" &&
        DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install "${wait[@]}" -y -qq \
            --no-install-recommends "${missing[@]}"; } >"$cache/apt.log" 2>&1; then
        say "needs Debian's ${missing[*]}, which could not be installed ($cache/apt.log): apt-get install ${missing[*]}"
        exit 2
    fi
fi

work="$(mktemp -d "$cache/build.XXXXXX")"
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p lists/partial archives/partial
# The mirror this machine already uses, for another suite.
mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | sort -u | head -1)"
[ -n "$mirror" ] || { say "apt knows no Debian mirror: run apt-get update, then again"; exit 2; }
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >sources.list
apt=(apt-get -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" -o APT::Sandbox::User="$(id -un)")
if ! { "${apt[@]}" update && "${apt[@]}" source micropython; } >"$cache/source.log" 2>&1; then
    say "Debian's source package could not be fetched ($cache/source.log): check the network"
    exit 2
fi
cd micropython-*/

# Single floats are the ESP32's, and so is representation A, the default where nothing else is set; the
# rest of the standard variant stays. No TLS: Debian's package links a 64-bit mbedtls from outside, and
# what is asked of this build is asked over plain TCP.
mkdir ports/unix/variants/patrol32
cat >ports/unix/variants/patrol32/mpconfigvariant.h <<'H'
#define MICROPY_FLOAT_IMPL (MICROPY_FLOAT_IMPL_FLOAT)
#include "../standard/mpconfigvariant.h"
H
cp ports/unix/variants/standard/mpconfigvariant.mk ports/unix/variants/patrol32/
build() { # a frozen manifest
    make -j"$(nproc)" -C ports/unix VARIANT=patrol32 MICROPY_FORCE_32BIT=1 MICROPY_PY_FFI=0 \
        MICROPY_PY_BTREE=0 MICROPY_PY_SSL=0 MICROPY_SSL_MBEDTLS=0 FROZEN_MANIFEST="$1" CWARN=-Wall \
        >>"$cache/build.log" 2>&1 && return
    say "the build failed: see $cache/build.log"
    exit 1
}
debian="$PWD/debian/config/manifest.py"
make -j"$(nproc)" -C mpy-cross >"$cache/build.log" 2>&1 || { say "the build failed: see $cache/build.log"; exit 1; }
build "$debian"
built=ports/unix/build-patrol32
sed -n 's/^QDEF[01](MP_QSTR_\w*, .* "\(\w*\)")$/\1/p' $built/genhdr/qstrdefs.generated.h >"$cache/names"
sed -n '/mp_qstr_frozen_const_pool = /,/^};/s/^ *"\(\w*\)",$/\1/p' $built/frozen_content.c >>"$cache/names"
install $built/micropython "$cache/micropython.new"
"$cache/micropython.new" -c "
import sys
assert sys.maxsize == 0x7fffffff, 'not 32-bit'
assert 16777217.0 == 16777216.0, 'floats are not single'
import asyncio, hashlib, socket, vfs, _thread
hashlib.sha256(b'')
"
printf 'include("%s")\nfreeze("%s")\n' "$debian" "$virtual" >"$work/unit.py"
build "$work/unit.py"
install $built/micropython "$cache/micropython.unit"
(cd / && PATROL_STATE="$work" "$cache/micropython.unit" -c "import network, socket") || {
    say "firmware/virtual is not in the second build: see $cache/build.log"
    exit 1
}
mv "$cache/micropython.unit" "$final-unit"
mv "$cache/micropython.new" "$final"
echo "$recipe" >"$cache/recipe"
echo "$final"
