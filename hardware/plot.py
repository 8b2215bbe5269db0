"""The endurance figure as SVG: plain text written here, the same bytes on every machine."""

from __future__ import annotations

from xml.sax.saxutils import escape

from hardware.endurance import LEVEL_ZH, TARGET_H, Hours

LEFT, TOP, WIDTH, ROW, BAR = 190, 96, 620, 34, 11
FONT = "Noto Sans CJK SC, Noto Sans SC, Microsoft YaHei, sans-serif"
NEW, POLICY, AWAKE = "#d9dde3", "#2f6f9f", "#c8743c"
LEVEL_EN = {"normal": "normal", "raised": "raised", "war": "war"}


def text(
    x: float, y: float, words: str, size: int = 13, anchor: str = "start", extra: str = ""
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{extra}>'
        f"{escape(words)}</text>"
    )


def bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
    )


def endurance_svg(results: list[Hours]) -> str:
    """Bars by level and role: a new cell behind, a worn cold one in front, two ways of running."""
    groups = list(dict.fromkeys((item.level, item.role.name) for item in results))
    by_key = {(item.level, item.role.name, item.mode): item for item in results}
    longest = max(item.new_h for item in results)
    scale = WIDTH / (longest * 1.08)
    bottom = TOP + ROW * len(groups) + 14 * (len(set(level for level, _ in groups)) - 1)
    height = bottom + 58
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 40} {height}" '
        f'font-family="{FONT}" fill="#222">',
        f'<rect width="{LEFT + WIDTH + 40}" height="{height}" fill="white"/>',
        text(
            16,
            28,
            "每次充电可用小时数（保留一小时求救电量） Hours per charge, SOS reserve kept",
            16,
        ),
    ]
    legend = (
        (NEW, "新电池 20 °C  new cell"),
        (POLICY, "旧电池 -10 °C，按策略休眠  worn, cold, as policy"),
        (AWAKE, "旧电池 -10 °C，从不休眠  worn, cold, nothing sleeps"),
    )
    x = 16.0
    for colour, words in legend:
        out += [bar(x, 46, 14, 14, colour), text(x + 20, 58, words, 12)]
        x += 180 if colour == NEW else 320
    y = float(TOP)
    before = groups[0][0]
    for level, role in groups:
        if level != before:
            y += 14
            before = level
        first = by_key[level, role, "policy"]
        label = f"{LEVEL_ZH[level]} {first.role.chinese}  {LEVEL_EN[level]}"
        out.append(text(LEFT - 10, y + 16, label, 12, "end"))
        for offset, mode, colour in ((0, "policy", POLICY), (BAR + 1, "awake", AWAKE)):
            item = by_key[level, role, mode]
            out.append(bar(LEFT, y + offset, item.new_h * scale, BAR, NEW))
            out.append(bar(LEFT, y + offset, item.worn_h * scale, BAR, colour))
            out.append(
                text(
                    LEFT + item.worn_h * scale - 4,
                    y + offset + 9,
                    f"{item.worn_h:.1f}",
                    10,
                    "end",
                    ' fill="white"',
                )
            )
            out.append(text(LEFT + item.new_h * scale + 4, y + offset + 9, f"{item.new_h:.0f}", 10))
        y += ROW
    for tick in range(0, int(longest * 1.08) + 1, 6):
        at = LEFT + tick * scale
        out.append(
            f'<line x1="{at:.1f}" y1="{TOP - 6}" x2="{at:.1f}" y2="{bottom}" stroke="#888" '
            'stroke-width="0.4"/>'
        )
        out.append(text(at, bottom + 16, f"{tick} h", 11, "middle"))
    at = LEFT + TARGET_H * scale
    out.append(
        f'<line x1="{at:.1f}" y1="{TOP - 10}" x2="{at:.1f}" y2="{bottom}" stroke="#b00020" '
        'stroke-width="1.6"/>'
    )
    out.append(text(at, TOP - 14, "目标 target 12 h", 11, "middle", ' fill="#b00020"'))
    note = "电流多为估计值，须在台架上实测  Most currents are estimates until measured on a bench"
    out.append(text(16, bottom + 42, note, 11, extra=' fill="#555"'))
    out.append("</svg>")
    return "\n".join(out) + "\n"
