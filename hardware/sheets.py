"""Pages made from the tables: assembly and inspection in two languages, bring-up, results."""

from __future__ import annotations

from hardware import bringup, endurance, fit, orders, sources, supply
from hardware.box import hold_hours
from hardware.box import load as load_box
from hardware.tables import (
    BOARD_NAMES,
    BOARDS,
    HERE,
    Draw,
    Rail,
    read_bom,
    read_pins,
    read_power,
    read_rails,
    rows,
)

LANGUAGES = ("zh", "en")
SHEETS = ("assembly", "inspection")
TITLES = {
    ("assembly", "zh"): "随身单元装配单",
    ("assembly", "en"): "Assembly sheet of the body unit",
    ("inspection", "zh"): "随身单元检验单",
    ("inspection", "en"): "Inspection sheet of the body unit",
    ("bringup", "zh"): "上电检查单",
    ("bringup", "en"): "Bring-up list",
}
MADE = {
    "zh": "本页由 `make hardware` 生成，请勿手改。",
    "en": "Written by `make hardware`; do not edit.",
}
HEADS = {
    ("assembly", "zh"): ("步", "做什么", "图", "完成 / 签名"),
    ("assembly", "en"): ("Step", "What to do", "Picture", "Done / sign"),
    ("inspection", "zh"): ("项", "检什么", "合格范围", "实测"),
    ("inspection", "en"): ("Item", "What to check", "Good", "Found"),
    ("bringup", "zh"): ("检查", "适用", "会问你或对你说", "不合格时怎么说"),
    ("bringup", "en"): ("Check", "Boards", "It asks or tells you", "When it fails it says"),
}
SIGN = {
    "zh": "单元号 ________  板号 ________  日期 ________  装配 ________  检验 ________",
    "en": "Unit ________  board ________  date ________  assembled ________  inspected ________",
}
Row = tuple[str, ...]


def table(head: Row, body: list[Row]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in body]
    return "\n".join(lines)


def page(title: str, language: str, *blocks: str) -> str:
    return "\n\n".join((f"# {title}", MADE[language], *blocks)) + "\n"


def sheet_page(sheet: str, language: str) -> str:
    body: list[Row] = []
    for row in rows(HERE / "steps" / f"{sheet}.csv"):
        if sheet == "assembly":
            picture = row["picture"]
            shown = f'<img src="{picture}" width="260">' if picture else ""
            body.append((row["step"], row[language], shown, ""))
        else:
            body.append((row["step"], row[language], limit(row["limit"], language), ""))
    title = TITLES[sheet, language]
    return page(title, language, SIGN[language], table(HEADS[sheet, language], body))


def limit(name: str, language: str) -> str:
    """The range of an inspection item: from the tables wherever they hold it."""
    rails = read_rails(BOARDS / "lte")
    if name in rails:
        rail = rails[name]
        return f"{rail.min_mv / 1000:.2f} - {rail.max_mv / 1000:.2f} V"
    if name == "current:light_sleep":
        assumed = endurance.assumptions()
        share = {("U1", "light_sleep"): 1.0, ("U2", "drx"): 1.0, ("U3", "backup"): 1.0}
        return f"<= {endurance.mean_ma(share, assumed) * 1.5:.0f} mA"
    if name == "current:raised":
        walker = next(role for role in endurance.roles() if role.name == "volunteer")
        worst = endurance.budget_ma()
        usual = endurance.hours(walker, endurance.TARGET_LEVEL, "awake").mean_ma
        return f"~{usual:.0f} mA; <= {worst:.0f} mA"
    words = {
        "button": ("是 / 否", "yes / no"),
        "gasket": ("是 / 否", "yes / no"),
        "ip54": ("干 / 湿", "dry / wet"),
        "gnss": ("<= 60 s", "<= 60 s"),
        "drop": ("PASS", "PASS"),
    }
    return words[name][LANGUAGES.index(language)]


