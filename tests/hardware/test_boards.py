"""Every rule of hardware/check.py: the boards keep it, and a board that breaks it is told so."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from drivers import pins as firmware_pins
from hardware import board_rules, check, needs, pin_rules, supply
from hardware.board import Board, load
from hardware.tables import BOARD_NAMES, BOARDS, Draw, Part, Rail, Wire


@pytest.mark.parametrize("name", BOARD_NAMES)
def test_boards_keep_every_rule(name: str):
    assert check.faults(load(name)) == []


def with_pin(board: Board, of: str, /, **changes: object) -> Board:
    pins = [replace(pin, **changes) if pin.signal == of else pin for pin in board.pins]
    return replace(board, pins=pins)


# (rule, signal, what is changed in its line of pins.csv, a word of the sentence expected)
BROKEN_PINS = [
    (pin_rules.pins_exist, "light", {"gpio": 8}, "flash"),
    (pin_rules.pins_exist, "light", {"gpio": 16}, "PSRAM"),
    (pin_rules.pins_exist, "light", {"gpio": 24}, "not on the module"),
    (pin_rules.pins_exist, "light", {"gpio": 37}, "not on the module"),
    (pin_rules.pins_once, "light", {"gpio": 25}, "haptic"),
    (pin_rules.pins_once, "light", {"signal": "haptic"}, "twice"),
    (pin_rules.input_only, "haptic", {"gpio": 34}, "input only"),
    (pin_rules.input_only, "gps_rx", {"pull": "up"}, "resistor"),
    (pin_rules.strapping, "modem_ri", {"gpio": 12}, "flash voltage"),
    (pin_rules.strapping, "modem_cts", {"gpio": 15}, "nothing else"),
    (pin_rules.strapping, "modem_dtr", {"note": ""}, "high at reset"),
    (pin_rules.boot_noise, "accel_int", {"gpio": 14}, "against its source"),
    (pin_rules.boot_noise, "haptic", {"gpio": 5}, "moves while"),
    (pin_rules.words, "light", {"direction": "output"}, "direction"),
    (pin_rules.words, "light", {"active": "yes"}, "active"),
    (pin_rules.words, "battery", {"active": "high"}, "factor"),
    (pin_rules.buses, "gps_rx", {"direction": "out"}, "must be in"),
    (pin_rules.buses, "gps_rx", {"gpio": 39}, "glitches"),
    (pin_rules.buses, "gps_rx", {"bus": "uart2.rx"}, "two pins"),
    (pin_rules.buses, "gps_rx", {"bus": "uart3.rx"}, "no bus"),
    (pin_rules.buses, "console_tx", {"gpio": 4}, "ROM loader"),
    (pin_rules.buses, "battery", {"bus": "adc2.6"}, "Wi-Fi"),
    (pin_rules.buses, "battery", {"gpio": 36}, "not adc1.7"),
    (pin_rules.buses, "battery", {"bus": ""}, "names its channel"),
    (pin_rules.buses, "i2c_sda", {"direction": "out"}, "I2C"),
    (pin_rules.wakes, "modem_ri", {"gpio": 23}, "no RTC pin"),
    (pin_rules.wakes, "modem_ri", {"active": "low"}, "any high"),
    (pin_rules.wakes, "modem_ri", {"wake": "ext0"}, "one pin only"),
    (pin_rules.wakes, "modem_ri", {"wake": ""}, "must end a sleep"),
    (pin_rules.wakes, "button", {"gpio": 36}, "glitches"),
    (board_rules.wired_as_mapped, "light", {"gpio": 12}, "wiring.yml draws IO26"),
    (board_rules.wired_as_mapped, "light", {"signal": "lamp"}, "no signal of pins.csv"),
    (board_rules.drivers_served, "modem_cts", {"signal": "spare"}, "modem_cts"),
    (board_rules.drivers_served, "modem_cts", {"signal": "spare"}, "no driver knows"),
    (board_rules.drivers_served, "gps_rx", {"bus": "uart2.rx"}, "gps wants"),
    (board_rules.drivers_served, "light", {"bus": "i2c1.sda"}, "plain pin"),
    (board_rules.adc_range, "battery", {"active": "1"}, "ADC's range"),
]


@pytest.mark.parametrize(("rule", "signal", "changes", "word"), BROKEN_PINS)
def test_a_broken_pin_is_told(rule, signal, changes, word):
    board = load("lte")
    assert list(rule(board)) == []
    assert any(word in text for text in rule(with_pin(board, signal, **changes)))


def test_wroom_has_16_and_17_but_wrover_not():
    bench = load("devkit")
    assert list(pin_rules.pins_exist(with_pin(bench, "light", gpio=16))) == []


def test_a_signal_without_a_wire_is_told():
    board = load("lte")
    wires = tuple(wire for wire in board.wiring.wires if wire.label != "haptic")
    found = list(
        board_rules.wired_as_mapped(replace(board, wiring=replace(board.wiring, wires=wires)))
    )
    assert found == ["haptic: in pins.csv, but no wire of wiring.yml carries it"]


def test_a_wire_to_no_pin_is_told():
    board = load("lte")
    wires = (Wire("x", (("U1", "IO99"), ("S1", "A"))),)
    wiring = replace(board.wiring, wires=wires)
    assert any(
        "U1 has no pin IO99" in text
        for text in board_rules.nets_whole(replace(board, wiring=wiring))
    )


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda bom: bom[1:], "not ordered"),
        (lambda bom: [replace(bom[0], qty=7), *bom[1:]], "ordered 7 times"),
        (lambda bom: [*bom, replace(bom[0], mpn="SPARE")], "does not use it"),
        (lambda bom: [*bom, bom[0]], "two lines"),
    ],
)
def test_bom_and_wiring_name_the_same_parts(change, word):
    board = load("lte")
    assert any(
        word in text for text in board_rules.bom_as_wired(replace(board, bom=change(board.bom)))
    )


def test_two_nets_at_one_pin_are_told():
    """Five volts of the cradle straight onto the pin, past the divider."""
    board = load("lte")
    short = Wire("charger", (("J1", "V5"), ("U1", "IO36")))
    spoilt = replace(board, wiring=replace(board.wiring, wires=[*board.wiring.wires, short]))
    assert list(board_rules.nets_whole(spoilt)) == [
        "wiring: J1.V5 joins V5 and charger; one net a pin"
    ]


def test_a_ground_that_goes_nowhere_is_told():
    """Take the ground between modem supply and charger away: the modem's side floats."""
    board = load("lte")
    cut = {("U5", "GND"), ("U8", "GND")}
    wires = [wire for wire in board.wiring.wires if set(wire.ends) != cut]
    found = list(board_rules.nets_whole(replace(board, wiring=replace(board.wiring, wires=wires))))
    assert found == ["wiring: net GND is in 2 pieces; join J2.GND, U2.GND, U8.GND to the rest"]


