"""agent.toml: every fault at once, each with its line and what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent import config
from edge_agent.toml_lines import lines_of

GOOD = """\
[checkpoint]
id = "k-07"
county = "c371500"
lat = 31.2480351
data_dir = "data"

[[bus]]
name = "rs485"
kind = "modbus"
port = "/dev/serial/by-id/usb-x"

[[sensor]]
id = "smoke"
kind = "modbus"
bus = "rs485"
function = 2
deadband = 0.1
[sensor.alarm]
on = true
"""


def load(tmp_path: Path, text: str | bytes) -> config.Config:
    path = tmp_path / "agent.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return config.load(path)


def faults(tmp_path: Path, text: str | bytes) -> list[tuple[int, str]]:
    with pytest.raises(config.ConfigError) as raised:
        load(tmp_path, text)
    return [(fault.line, str(fault)) for fault in raised.value.faults]


def test_good(tmp_path: Path) -> None:
    made = load(tmp_path, GOOD)
    assert made.checkpoint.lat == 312480351
    assert made.checkpoint.data_dir == tmp_path / "data"
    assert made.sensor[0].deadband == 100
    with pytest.raises(ValueError, match="frozen"):
        made.checkpoint.name = "x"


# (what is done to GOOD, line, words of the sentence)
ONE_FAULT = [
    (('county = "c371500"\n', ""), 1, "county is missing, add it"),
    (("county =", "conty ="), 3, "did you mean county?"),
    (("function = 2", "funktion = 2"), 16, "did you mean function?"),
    (("function = 2", "function = 7"), 16, "7 is none of: 1, 2, 3 or 4"),
    (("function = 2", 'slave = "three"'), 16, "must be a whole number, not 'three'"),
    (("function = 2", "slave = 300"), 16, "300 is too large: at most 247"),
    (('kind = "modbus"\nbus', 'kind = "modbuss"\nbus'), 12, "→ modbus ?"),
    (('kind = "modbus"\nbus', "bus"), 12, "kind is missing, one of: gpio"),
    (('bus = "rs485"', 'bus = "rs458"'), 15, "no [[bus]] rs458"),
    (("on = true", "on = 3"), 19, "must be true or false, not 3"),
    (("deadband = 0.1", "deadband = 0.0001"), 17, "write three"),
    (("lat = 31.2480351", "lat = 95"), 4, "too large"),
    (('id = "k-07"', 'id = "K 07"'), 2, "(as in the certificate, e.g. k-07)"),
    (("[checkpoint]", 'checkpoint = 3\n[chekpoint]'), 1, "must be a table"),
    (('port = "/dev/serial/by-id/usb-x"', "port = 3"), 10, "must be text in quotes"),
    (("[[sensor]]", '[desk]\nlisten = "127.0.0.1:99999"\n[[sensor]]'), 13, "port 1 to 65535"),
    (("[[sensor]]", '[commands]\nkeys = "x"\n[[sensor]]'), 13, "no file"),
    (("[[sensor]]", '[[sensor]]\nid = "a"\nbus = "g"\n[[sensor]]'), 14, "no [[bus]] g"),
    (("[[sensor]]", '[alarm]\nsiren = "horn"\n[[sensor]]'), 13, "no [[output]] horn"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "line", "words"), ONE_FAULT)
def test_one_fault(tmp_path: Path, change: tuple[str, str], line: int, words: str) -> None:
    assert change[0] in GOOD
    found = faults(tmp_path, GOOD.replace(*change, 1))
    assert [text for at, text in found if at == line and words in text], found
    assert all(f"agent.toml:{at}: " in text for at, text in found)


def test_all_at_once(tmp_path: Path) -> None:
    bad = GOOD
    for change in [ONE_FAULT[1], ONE_FAULT[4], ONE_FAULT[8], ONE_FAULT[9]]:
        bad = bad.replace(*change[0], 1)
    lines = [line for line, _ in faults(tmp_path, bad)]
    assert {3, 15, 16, 19} <= set(lines)
    assert lines == sorted(lines)


def test_names_must_differ(tmp_path: Path) -> None:
    twice = GOOD + GOOD[GOOD.index("[[sensor]]") :]
    assert "smoke twice" in faults(tmp_path, twice)[0][1]
    clash = GOOD + '[[output]]\nid = "smoke"\nkind = "file"\npath = "x"\n'
    assert "an output has this id" in faults(tmp_path, clash)[0][1]


def test_a_bus_of_the_wrong_kind(tmp_path: Path) -> None:
    wrong = GOOD.replace('kind = "modbus"\nport', 'kind = "serial"\nport')
    assert "must be: modbus / modbus_tcp" in faults(tmp_path, wrong)[0][1]


def test_syntax_encoding_and_absence(tmp_path: Path) -> None:
    assert faults(tmp_path, "[checkpoint]\nid = k-07\n")[0][0] == 2
    gbk = GOOD.replace("[[bus]]", 'name = "卡点"\n[[bus]]').encode("gbk")
    assert "save it as UTF-8" in faults(tmp_path, gbk)[0][1]
    assert load(tmp_path, b"\xef\xbb\xbf" + GOOD.encode()).checkpoint.id == "k-07"
    with pytest.raises(config.ConfigError, match="correct the path"):
        config.load(tmp_path / "nowhere.toml")


def test_lines() -> None:
    text = 'a = """\n[x]\n"""\n[[t]]\nb.c = [ # ]\n 1,\n]\n[[t]]\n[t.u]\n"d e" = 1\n'
    assert lines_of(text) == {
        ("a",): 1,
        **{("t",): 4, ("t", 0): 4, ("t", 0, "b"): 5, ("t", 0, "b", "c"): 5},
        **{("t", 1): 8, ("t", 1, "u"): 9, ("t", 1, "u", "d e"): 10},
    }


def test_the_schema_knows_every_key(tmp_path: Path) -> None:
    made = config.schema()
    assert "properties" in made and "additionalProperties" in made
    assert "ModbusSection" in str(made["$defs"].keys())


def test_no_traceback_and_exit_code_2(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(GOOD.replace("county", "conty"))
    code = (
        "import argparse, sys; from edge_agent import config_check as c;"
        "p = argparse.ArgumentParser(); c.add_commands(p.add_subparsers());"
        "a = p.parse_args(); sys.exit(a.func(a))"
    )
    command = [sys.executable, "-c", code, "check-config", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "did you mean county?" in done.stderr and "Traceback" not in done.stderr
    path.write_text(GOOD)  # right, but the adapter is not plugged in here
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"{path}:10: bus rs485, port:" in done.stderr
    path.write_text(GOOD.replace("/dev/serial/by-id/usb-x", "/dev/ptmx"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
