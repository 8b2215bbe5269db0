"""Does everything go into the case, and does the case do its work? Computed from real sizes.

Sizes are parts.csv's, places enclosure/placement.csv's, numbers enclosure/parameters.csv's; the
CAD (enclosure/unit.scad) reads the same through a generated parameters.scad. Boxes stand in for
parts: `axes` says which of Length, Width, Height lies along x, y and z. All in millimetres.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from hardware import orders
from hardware.tables import HERE, BomLine, read_bom, read_parts, rows

FOLDER = HERE / "enclosure"
WALLS = {
    "left wall": (0, 0),
    "right wall": (0, 1),
    "bottom wall": (1, 0),
    "top wall": (1, 1),
    "back wall": (2, 0),
    "front wall": (2, 1),
}
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Box:
    """A part in the cavity: lower corner and size; `on` is the part or wall it is fixed to."""

    name: str
    at: Vector
    size: Vector
    on: str = ""
    metal: bool = False

    def span(self, axis: int) -> tuple[float, float]:
        return self.at[axis], self.at[axis] + self.size[axis]

    def gaps(self, other: Box) -> list[float]:
        """Free way along each axis; negative where they overlap in that axis."""
        found: list[float] = []
        for axis in range(3):
            low, high = self.span(axis)
            other_low, other_high = other.span(axis)
            found.append(max(other_low - high, low - other_high))
        return found

    def distance(self, other: Box) -> float:
        """Shortest way between two boxes; 0 where they touch or overlap."""
        return math.hypot(*(max(0.0, gap) for gap in self.gaps(other)))

    def overlaps(self, other: Box) -> bool:
        return all(gap < -1e-9 for gap in self.gaps(other))


@dataclass(frozen=True)
class Case:
    numbers: dict[str, float]
    boxes: tuple[Box, ...]
    posts: tuple[Box, ...]
    lugs: tuple[tuple[str, float], ...]

    def box(self, name: str) -> Box:
        return next(box for box in self.boxes if box.name == name)

    @property
    def cavity(self) -> Vector:
        return self.numbers["cavity_x"], self.numbers["cavity_y"], self.numbers["cavity_z"]


def load() -> Case:
    numbers = {row["name"]: float(row["value"]) for row in rows(FOLDER / "parameters.csv")}
    parts = read_parts()
    boxes: list[Box] = []
    for row in rows(FOLDER / "placement.csv"):
        sides = dict(zip("LWH", parts[row["mpn"]].size_mm, strict=True))
        size = (sides[row["axes"][0]], sides[row["axes"][1]], sides[row["axes"][2]])
        at = (float(row["x"]), float(row["y"]), float(row["z"]))
        boxes.append(Box(row["name"], at, size, row["on"], row["metal"] == "yes"))
    width = numbers["post_d"]
    board = next(box for box in boxes if box.name == "board")
    posts = tuple(
        Box(
            f"post {number}",
            (float(row["x"]) - width / 2, float(row["y"]) - width / 2, 0.0),
            (width, width, board.at[2]),
        )
        for number, row in enumerate(rows(FOLDER / "posts.csv"), start=1)
    )
    lugs = tuple((row["side"], float(row["along"])) for row in rows(FOLDER / "lugs.csv"))
    return Case(numbers, tuple(boxes), posts, lugs)


def inside(case: Case) -> list[str]:
    """Every part stays clear of every wall it is not fixed to."""
    found: list[str] = []
    for box in case.boxes:
        for wall, (axis, end) in WALLS.items():
            low, high = box.span(axis)
            room = case.cavity[axis] - high if end else low
            least = 0.0 if box.on == wall else case.numbers["gap"]
            if room < least - 1e-9:
                found.append(f"{box.name} is {room:.2f} mm from the {wall}; {least:.2f} wanted")
    return found


def apart(case: Case) -> list[str]:
    """No two parts closer than the gap, except a part and what it is fixed to."""
    found: list[str] = []
    everything = [*case.boxes, *case.posts]
    for index, box in enumerate(everything):
        for other in everything[index + 1 :]:
            if box.overlaps(other):
                found.append(f"{box.name} and {other.name} overlap; move one")
                continue
            fixed = other.name in (box.on, other.on) or box.name in (other.on, box.on)
            on_posts = "posts" in (box.on, other.on) and (box in case.posts or other in case.posts)
            both_posts = box in case.posts and other in case.posts
            if fixed or on_posts or both_posts:
                continue
            if box.distance(other) < case.numbers["gap"] - 1e-9:
                found.append(
                    f"{box.name} and {other.name} are {box.distance(other):.2f} mm apart; "
                    f"{case.numbers['gap']:.2f} wanted"
                )
    return found


def antenna_zones(case: Case) -> dict[str, tuple[Box, float, tuple[str, ...]]]:
    """Antenna -> (its box, metal-free distance, what it belongs to and need not keep off)."""
    module = case.box("esp32")
    length = case.numbers["wifi_zone"]
    wifi = Box("Wi-Fi antenna", module.at, (module.size[0], length, module.size[2]))
    return {
        # The board has no copper under the antenna: that is the layout's part of the bargain.
        "Wi-Fi antenna": (wifi, case.numbers["wifi_keepout"], ("esp32", "board")),
        "LTE antenna": (case.box("lte_antenna"), case.numbers["lte_keepout"], ("lte_antenna",)),
        "GNSS patch": (case.box("patch"), case.numbers["gnss_keepout"], ("patch", "board")),
    }


def keepouts(case: Case) -> list[str]:
    found: list[str] = []
    for name, (zone, free, own) in antenna_zones(case).items():
        for box in case.boxes:
            if box.metal and box.name not in own and zone.distance(box) < free:
                found.append(
                    f"{name}: {box.name} is metal {zone.distance(box):.1f} mm away; {free} wanted"
                )
    return found


def intrusion_mm(radius: float, opening_d: float) -> float:
    """How deep a ball of this radius sinks into a round opening (the sagitta)."""
    half = opening_d / 2
    return radius if radius <= half else radius - math.sqrt(radius * radius - half * half)


def bluntest_presser_mm(opening_d: float, depth: float) -> float:
    """The largest radius that still reaches `depth` below the opening."""
    half = opening_d / 2
    return (half * half + depth * depth) / (2 * depth)


def button(case: Case) -> list[str]:
    numbers = case.numbers
    depth = numbers["recess"] + press_mm(case)
    found: list[str] = []
    reach = intrusion_mm(numbers["seat_r"], numbers["opening_d"])
    if reach >= numbers["recess"]:
        found.append(f"a seat edge reaches {reach:.1f} mm into the SOS opening: it would touch")
    if numbers["glove_d"] > numbers["opening_d"]:
        found.append("a gloved finger does not enter the SOS opening; widen it")
    elif intrusion_mm(numbers["glove_d"] / 2, numbers["opening_d"]) < depth:
        found.append("a gloved finger does not reach the end of the press; a shallower recess")
    ring = numbers["front"] + numbers["collar"] - numbers["recess"] - 0.1 - numbers["cap_t"]
    if ring < numbers["thin_min"]:
        found.append(f"the ring over the cap is {ring:.2f} mm thick; a thicker front")
    bend = (numbers["cap_hole"] - numbers["cap_boss"]) / 2
    if bend < 3 * press_mm(case):
        found.append(f"{bend:.1f} mm of cap bend {press_mm(case):.1f} mm; a smaller boss")
    if numbers["cap_d"] - numbers["cap_hole"] < 3:
        found.append("the cap is glued on less than 1.5 mm all round; a wider cap")
    foot = numbers["cavity_z"] - case.box("button").span(2)[1] - numbers["cap_gap"]
    if foot < 0:
        found.append(f"the switch stands {-foot:.2f} mm into the cap's foot; a deeper case")
    return found


def press_mm(case: Case) -> float:
    """From touching the cap to the click."""
    return case.numbers["cap_gap"] + case.numbers["switch_travel"]


def gasket(case: Case) -> list[str]:
    numbers = case.numbers
    found: list[str] = []
    squeeze = 1 - numbers["groove_d"] / numbers["cord"]
    if not numbers["squeeze_min"] <= squeeze <= numbers["squeeze_max"]:
        found.append(f"the gasket is squeezed {squeeze:.0%}; change cord or groove depth")
    fill = math.pi * numbers["cord"] ** 2 / 4 / (numbers["groove_w"] * numbers["groove_d"])
    if fill > numbers["fill_max"]:
        found.append(f"the cord fills {fill:.0%} of its groove; widen the groove")
    if (numbers["wall"] - numbers["groove_w"]) / 2 < numbers["thin_min"]:
        found.append("the wall beside the groove is thinner than two printed lines; thicken it")
    span = max(screw_spans(case))
    if span > numbers["screw_span"]:
        found.append(f"{span:.0f} mm of gasket without a screw; add a lug")
    return found


def screw_spans(case: Case) -> list[float]:
    """Ways along the rim from each screw to the next."""
    width, height, _ = case.cavity
    start = {"bottom": 0.0, "right": width, "top": width + height, "left": 2 * width + height}
    places: list[float] = []
    for side, along in case.lugs:
        back = side in ("top", "left")
        length = width if side in ("top", "bottom") else height
        places.append(start[side] + (length - along if back else along))
    places.sort()
    around = 2 * (width + height)
    return [(place - places[index - 1]) % around or around for index, place in enumerate(places)]


def mechanical(case: Case, bom: list[BomLine]) -> list[str]:
    """The mechanical parts ordered are as many as the case takes."""
    found = list(orders.undated(bom))
    ordered = {line.mpn: line.qty for line in bom}
    for screw, places in (("SCREW-M2.5x10-PT", case.lugs), ("SCREW-M2x6-PT", case.posts)):
        if ordered.get(screw) != len(places):
            found.append(f"bom.csv: {len(places)} {screw} are needed, not {ordered.get(screw)}")
    cut = next((line for line in bom if line.mpn.startswith("CORD")), None)
    around = rim_mm(case)
    length = re.search(r"cut to (\d+) mm", cut.note) if cut else None
    if length is None or not around <= float(length[1]) <= around * 1.1:
        found.append(f"bom.csv: the gasket cord is cut to {around:.0f} mm and a little")
    return found


def rim_mm(case: Case) -> float:
    """Length of the gasket: the middle of the wall, with rounded corners."""
    x, y, _ = case.cavity
    wall, radius = case.numbers["wall"], case.numbers["corner"] - case.numbers["wall"] / 2
    straight = 2 * (x + y + 2 * wall) - 8 * radius
    return straight + 2 * math.pi * radius


def faults() -> list[str]:
    case = load()
    rules = (inside, apart, keepouts, button, gasket)
    found = [text for rule in rules for text in rule(case)] + mechanical(case, read_bom(FOLDER))
    return [f"enclosure: {text}" for text in found]


def outside_mm(case: Case) -> Vector:
    numbers = case.numbers
    x, y, z = case.cavity
    return x + 2 * numbers["wall"], y + 2 * numbers["wall"], z + numbers["floor"] + numbers["front"]


def scad_parameters() -> str:
    """parameters.scad: the tables as OpenSCAD reads them."""
    case = load()
    lines = ["// Written by hardware/render.py from the tables beside it; do not edit."]
    lines += [f"{name} = {value:g};" for name, value in case.numbers.items()]
    lines.append("parts = [")
    for box in case.boxes:
        at, size = ([f"{value:g}" for value in vector] for vector in (box.at, box.size))
        lines.append(f'    ["{box.name}", [{", ".join(at)}], [{", ".join(size)}]],')
    lines.append("];")
    posts = ", ".join(
        f"[{box.at[0] + box.size[0] / 2:g}, {box.at[1] + box.size[1] / 2:g}]" for box in case.posts
    )
    lines.append(f"posts = [{posts}];")
    lugs = ", ".join(f'["{side}", {along:g}]' for side, along in case.lugs)
    lines.append(f"lugs_list = [{lugs}];")
    return "\n".join(lines) + "\n"