def test_the_modem_may_not_meet_3v3_logic():
    """Take the shifter out: U1 straight onto the modem's 1.8 V pins."""
    board = load("lte")
    wires = (Wire("modem_tx", (("U1", "IO18"), ("U2", "RXD"))),)
    found = list(board_rules.levels(replace(board, wiring=replace(board.wiring, wires=wires))))
    assert found == ["modem_tx: U1 speaks 3300 mV and U2 1800 mV; put a level shifter between"]


def test_the_modem_may_not_hang_on_the_power_path():
    """On the cradle SYS is 4.4 V, over the modem's 4.2 V: the reason for its own converter."""
    board = load("lte")
    wires = (Wire("SYS", (("U5", "OUT"), ("U2", "VBAT"))),)
    found = list(board_rules.levels(replace(board, wiring=replace(board.wiring, wires=wires))))
    assert any("U2.VBAT: rail SYS is 3000 to 4400 mV" in text for text in found)


def test_a_rail_from_nowhere_is_told():
    board = load("lte")
    rails = {**board.rails, "X": Rail("X", "U99.OUT", 1, 2, 3, "Y", "path", 1.0)}
    found = list(board_rules.rails_rooted(replace(board, rails=rails)))
    assert len(found) == 2


def test_modem_burst_breaks_a_regulator_that_is_too_small():
    board = load("lte")
    weak = {**board.rails, "3V8": replace(board.rails["3V8"], limit_ma=1000)}
    found = list(board_rules.rails_hold(replace(board, rails=weak)))
    assert found == [
        "rails.csv: 3V8 must give 2005 mA at its worst and is good for 1000; "
        "a stronger supply or fewer loads"
    ]


