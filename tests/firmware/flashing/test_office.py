"""The desk's half: site file, sealed batches, kit, labels, and the command line around them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from PIL import Image

from flashing import batch as unit_list
from flashing import certs, identities, kit, kit_wheels, labels, site
from flashing.errors import FlashError
from flashing.ledger import Holder, Ledger
from flashing.passphrase import ask_passphrase
from tests.fakes import micropython_image
from tests.fakes.bench_hand import Hand
from tests.fakes.flash_bench import build_kit

SITE = """
county = "c371500"
fleet = 1535
command_keys = "command-keys.json"
[brokers.county]
host = "mqtt.example"
port = 8883
[[wifi]]
ssid = "station"
psk = "secret"
broker = "county"
"""


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    (tmp_path / "command-keys.json").write_text(json.dumps({"k1": "ab" * 384}))
    path = tmp_path / "county.toml"
    path.write_text(SITE)
    return path


def test_a_site_is_unit_json_without_the_unit(site_file: Path) -> None:
    found = site.load(site_file)
    assert found["brokers"]["county"] == {
        **{"host": "mqtt.example", "port": 8883, "name": "mqtt.example"},
        **{"then": "", "tls": True},
    }
    assert found["keys"] == {"k1": "ab" * 384}
    assert (found["fleet"], found["lte"]) == (1535, None)


def test_all_faults_of_a_site_are_told_at_once(site_file: Path) -> None:
    text = SITE.replace("fleet = 1535", "flet = 3").replace('broker = "county"', 'broker = "x"')
    site_file.write_text(text.replace('psk = "secret"', 'password = "secret"'))
    with pytest.raises(FlashError) as told:
        site.load(site_file)
    for part in ("flet is no key", "fleet is no number", "'x' is named", "lacks psk", "password"):
        assert part in str(told.value)
    site_file.write_text('county = "c371500"\nfleet = many\n')
    with pytest.raises(FlashError, match="line 2"):
        site.load(site_file)


def test_a_batch_opens_with_its_passphrase_only(batch: identities.Batch, tmp_path: Path) -> None:
    path = tmp_path / "b.identities"
    identities.seal(batch, path, b"right")
    assert identities.unseal(path, b"right") == batch
    assert batch.site["wifi"][0]["psk"].encode() not in path.read_bytes()
    sealed = path.read_bytes()
    for broken, phrase in [
        (sealed, b"wrong"),
        (sealed[:-1], b"right"),
        (sealed[:60] + bytes([sealed[60] ^ 1]) + sealed[61:], b"right"),
        (b"PNG", b"right"),
    ]:
        path.write_bytes(broken)
        with pytest.raises(FlashError, match=r"does not open|no batch file"):
            identities.unseal(path, phrase)


def test_certificates_of_a_batch_are_used_up(batch: identities.Batch) -> None:
    first, second = batch.units["u-0101"]
    assert batch.pick("u-0101", set()) == first
    assert batch.pick("u-0101", {first.serial}) == second
    with pytest.raises(FlashError, match="used up"):
        batch.pick("u-0101", {first.serial, second.serial})
    with pytest.raises(FlashError, match="not in this batch"):
        batch.pick("u-9999", set())


def test_a_certificate_that_soon_runs_out_makes_no_unit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certs, "LEAF_DAYS", 300)
    issued = identities.issue_batch(certs.make_ca(tmp_path / "ca"), ["u-0101"], {})
    with pytest.raises(FlashError, match=r"runs out on 20\d\d-\d\d-\d\d"):
        issued.pick("u-0101", set())


def test_the_kits_own_program_needs_nothing_beside_it(kit_folder: Path, made_kit: kit.Kit) -> None:
    """On a laptop there is the kit and no checkout."""
    look = "import flashing, pkgutil, importlib\n"
    look += "for m in pkgutil.iter_modules(flashing.__path__):\n"
    look += "    if m.name != '__main__': importlib.import_module('flashing.' + m.name)\n"
    look += "print(flashing.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", look],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(kit_folder / "firmware")},
        cwd=kit_folder,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == str(kit_folder / "firmware/flashing/__init__.py"), done.stderr


def test_a_kit_is_checked_byte_by_byte(tmp_path: Path, made_kit: kit.Kit) -> None:
    again = build_kit(tmp_path / "kit", 96 * 1024)
    assert again.app == made_kit.app  # the same program, linked twice
    assert {"/main.py", "/lib/unit_main.mpy", "/lib/drivers/selftest.mpy"} <= set(again.app)
    assert all(content[:2] == b"M\x06" for path, content in again.app.items() if "/lib/" in path)
    assert b"/work" not in b"".join(again.app.values())
    for name in ("app/main.py", "micropython.bin", "kit.json"):
        whole = (tmp_path / "kit" / name).read_bytes()
        (tmp_path / "kit" / name).write_bytes(whole[:-3])
        with pytest.raises(FlashError, match="damaged"):
            kit.open_kit(tmp_path / "kit")
        (tmp_path / "kit" / name).write_bytes(whole)
    with pytest.raises(FlashError, match=r"flash\.sh kit"):
        kit.open_kit(tmp_path / "none")


def test_a_kit_never_replaces_what_is_no_kit(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FlashError, match="is no kit"):
        build_kit(tmp_path, 96 * 1024)
    assert (tmp_path / "thesis.txt").exists()


def test_an_image_has_its_digest_or_is_refused(
    tmp_path: Path, kit_folder: Path, made_kit: kit.Kit
) -> None:
    image = tmp_path / "mp.bin"
    image.write_bytes(micropython_image.make())
    given = kit.fetch_image(str(image), None, tmp_path)
    assert (given.content, given.source, given.vouched) == (image.read_bytes(), "mp.bin", False)
    digest = hashlib.sha256(given.content).hexdigest()
    assert kit.fetch_image(str(image), digest.upper(), tmp_path).vouched
    with pytest.raises(FlashError, match="SHA-256"):
        kit.fetch_image(str(image), "00" * 32, tmp_path)
    with pytest.raises(FlashError, match="digest once"):
        kit.fetch_image("https://micropython.invalid/x.bin", None, tmp_path)
    image.write_bytes(image.read_bytes() + b"x")
    with pytest.raises(FlashError, match="SHA-256"):  # an earlier kit's pin holds
        kit.fetch_image(str(image), None, kit_folder)
    unpinned = json.loads((kit_folder / "kit.json").read_text())
    unpinned["origin"]["vouched"] = False
    (tmp_path / "kit.json").write_text(json.dumps(unpinned))
    assert not kit.fetch_image(str(image), None, tmp_path).vouched  # nobody's word pins nothing


def test_the_kits_lock_names_its_own_wheels() -> None:
    text = kit_wheels.lock({"a_b-1.0-py3-none-any.whl": b"1", "a_b-1.0-cp311-win.whl": b"2"})
    assert text.startswith("a-b==1.0 \\\n")
    assert text.count("--hash=sha256:") == 2


def test_a_label_is_read_back(tmp_path: Path) -> None:
    held = Holder("u-0101", "24:0a:c4:00:00:01", "ab12", "2026-11-21T10:00:00+00:00")
    assert labels.text(held, "c371500") == "PATROL1;u-0101;c371500;24:0a:c4:00:00:01;ab12"
    labels.save([held], "c371500", tmp_path / "one.png")
    with Image.open(tmp_path / "one.png") as drawn:
        assert drawn.size == labels.SIZE
        assert 0.1 < 1 - sum(drawn.convert("L").tobytes()) / 255 / drawn.width / drawn.height < 0.5
    labels.save([held, held], "c371500", tmp_path / "two.pdf")
    assert (tmp_path / "two.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(FlashError, match=r"\.pdf"):
        labels.save([held, held], "c371500", tmp_path / "two.png")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("unit,board\n", "no unit"),
        ("unit,board\nu-1,lte\nu-1,lte\n", "u-1 is there twice"),
        ("unit,board\nu-1,\n", "line 2"),
        ("a,b\n1,2\n", "line 2"),
    ],
)
def test_a_list_of_units_is_checked(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "units.csv"
    path.write_text(text)
    with pytest.raises(FlashError, match=says):
        unit_list.load(path)


def test_files_of_a_chinese_windows_are_read_or_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes("unit,board,备注\r\nu-0101,lte,张三\r\n".encode("gbk"))
    assert unit_list.load(path) == [unit_list.Wanted("u-0101", "lte")]
    path.write_bytes("# 县\n".encode("gbk"))
    with pytest.raises(FlashError, match="not UTF-8"):
        site.load(path)
    with pytest.raises(FlashError, match="not UTF-8"):
        ask_passphrase(path, "the CA")
    path.write_bytes("\ufeff口令\r\n".encode())
    assert ask_passphrase(path, "the CA") == "口令".encode()


def test_a_home_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = Hand().run("--home", str(tmp_path / "file/home"), "ledger", "list")
    assert done.code == 1
    assert done.text.count("\n") == 1
    assert "Not a directory: make room" in done.text


def test_from_ca_to_revocation_on_the_command_line(tmp_path: Path, site_file: Path) -> None:
    """What the office types, in order; the CA's key and the batch are never in the clear."""
    (tmp_path / "phrase").write_text("correct horse battery")
    (tmp_path / "units.csv").write_text("unit,board\nu-0101,lte\n")
    ca = ("--folder", str(tmp_path / "ca"), "--passphrase-file", str(tmp_path / "phrase"))
    home = tmp_path / "home"

    def tool(*arguments: str) -> str:
        done = Hand().run("--home", str(home), *arguments)
        assert done.code == 0, done.text
        return done.text

    tool("ca", "init", "--county", "c371500", *ca)
    sealed = tmp_path / "one.identities"
    lists = ("--units", str(tmp_path / "units.csv"), "--site", str(site_file))
    phrase = tool("ca", "issue-batch", *ca, *lists, str(sealed)).split()[-1]
    opened = identities.unseal(sealed, phrase.encode())
    serials = [identity.serial for identity in opened.units["u-0101"]]
    assert [row["serial"] for row in certs.issued(tmp_path / "ca")] == serials
    tool(
        "ca",
        "issue",
        *ca,
        "k-07",
        "--kind",
        "checkpoint",
        "--name",
        "10.0.0.1",
        "--into",
        str(home),
    )
    assert (home / "k-07.key.pem").exists()
    Ledger(home).add("pass", unit="u-0101", mac="24:0a", serial=serials[0], board="lte")
    assert "u-0101" in tool("ledger", "list")
    tool("label", str(tmp_path / "label.png"))
    tool("revoke", "--unit", "u-0101", "--why", "stolen")
    tool("ca", "crl", *ca)
    crl = x509.load_pem_x509_crl((tmp_path / "ca/crl.pem").read_bytes())
    assert [f"{entry.serial_number:x}" for entry in crl] == [serials[0]]
    again = Hand().run("--home", str(home), "ca", "issue-batch", *ca, *lists, str(sealed))
    assert (again.code, "issued already" in again.text) == (1, True)
    Ledger(home).add("pass", unit="u-0101", mac="24:0b", serial=serials[1], board="lte")
    told = tool("ca", "revoke-batch", *ca, "one")  # the laptop is gone, with its spares
    assert "one: 1 certificates revoked" in told
    assert "flashed again from a new batch: u-0101" in told
    tool("ca", "crl", *ca)
    crl = x509.load_pem_x509_crl((tmp_path / "ca/crl.pem").read_bytes())
    assert {f"{entry.serial_number:x}" for entry in crl} == set(serials)
    assert Hand().run("--home", str(home), "ca", "revoke-batch", *ca, "two").code == 1
    tool("ledger", "export", str(tmp_path / "out.csv"))
    assert "stolen" in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")