def bringup_page(language: str) -> str:
    body = [
        (
            item.name,
            " ".join(item.boards),
            "<br>".join(item.asks),
            item.fails,
        )
        for item in bringup.items()
    ]
    lead = {
        "zh": "由 `flash.sh check` 自己的检查表(`firmware/flashing/selftest.py`)生成："
        "程序问什么，这里就写什么。全部 PASS 后才写入台账。",
        "en": "Made from the table of `flash.sh check` itself (`firmware/flashing/selftest.py`): "
        "what the program asks is what stands here. The ledger takes a PASS of all of them.",
    }[language]
    title = TITLES["bringup", language]
    return page(title, language, lead, table(HEADS["bringup", language], body), SIGN[language])


def supply_rows(rails: dict[str, Rail], loads: list[Row], power: list[Draw]) -> list[Row]:
    for rail in rails.values():
        need = supply.peak_ma(rail, rails, power)
        volts = f"{rail.min_mv / 1000:.2f} - {rail.max_mv / 1000:.2f} V"
        share = f"{need / rail.limit_ma:.0%}"
        loads.append((rail.name, rail.source, volts, f"{need:.0f}", f"{rail.limit_ma:.0f}", share))
    return loads


RAIL_HEAD = ("rail", "from", "volts", "all peaks at once mA", "good for mA", "used")


def boards_page() -> str:
    blocks: list[str] = []
    for name in BOARD_NAMES:
        folder = BOARDS / name
        bom = read_bom(folder)
        pins = read_pins(name)
        blocks.append(f"## {name}")
        blocks.append(f"Parts: {len(bom)} lines, {orders.total_cny(bom):.2f} CNY (estimate).")
        body = [
            (pin.signal, str(pin.gpio), pin.direction, pin.active, pin.bus, pin.wake, pin.note)
            for pin in sorted(pins, key=lambda pin: pin.gpio)
        ]
        head = ("signal", "GPIO", "direction", "active", "bus", "wake", "note")
        blocks.append(table(head, body))
        rails = read_rails(folder)
        if rails:
            blocks.append(table(RAIL_HEAD, supply_rows(rails, [], read_power(folder))))
    return page("Boards", "en", *blocks)


def endurance_page() -> str:
    results = endurance.all_hours()
    body = [
        (
            f"{endurance.LEVEL_ZH[item.level]} {item.level}",
            f"{item.role.chinese} {item.role.name}",
            item.mode,
            f"{item.mean_ma:.0f}",
            f"{item.new_h:.1f}",
            f"{item.worn_h:.1f}",
        )
        for item in results
    ]
    head = ("duty", "role", "run", "mean mA at the cell", "hours new", "hours worn at -10 °C")
    sos_ma, sos_new, sos_worn = endurance.sos_hours()
    least = endurance.least_target_hours()
    budget = endurance.budget_ma()
    counts = sources.tally()
    text = (
        f"Target: {endurance.TARGET_H:.0f} h at 加强 with the SOS reserve untouched. The worst row "
        f"at 加强 (neither CPU nor modem asleep, worn cell, -10 °C) gives "
        f"**{least.worn_h:.1f} h** at {least.mean_ma:.0f} mA. {endurance.TARGET_H:.0f} h would "
        f"still hold at {budget:.0f} mA: "
        f"the estimates may be wrong by a factor of {budget / least.mean_ma:.1f}."
    )
    sos = (
        f"SOS reserve: an unanswered SOS draws {sos_ma:.0f} mA; what the policy keeps lasts "
        f"{sos_new:.1f} h (new) or {sos_worn:.1f} h (worn, cold); 1 h is wanted."
    )
    owed = (
        "Where the figures of hardware/ come from: "
        + ", ".join(f"{number} {kind}" for kind, number in counts.items())
        + ". To be measured on the bench before anyone relies on the hours: the rows of "
        "boards/lte/power.csv that say so, first of all U2 (modem) drx, connected and transmit."
        " That sleep must be seen: issues 53 and 280 of "
        "github.com/Xinyuan-LilyGO/LilyGo-Modem-Series tell of boards whose A7670 never slept."
    )
    body_owed = [
        (draw.part, draw.state, f"{draw.typical_ma:g} mA", draw.source)
        for draw in read_power(BOARDS / "lte")
        if "measure" in draw.source
    ]
    owed_table = table(("part", "state", "taken", "why it must be measured"), body_owed)
    return page(
        "Hours per charge",
        "en",
        text,
        sos,
        "![hours per charge](endurance.svg)",
        table(head, body),
        owed,
        owed_table,
    )


