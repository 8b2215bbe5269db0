"""Sign the county's commands: RSA-3072 over what patrol_contract.signing calls the signed bytes."""

from __future__ import annotations

import base64
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from patrol_contract import messages, signing

KEY_BITS = 3072
VALID_S = 300  # a command not taken by then is void; patrolctl says so


class Signer:
    """A county key and the numbers it has used, kept in `numbers` (JSON, one writer).

    A number is on disk before it is used: a number used twice is refused by its target.
    """

    def __init__(self, key: rsa.RSAPrivateKey, kid: str, numbers: Path) -> None:
        self._key = key
        self.kid = kid
        self._path = numbers
        kept = json.loads(numbers.read_text()) if numbers.exists() else {}
        self._boot: str = kept.get("boot") or secrets.token_hex(8)
        self._last: dict[str, int] = kept.get("last", {})

    @classmethod
    def load(cls, folder: Path) -> Signer:
        """From what keygen() wrote. FileNotFoundError when there is no key in `folder`."""
        key = serialization.load_pem_private_key((folder / "county.key").read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError(f"{folder}/county.key is not an RSA key: run patrolctl keygen")
        kid = (folder / "county.kid").read_text().strip()
        return cls(key, kid, folder / "county.numbers.json")

    @property
    def modulus(self) -> bytes:
        """What units and checkpoints keep to verify: 384 bytes, big endian."""
        return self._key.public_key().public_numbers().n.to_bytes(signing.KEY_BYTES, "big")

    def command(
        self, to: str, cmd: str, /, valid_s: int = VALID_S, **own: Any
    ) -> tuple[str, bytes]:
        """A signed command to `to` (unit id, g/<group>, cp/<checkpoint>): (message name, payload).

        `own` are the fields of the command's row (commands.py), in inner form.
        """
        name = {"g": "group_cmd", "cp": "cp_cmd"}.get(to.split("/")[0], "unit_cmd")
        now = int(time.time())
        return name, self._sign(name, to, {"cmd": cmd, "iat": now, "exp": now + valid_s, **own})

    def duty(self, group: str, level: str, until: int | None = None) -> tuple[str, bytes]:
        """A signed duty level for a group, or for `all`: ("group_duty", payload)."""
        now = int(time.time())
        fields: dict[str, Any] = {"level": level, "since": now, "iat": now}
        if until is not None:
            fields["until"] = until
        return "group_duty", self._sign("group_duty", f"g/{group}", fields)

    def _sign(self, name: str, to: str, fields: dict[str, Any]) -> bytes:
        fields = {
            **fields,
            **{"v": 1, "boot": self._boot, "seq": self._next(to), "to": to},
            **{"alg": signing.ALG, "kid": self.kid, "id": secrets.token_hex(8), "sig": "-"},
        }
        message = signing.canonical(messages.to_wire(name, fields))
        signature = self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return messages.encode(name, {**fields, "sig": base64.b64encode(signature).decode()})

    def _next(self, to: str) -> int:
        self._last[to] = self._last.get(to, 0) + 1
        fresh = self._path.with_suffix(".new")
        with fresh.open("w") as file:
            json.dump({"boot": self._boot, "last": self._last}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        return self._last[to]


def keygen(folder: Path, kid: str) -> Path:
    """Make the county's command key: county.key (0600), county.kid, and command-keys.json.

    command-keys.json ({kid: modulus in hex}) is public: it goes on every unit and checkpoint.
    Raises FileExistsError rather than overwrite a key that devices already trust.
    """
    folder.mkdir(parents=True, exist_ok=True)
    key = rsa.generate_private_key(65537, KEY_BITS)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    handle = os.open(folder / "county.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
    (folder / "county.kid").write_text(kid + "\n")
    public = folder / "command-keys.json"
    public.write_text(json.dumps({kid: Signer.load(folder).modulus.hex()}) + "\n")
    return public
