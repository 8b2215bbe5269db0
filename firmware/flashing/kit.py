"""The kit: everything a technician's laptop needs, in one folder, each file with its SHA-256.

    kit.json            versions and the SHA-256 of every other file
    micropython.bin     the ESP32_GENERIC image
    app/…               the unit's program, linked and compiled, as it lies on a unit
    lines.json          from lines of the linked program back to the source's
    boards/<board>/pins.csv
    flash.sh, firmware/flashing/…, wheels/*.whl, requirements.lock: the tool itself, so that this
                        folder on a USB stick is all that a laptop without internet needs

The project cannot know the SHA-256 of an image it has never fetched, so no pin is shipped: whoever
builds the kit names it once, and it is kept in kit.json from then on. There it also says where the
image came from and whether anybody vouched for it (`origin`).
"""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from flashing import app, micropython_image, traces
from flashing.errors import FlashError
from flashing.micropython_image import MicroPythonImage

MANIFEST = "kit.json"
NO_ROMFS = (
    "this MicroPython is built without ROMFS, so the unit copies its program into RAM: to run it "
    "out of the flash, give an image built with MICROPY_VFS_ROM=1"
)


@dataclass(frozen=True)
class Kit:
    """A checked kit."""

    image: MicroPythonImage
    image_sha256: str
    app: dict[str, bytes]  # path on the unit -> content
    app_id: str  # the first 12 hex digits of a SHA-256 over the app: its version
    mpy: str  # bytecode version, such as '6.3'
    boards: dict[str, bytes]  # board -> pins.csv


def open_kit(folder: Path) -> Kit:
    """Check every file of the kit against kit.json and return it."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        listed: dict[str, str] = manifest["files"]
    except FileNotFoundError as error:
        raise FlashError(
            f"kit: {folder} holds no kit: build one with ./flash.sh kit, or name it with --kit"
        ) from error
    except (ValueError, KeyError) as error:
        raise FlashError(f"kit: {folder / MANIFEST} is damaged: copy the kit again") from error
    contents: dict[str, bytes] = {}
    for name, digest in listed.items():
        path = folder / name
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() != digest:
            raise FlashError(f"kit: {path} is missing or damaged: copy the kit again")
        contents[name] = content
    files = {n.removeprefix("app"): c for n, c in contents.items() if n.startswith("app/")}
    boards = {n.split("/")[1]: c for n, c in contents.items() if n.startswith("boards/")}
    image = micropython_image.check(contents["micropython.bin"], manifest["micropython"])
    return Kit(image, listed["micropython.bin"], files, app_id(files), manifest["mpy"], boards)


def app_id(files: dict[str, bytes]) -> str:
    """Return the version of an app: it changes with any byte of any file."""
    whole = hashlib.sha256()
    for path, content in sorted(files.items()):
        whole.update(path.encode() + b"\0" + hashlib.sha256(content).digest())
    return whole.hexdigest()[:12]


def build(
    into: Path,
    root: Path,
    mpy_cross: Path,
    gps_library: Path,
    image: Fetched,
    wheels: dict[str, bytes] | None,
) -> Kit:
    """Write the kit of the checkout at `root` into `into`, replacing what was there.

    `wheels` is what kit_wheels.collect returns; None leaves flash.sh's own environment out.
    """
    micropython, mpy = app.compiler_version(mpy_cross)
    micropython_image.check(image.content, micropython)
    program = app.build(app.collect(root / "firmware", gps_library), mpy_cross)
    contents = {f"app{path}": content for path, content in program.files.items()}
    contents[traces.FILE] = traces.pack(program.lines)
    contents["micropython.bin"] = image.content
    for pins in sorted((root / "hardware/boards").glob("*/pins.csv")):
        contents[f"boards/{pins.parent.name}/pins.csv"] = pins.read_bytes()
    for tool in [root / "flash.sh", *_tool(root / "firmware")]:
        contents[tool.relative_to(root).as_posix()] = tool.read_bytes()
    contents.update(wheels or {})
    _make_room(into)
    for name, content in contents.items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        (into / name).write_bytes(content)
    (into / "flash.sh").chmod(0o755)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    origin = {"from": image.source, "vouched": image.vouched, "on": f"{image.at:%Y-%m-%d}"}
    manifest = {"micropython": micropython, "mpy": mpy, "origin": origin, "files": digests}
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    (into / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
    return open_kit(into)


def _tool(firmware: Path) -> list[Path]:
    """Return flash.sh's own files, with the part of the unit that reads its store."""
    own = sorted((firmware / "flashing").glob("*.*"))
    for folder in ("linker", "pictures"):
        own += sorted((firmware / "flashing" / folder).glob("*.*"))
    return [*own, firmware / "body_unit/__init__.py", *(firmware / "body_unit").glob("store*.py")]


def _make_room(into: Path) -> None:
    """Remove an older kit; FlashError rather than remove a folder that is something else."""
    if into.exists() and any(into.iterdir()):
        if not (into / MANIFEST).exists():
            raise FlashError(f"kit: {into} is there and is no kit: name an empty folder with --kit")
        shutil.rmtree(into)


@dataclass(frozen=True)
class Fetched:
    """A MicroPython image, where it came from, and whether it had the digest somebody named."""

    content: bytes
    source: str
    vouched: bool
    at: datetime.datetime


def fetch_image(source: str, sha256: str | None, kit: Path) -> Fetched:
    """Return the MicroPython image at `source`, a file or an https address.

    `sha256` is the digest it must have. An address needs one: given now, or kept by an earlier kit
    in the same place. A file given by hand is taken as it is where no digest is known.
    """
    expected = sha256 or _kept_digest(kit)
    if source.startswith("https://"):
        if expected is None:
            raise FlashError(
                "kit: a downloaded image needs its digest once: add --sha256 as read from "
                "micropython.org on a second device"
            )
        try:
            with urllib.request.urlopen(source, timeout=60) as answer:
                content = answer.read()
        except (urllib.error.URLError, OSError) as error:
            raise FlashError(
                f"kit: {source} cannot be fetched ({error}): connect, or give the file instead"
            ) from error
    else:
        try:
            content = Path(source).read_bytes()
        except OSError as error:
            raise FlashError(
                f"kit: {source} cannot be read ({error.strerror}): give ESP32_GENERIC-….bin"
            ) from error
    if expected is not None and hashlib.sha256(content).hexdigest() != expected.lower():
        raise FlashError(
            f"kit: {source} does not have the SHA-256 expected ({expected[:12]}…): fetch it again, "
            "or give the new version's digest with --sha256"
        )
    name = source if source.startswith("https://") else Path(source).name
    return Fetched(content, name, expected is not None, datetime.datetime.now(datetime.UTC))


def _kept_digest(kit: Path) -> str | None:
    """Return the digest that an earlier kit's builder vouched for; a file given so pins nothing."""
    try:
        manifest = json.loads((kit / MANIFEST).read_text(encoding="utf-8"))
        return manifest["files"]["micropython.bin"] if manifest["origin"]["vouched"] else None
    except (FileNotFoundError, ValueError, KeyError):
        return None