def clearances_page() -> str:
    case = fit.load()
    x, y, z = fit.outside_mm(case)
    body: list[Row] = []
    for box in case.boxes:
        others = [
            (box.distance(other), other.name)
            for other in case.boxes
            if other is not box and other.name != box.on and other.on != box.name
        ]
        near, who = min(others)
        walls = min(
            case.cavity[axis] - box.span(axis)[1] if end else box.span(axis)[0]
            for wall, (axis, end) in fit.WALLS.items()
            if wall != box.on
        )
        size = " x ".join(f"{side:g}" for side in box.size)
        body.append((box.name, size, box.on or "loose", f"{walls:.1f}", f"{near:.1f}", who))
    head = ("part", "size mm", "fixed to", "to the next wall mm", "to the next part mm", "which")
    free: list[Row] = []
    for name, (zone, wanted, own) in fit.antenna_zones(case).items():
        metal = [
            (zone.distance(box), box.name)
            for box in case.boxes
            if box.metal and box.name not in own
        ]
        near, who = min(metal)
        free.append((name, f"{near:.1f}", who, f"{wanted:g}"))
    numbers = case.numbers
    seat = fit.intrusion_mm(numbers["seat_r"], numbers["opening_d"])
    blunt = fit.bluntest_presser_mm(numbers["opening_d"], numbers["recess"] + fit.press_mm(case))
    button = (
        f"A seat edge of radius {numbers['seat_r']:g} mm sinks {seat:.1f} mm into the SOS opening, "
        f"the cap lies {numbers['recess']:g} mm deep. Whatever is blunter than a radius of "
        f"{blunt:.0f} mm cannot press it; a gloved finger of {numbers['glove_d']:g} mm goes "
        f"through the {numbers['opening_d']:g} mm ring. The firmware wants 1.5 s on top."
    )
    squeeze = 1 - numbers["groove_d"] / numbers["cord"]
    seal = (
        f"Gasket: {numbers['cord']:g} mm cord squeezed by {squeeze:.0%}, longest way between two "
        f"screws {max(fit.screw_spans(case)):.0f} mm, all screws outside it."
    )
    return page(
        "Clearances of the case",
        "en",
        f"Outside {x:.1f} x {y:.1f} x {z:.1f} mm.",
        table(head, body),
        "## Antennas",
        table(("antenna", "next metal mm", "which", "wanted mm"), free),
        "## Button and seal",
        button,
        seal,
    )


def box_page() -> str:
    box = load_box()
    head_bay = ("bay", "hub", "port", "USB path")
    bays = [(row["bay"], row["hub"], row["port"], row["path"]) for row in box.bays]
    head_line = ("GPIO", "name", "direction", "on at", "rests at", "meaning")
    lines = [
        tuple(row[key] for key in ("line", "name", "direction", "active", "rests_at", "meaning"))
        for row in box.gpio
    ]
    head_bus = ("bus", "frame", "address", "part", "register map", "where")
    buses = [
        tuple(row[key] for key in ("bus", "frame", "address", "part", "map", "where"))
        for row in box.addresses
    ]
    return page(
        "Checkpoint box",
        "en",
        f"Parts: {len(box.bom)} lines, {orders.total_cny(box.bom):.0f} CNY (estimate). Without "
        f"mains the battery carries it {hold_hours(box):.1f} h (three years old).",
        table(RAIL_HEAD, supply_rows(box.rails, [], box.power)),
        "## Bays",
        table(head_bay, bays),
        "The USB paths are those of the intended plugs; check them by docking one camera after "
        "the other. Buses, sensors, outputs and bays as the agent reads them: "
        "[agent-box.toml](agent-box.toml).",
        "## Contacts",
        table(head_line, lines),
        "## RS-485 addresses",
        table(head_bus, buses),
    )
