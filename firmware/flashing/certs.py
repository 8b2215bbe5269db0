"""The county's device CA: EC P-256, one certificate per unit, checkpoint and county program.

The CN is the identity everywhere (MQTT user, client id, topic). What a certificate may be used for
is in its extended key usage: a stolen unit can never pose as a broker, because its certificate has
no serverAuth. DER is for the unit (MicroPython's ssl reads DER on every port), PEM for the rest.

The folder of a CA holds `ca.key.pem` (0600, encrypted where a passphrase is given), `ca.cert.pem`,
`ca.cert.der`, `issued.jsonl`, `revoked.jsonl` and `crl.pem`. It stays on one machine.
Certificate profile: RFC 5280.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from flashing.errors import FlashError
from flashing.files import append_line, write_private

# kind -> what its certificate may be used for. A checkpoint serves units and calls the county.
KINDS = {
    "unit": [ExtendedKeyUsageOID.CLIENT_AUTH],
    "checkpoint": [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
    "county": [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
}
CA_DAYS = 20 * 365  # longer than any unit lives: a new CA means opening every unit
LEAF_DAYS = 5 * 365
# A unit without a fix yet believes its firmware's build date (drivers/version.py), so what it must
# trust has to be valid from before any firmware was built, not from when it was issued.
NOT_BEFORE = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
CN_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")  # safe as MQTT user, topic level and file name


@dataclass(frozen=True)
class Identity:
    """A key with its certificate; `key_*` are secret and unencrypted."""

    cn: str
    kind: str
    serial: int
    key_pem: bytes
    key_der: bytes  # RFC 5915
    cert_pem: bytes
    cert_der: bytes

    def write(self, folder: Path) -> None:
        """Write `<cn>.key.pem`, `.key.der` (0600), `.cert.pem` and `.cert.der` into `folder`."""
        for suffix in ("key.pem", "key.der", "cert.pem", "cert.der"):
            content = getattr(self, suffix.replace(".", "_"))
            write_private(folder / f"{self.cn}.{suffix}", content)


@dataclass(frozen=True)
class Authority:
    """A loaded CA: the folder it lives in, its key and its certificate."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    cert: x509.Certificate

    @property
    def cert_pem(self) -> bytes:
        return self.cert.public_bytes(serialization.Encoding.PEM)

    @property
    def cert_der(self) -> bytes:
        return self.cert.public_bytes(serialization.Encoding.DER)


def make_ca(folder: Path, county: str = "county", passphrase: bytes | None = None) -> Authority:
    """Create the county's device CA in `folder` (never over an existing one)."""
    if (folder / "ca.key.pem").exists():
        raise FlashError(f"ca: {folder} already holds a CA: use it, or name an empty folder")
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"{county} device CA")
    cert = (
        _builder(name, name, key.public_key(), CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    ca = Authority(folder, key, cert)
    write_private(folder / "ca.key.pem", _key_pem(key, passphrase))
    write_private(folder / "ca.cert.pem", ca.cert_pem)
    write_private(folder / "ca.cert.der", ca.cert_der)
    write_crl(ca)
    return ca


def load_ca(folder: Path, passphrase: bytes | None = None) -> Authority:
    """Open the CA in `folder`; FlashError where it is missing or the passphrase is wrong."""
    try:
        key_pem = (folder / "ca.key.pem").read_bytes()
        cert = x509.load_pem_x509_certificate((folder / "ca.cert.pem").read_bytes())
        key = serialization.load_pem_private_key(key_pem, passphrase)
    except FileNotFoundError as error:
        raise FlashError(f"ca: no CA in {folder}: make one with ./flash.sh ca init") from error
    except (TypeError, ValueError) as error:
        raise FlashError(
            f"ca: the key in {folder} does not open: give the passphrase it was made with"
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise FlashError(f"ca: the key in {folder} is not EC P-256: restore the CA's backup")
    return Authority(folder, key, cert)


def issue(
    ca: Authority,
    cn: str,
    kind: str,
    sans: Sequence[str] = (),
    into: Path | None = None,
    batch: str = "",
) -> Identity:
    """Make a key and a certificate for `cn`, record its serial in the CA's `issued.jsonl`.

    `batch` names the file that it leaves the CA in, so that all of a lost file can be revoked.

    `kind` is a key of KINDS. `sans` are host names and IP addresses that a server answers on.
    With `into`, the four files of `Identity.write` are written there.
    """
    if not CN_PATTERN.fullmatch(cn):
        raise FlashError(f"ca: {cn!r} is no identity: use 1 to 32 of a-z, 0-9 and -")
    if kind not in KINDS:
        raise FlashError(f"ca: {kind!r} is no kind of identity: use one of {', '.join(KINDS)}")
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_name(cn), ca.cert.subject, key.public_key(), LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(KINDS[kind]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), critical=False
        )
    )
    if sans:
        names = x509.SubjectAlternativeName([_general_name(san) for san in sans])
        builder = builder.add_extension(names, critical=False)
    cert = builder.sign(ca.key, hashes.SHA256())
    row = {"serial": f"{cert.serial_number:x}", "cn": cn, "kind": kind, "batch": batch}
    row["not_after"] = cert.not_valid_after_utc.isoformat()
    append_line(ca.folder / "issued.jsonl", json.dumps(row))
    identity = Identity(
        cn=cn,
        kind=kind,
        serial=cert.serial_number,
        key_pem=_key_pem(key, None),
        key_der=key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ),
        cert_pem=cert.public_bytes(serialization.Encoding.PEM),
        cert_der=cert.public_bytes(serialization.Encoding.DER),
    )
    if into is not None:
        identity.write(into)
    return identity


def issued(folder: Path) -> list[dict[str, str]]:
    """Return the rows of `issued.jsonl`: serial (hex), cn, kind, batch, not_after."""
    return _rows(folder / "issued.jsonl")


def revoke(ca: Authority, serials: Iterable[int], why: str) -> Path:
    """Add `serials` to the revocation list and return the new `crl.pem`."""
    known = {row["serial"] for row in _rows(ca.folder / "revoked.jsonl")}
    for serial in serials:
        if f"{serial:x}" not in known:
            row = {"serial": f"{serial:x}", "why": why, "at": _now().isoformat()}
            append_line(ca.folder / "revoked.jsonl", json.dumps(row))
    return write_crl(ca)


def write_crl(ca: Authority) -> Path:
    """Write `crl.pem` from `revoked.jsonl`.

    It is valid as long as the CA: a broker refuses *every* unit once its list has run out, and a
    county that forgot to renew a file must not lose its SOS line for that.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.cert.subject)
        .last_update(NOT_BEFORE)
        .next_update(ca.cert.not_valid_after_utc)
    )
    for row in _rows(ca.folder / "revoked.jsonl"):
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(int(row["serial"], 16))
            .revocation_date(datetime.datetime.fromisoformat(row["at"]))
            .build()
        )
    crl = builder.sign(ca.key, hashes.SHA256())
    return write_private(ca.folder / "crl.pem", crl.public_bytes(serialization.Encoding.PEM))


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def _name(cn: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])


def _general_name(san: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(san))
    except ValueError:
        return x509.DNSName(san)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(_now() + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes | None) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption(),
    )


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