def test_converter_input_grows_as_its_supply_sinks():
    rails = {
        "CELL": Rail("CELL", "B.+", 3000, 4200, 9999, "", "", 1.0),
        "OUT": Rail("OUT", "U.O", 3800, 3800, 9999, "CELL", "converter", 0.5),
        "TAP": Rail("TAP", "Q.D", 3000, 4200, 9999, "CELL", "path", 1.0),
    }
    power = [
        Draw("M", "send", "OUT", 0, 300, "estimate", "x"),
        Draw("M", "rest", "OUT", 0, 30, "estimate", "x"),
        Draw("L", "on", "TAP", 0, 7, "estimate", "x"),
    ]
    # 300 mA x 3.8 V / (3.0 V x 0.5) = 760 mA; the state that draws less does not add.
    assert supply.peak_ma(rails["CELL"], rails, power) == pytest.approx(767)


def test_a_draw_from_no_rail_is_told():
    power = [Draw("M", "on", "12V", 1, 1, "estimate", "x")]
    assert list(supply.faults({}, power)) == ["power.csv: M on draws from 12V, which is no rail"]


def test_bench_unit_stays_under_100_yuan():
    board = load("devkit")
    assert list(board_rules.bench_price(board)) == []
    dear = [replace(board.bom[0], unit_cny=90), *board.bom[1:]]
    assert any("under 100" in text for text in board_rules.bench_price(replace(board, bom=dear)))


def test_a_price_has_a_date():
    board = load("devkit")
    undated = [replace(board.bom[0], estimated_on="soon"), *board.bom[1:]]
    found = list(board_rules.bom_as_wired(replace(board, bom=undated)))
    assert found == ["bom.csv: ESP32-DevKitC-32E has a price without a date"]


def test_levels_by_pin():
    shifter = Part("X", "", "VCCA:1200-3600 VCCB:1650-5500", "A:1800 B:3300", (1, 1, 1), "")
    assert shifter.level_mv("A3") == 1800
    assert shifter.level_mv("OE") is None
    assert shifter.supply_mv("VCCB") == (1650, 5500)
    assert shifter.supply_mv("GND") is None


def test_every_driver_signal_is_on_the_issued_board():
    """lte is the full unit: no driver is left without pins there."""
    signals = {pin.signal for pin in load("lte").pins}
    assert {signal for wants in needs.DRIVERS.values() for signal in wants} == signals


def test_pins_csv_is_what_a_micropython_split_can_read():
    for name in BOARD_NAMES:
        text = (BOARDS / name / "pins.csv").read_text(encoding="utf-8")
        assert '"' not in text and text.isascii() and text.endswith("\n")


def test_main_names_faults_and_ends_with_one(capsys, monkeypatch):
    assert check.main() == 0
    monkeypatch.setattr(check, "RULES", (lambda board: iter(["made to fail"]),))
    assert check.main() == 1
    assert "lte: made to fail" in capsys.readouterr().err


def test_a_line_with_a_cell_too_many_is_refused(tmp_path, monkeypatch):
    from hardware import tables

    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "pins.csv").write_text(
        ",".join(tables.PIN_COLUMNS) + "\nbutton,33,in,up,low,,,a, b\n"
    )
    monkeypatch.setattr(tables, "BOARDS", tmp_path)
    with pytest.raises(ValueError, match=r"x/pins.csv line 2: 9 cells"):
        tables.read_pins("x")


def test_the_firmware_asks_for_no_signal_that_the_boards_do_not_know():
    """Signals as the firmware's own source names them: rows["x"], rows.get("x"), "x" in rows."""
    asked: set[str] = set()
    firmware = BOARDS.parents[1] / "firmware"
    for path in [firmware / "main.py", *sorted((firmware / "drivers").glob("*.py"))]:
        source = path.read_text(encoding="utf-8")
        asked |= set(re.findall(r"""\b(?:rows|ROWS)(?:\[|\.get\()"(\w+)\"""", source))
        asked |= set(re.findall(r"""\"(\w+)" in (?:rows|ROWS)\b""", source))
    known = {signal for wants in needs.DRIVERS.values() for signal in wants}
    assert {"button", "gps_rx", "battery"} <= asked  # the search finds something
    assert asked <= known


def test_the_firmware_reads_every_board():
    for name in BOARD_NAMES:
        rows = firmware_pins.read(str(BOARDS / name / "pins.csv"))
        assert {signal: row.gpio for signal, row in rows.items()} == {
            pin.signal: pin.gpio for pin in load(name).pins
        }
