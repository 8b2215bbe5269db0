from __future__ import annotations

import stat
from pathlib import Path

import pytest

from edge_agent.county.signer import Signer, keygen
from patrol_contract import messages, signing


def test_keygen_keeps_the_key_private_and_never_overwrites(tmp_path: Path) -> None:
    public = keygen(tmp_path, "county-1")
    assert stat.S_IMODE((tmp_path / "county.key").stat().st_mode) == 0o600
    assert Signer.load(tmp_path).modulus.hex() in public.read_text()
    with pytest.raises(FileExistsError):
        keygen(tmp_path, "county-1")


def test_a_number_is_never_used_twice_over_a_restart(tmp_path: Path) -> None:
    keygen(tmp_path, "county-1")
    windows: dict[str, signing.ReplayWindow] = {}
    for _ in range(3):
        signer = Signer.load(tmp_path)
        _, payload = signer.command("u-0123", "locate")
        fields = messages.decode("unit_cmd", payload)
        why = signing.refusal(
            payload, fields, {"county-1": signer.modulus}, {"u-0123"}, windows, fields["iat"]
        )
        assert why is None


def test_duty_is_signed_without_an_end(tmp_path: Path) -> None:
    keygen(tmp_path, "county-1")
    signer = Signer.load(tmp_path)
    name, payload = signer.duty("all", "war")
    fields = messages.decode(name, payload)
    keys = {"county-1": signer.modulus}
    assert fields["level"] == "war" and "exp" not in fields
    for _ in range(2):  # a retained copy comes again: ordered by `since`, not a replay
        assert signing.refusal(payload, fields, keys, {"g/all"}, {}, fields["iat"]) is None
