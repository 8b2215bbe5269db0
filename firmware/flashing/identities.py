"""Identities on their way from the CA's machine to a laptop: one encrypted file per batch.

A laptop that is stolen loses one batch, which is revoked, and never the CA. Each unit has one
identity and spares, so that a broken unit can be replaced far from the CA. What is common to the
county (its CA certificate, Wi-Fi networks with their passwords, brokers, command keys) travels in
the same file for the same reason.

Format: MAGIC, 16 bytes of salt, 12 of nonce, then JSON under AES-256-GCM, the key from the
passphrase by scrypt (RFC 7914).
"""

from __future__ import annotations

import base64
import datetime
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from flashing import certs
from flashing.errors import FlashError
from flashing.files import write_private

MAGIC = b"PATROL-IDENTITIES-1\n"
SALT, NONCE = 16, 12
LEAST_LIFE = datetime.timedelta(days=365)  # a unit is opened and flashed once a year at most
SPARES = 1  # identities per unit beyond the first


@dataclass(frozen=True)
class UnitIdentity:
    """One certificate of a unit: serial in hex, key (RFC 5915) and certificate in DER."""

    serial: str
    key_der: bytes
    cert_der: bytes

    def until(self) -> datetime.datetime:
        """Return when the certificate runs out."""
        return x509.load_der_x509_certificate(self.cert_der).not_valid_after_utc


@dataclass(frozen=True)
class Batch:
    """An opened batch: `site` is the county's common part, `units` the identities in order."""

    site: dict[str, Any]
    ca_der: bytes
    units: dict[str, list[UnitIdentity]]

    def pick(self, unit: str, unusable: set[str]) -> UnitIdentity:
        """Return the unit's first identity whose serial is not in `unusable`."""
        if unit not in self.units:
            raise FlashError(
                f"identities: {unit} is not in this batch: take the right batch file, or have "
                "one issued with ca issue-batch"
            )
        for identity in self.units[unit]:
            if identity.serial not in unusable:
                if identity.until() - datetime.datetime.now(datetime.UTC) < LEAST_LIFE:
                    raise FlashError(
                        f"identities: the certificate of {unit} runs out on "
                        f"{identity.until():%Y-%m-%d}: have a new batch issued with ca issue-batch"
                    )
                return identity
        raise FlashError(
            f"identities: all certificates of {unit} in this batch are used up: have a new batch "
            "issued with ca issue-batch"
        )


def issue_batch(
    ca: certs.Authority,
    units: list[str],
    site: dict[str, Any],
    spares: int = SPARES,
    name: str = "",
) -> Batch:
    """Issue certificates for `units` from the CA, which remembers them by the batch's name."""
    issued: dict[str, list[UnitIdentity]] = {}
    for unit in units:
        made = [certs.issue(ca, unit, "unit", batch=name) for _ in range(1 + spares)]
        issued[unit] = [UnitIdentity(f"{i.serial:x}", i.key_der, i.cert_der) for i in made]
    return Batch(site, ca.cert_der, issued)


def seal(batch: Batch, path: Path, passphrase: bytes) -> None:
    """Write the batch, encrypted."""
    content = {
        "site": batch.site,
        "ca": _text(batch.ca_der),
        "units": {
            unit: [[i.serial, _text(i.key_der), _text(i.cert_der)] for i in identities]
            for unit, identities in batch.units.items()
        },
    }
    salt, nonce = os.urandom(SALT), os.urandom(NONCE)
    sealed = AESGCM(_key(passphrase, salt)).encrypt(nonce, json.dumps(content).encode(), MAGIC)
    write_private(path, MAGIC + salt + nonce + sealed)


def unseal(path: Path, passphrase: bytes) -> Batch:
    """Open a batch; FlashError when it is none, damaged, or the passphrase is wrong."""
    try:
        whole = path.read_bytes()
    except OSError as error:
        raise FlashError(
            f"identities: {path} cannot be read ({error.strerror}): copy the batch file here"
        ) from error
    if not whole.startswith(MAGIC):
        raise FlashError(f"identities: {path} is no batch file: take the one ca issue-batch wrote")
    body = whole[len(MAGIC) :]
    salt, nonce, sealed = body[:SALT], body[SALT : SALT + NONCE], body[SALT + NONCE :]
    try:
        content = json.loads(AESGCM(_key(passphrase, salt)).decrypt(nonce, sealed, MAGIC))
    except (InvalidTag, ValueError) as error:
        raise FlashError(
            f"identities: {path} does not open: check the passphrase, or copy the file again"
        ) from error
    units = {
        unit: [UnitIdentity(serial, _bytes(key), _bytes(cert)) for serial, key, cert in rows]
        for unit, rows in content["units"].items()
    }
    return Batch(content["site"], _bytes(content["ca"]), units)


def _key(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
