"""The label on a unit's case: a QR code for the phone, the number for the eye.

The QR holds unit, county, MAC and the certificate's serial, separated by semicolons, so that a
found unit can be told and revoked. Nothing on it is secret.
"""

from __future__ import annotations

import io
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from flashing.errors import FlashError
from flashing.ledger import Holder

DPI = 300
SIZE = (590, 295)  # 50 mm x 25 mm at 300 dpi, a common thermal label
MARGIN = 15
QUIET = 4  # modules of white around the code: ISO/IEC 18004


def text(held: Holder, county: str) -> str:
    """Return what the QR code says."""
    return f"PATROL1;{held.unit};{county};{held.mac};{held.serial}"


def draw(held: Holder, county: str) -> Image.Image:
    """Return one label, black on white."""
    label = Image.new("1", SIZE, 1)
    side = SIZE[1] - 2 * MARGIN
    code = segno.make(text(held, county), error="m", micro=False)
    scale = side // code.symbol_size(border=QUIET)[0]  # whole dots: a thermal printer has no grey
    buffer = io.BytesIO()
    code.save(buffer, kind="png", scale=scale, border=QUIET)
    drawn = Image.open(buffer).convert("1")
    label.paste(drawn, (MARGIN, (SIZE[1] - drawn.height) // 2))
    pen = ImageDraw.Draw(label)
    left = side + 2 * MARGIN
    pen.text((left, 40), held.unit, fill=0, font=ImageFont.load_default(62))
    for row, line in enumerate((county, held.mac, f"made {held.at[:10]}")):
        pen.text((left, 130 + 45 * row), line, fill=0, font=ImageFont.load_default(30))
    return label


def save(held: list[Holder], county: str, path: Path) -> None:
    """Write labels: PNG holds one, PDF one a page."""
    labels = [draw(one, county) for one in held]
    if path.suffix.lower() == ".pdf":
        labels[0].save(path, resolution=DPI, save_all=True, append_images=labels[1:])
    elif path.suffix.lower() == ".png" and len(labels) == 1:
        labels[0].save(path, dpi=(DPI, DPI))
    else:
        raise FlashError(f"label: {path}: use .pdf, or .png for a single unit")
