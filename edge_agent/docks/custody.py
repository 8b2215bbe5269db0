"""The custody journal: what happened to each recording, so that nobody can say otherwise later.

Each row holds the SHA-256 of its own content and of the row before it, and the checkpoint's
signature over that hash. What this proves, and what it does not:

- an edited row no longer has its hash, an inserted one no signature, a removed one leaves a gap;
- rows cut off the end leave AUTOINCREMENT's counter and the recordings' states ahead of the
  journal; whoever also mends those is found by a head that the county pinned: each `cp_dock`
  message carries row number and head;
- whoever holds the checkpoint's key can write a whole new journal. Only the pinned heads show it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
Detail = Mapping[str, str | int | bool | None]

GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class Row:
    """One event. `hash` and `sig` are over the rest."""

    n: int
    at_ms: int
    kind: str
    bay: str | None
    docking: int | None
    recording: str | None
    detail: str  # JSON object
    prev: bytes
    hash: bytes
    sig: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found: `rows` good ones, then `fault` about row `at` (None: all is well)."""

    rows: int
    head: str  # hex, of the last good row
    at: int | None = None
    fault: str | None = None


def digest(
    n: int,
    at_ms: int,
    kind: str,
    bay: str | None,
    docking: int | None,
    recording: str | None,
    detail: str,
    prev: bytes,
) -> bytes:
    """SHA-256 over the row as one JSON array: no field can flow into the next."""
    row = [n, at_ms, kind, bay, docking, recording, detail, prev.hex()]
    return hashlib.sha256(json.dumps(row, ensure_ascii=False).encode()).digest()


def as_json(detail: Detail) -> str:
    return json.dumps(dict(detail), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def append(
    db: sqlite3.Connection,
    key: PrivateKey,
    at_ms: int,
    kind: str,
    detail: Detail,
    *,
    bay: str | None = None,
    docking: int | None = None,
    recording: str | None = None,
) -> int:
    """Add a row inside the caller's transaction (BEGIN IMMEDIATE: one writer); its number."""
    last = db.execute("SELECT n, hash FROM journal ORDER BY n DESC LIMIT 1").fetchone()
    n, prev = (last[0] + 1, last[1]) if last else (1, GENESIS)
    text = as_json(detail)
    hashed = digest(n, at_ms, kind, bay, docking, recording, text, prev)
    db.execute(
        "INSERT INTO journal VALUES (?,?,?,?,?,?,?,?,?,?)",
        (n, at_ms, kind, bay, docking, recording, text, prev, hashed, sign(key, hashed)),
    )
    return n


def verify(
    db: sqlite3.Connection, trusted: Sequence[PublicKey], pinned: tuple[int, str] | None = None
) -> Verdict:
    """Read the whole journal; name the first row that is edited, removed or missing.

    trusted: the checkpoint's public keys, the present and former ones.
    pinned: (row, head in hex) as the county got it in some `cp_dock` message.
    """
    n, head = 0, GENESIS
    for values in db.execute("SELECT * FROM journal ORDER BY n"):
        row = Row(*values)
        fault = _fault(row, n, head, trusted)
        if fault:
            at = n + 1 if row.n != n + 1 else row.n
            return Verdict(n, head.hex(), at, fault)
        n, head = row.n, row.hash
        if pinned and pinned[0] == n and pinned[1] != head.hex():
            return Verdict(
                n - 1, row.prev.hex(), n, f"row {n} is not the one the county was told of"
            )
    missing = _missing_after(db, n, pinned)
    if missing:
        return Verdict(n, head.hex(), n + 1, missing)
    return Verdict(n, head.hex())


def _fault(row: Row, n: int, head: bytes, trusted: Sequence[PublicKey]) -> str | None:
    if row.n != n + 1:
        return f"row {n + 1} is missing (the next one here is {row.n})"
    if row.prev != head:
        return f"row {row.n} does not follow row {n}: one between them was removed or replaced"
    of_content = digest(
        row.n, row.at_ms, row.kind, row.bay, row.docking, row.recording, row.detail, row.prev
    )
    if of_content != row.hash:
        return f"row {row.n} was edited: its content no longer has its hash"
    if not any(signed(public, row.sig, row.hash) for public in trusted):
        return f"row {row.n} was not signed by this checkpoint"
    return None


def _missing_after(db: sqlite3.Connection, n: int, pinned: tuple[int, str] | None) -> str | None:
    """Signs that rows after `n` existed once."""
    if pinned and pinned[0] > n:
        return f"row {n + 1} is missing: the county was told of row {pinned[0]}"
    counter = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'journal'").fetchone()
    if counter and counter[0] > n:
        return f"row {n + 1} is missing: {counter[0]} were written"
    ahead = db.execute(
        "SELECT id, state FROM recording WHERE state IS NOT (SELECT kind FROM journal WHERE"
        " recording = recording.id AND json_extract(detail, '$.state') ORDER BY n DESC LIMIT 1)"
        " ORDER BY id LIMIT 1"
    ).fetchone()
    if ahead:
        return f"row {n + 1} is missing: recording {ahead[0]} is {ahead[1]} and no row says so"
    return None


def sign(key: PrivateKey, hashed: bytes) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(hashed)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(hashed, ec.ECDSA(hashes.SHA256()))
    return key.sign(hashed, padding.PKCS1v15(), hashes.SHA256())


def signed(public: PublicKey, sig: bytes, hashed: bytes) -> bool:
    try:
        if isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(sig, hashed)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(sig, hashed, ec.ECDSA(hashes.SHA256()))
        else:
            public.verify(sig, hashed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def load_key(path: Path) -> PrivateKey:
    """The checkpoint's private key; ValueError in one sentence where it is none."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"{path} is not a readable private key in PEM: {error}") from error
    if not isinstance(
        key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    ):
        raise ValueError(f"{path} holds a key that cannot sign; use Ed25519, EC or RSA")
    return key


def own_key(folder: Path) -> PrivateKey:
    """The store's own key, made once, readable by its owner only."""
    path = folder / "custody.key"
    if not path.exists():
        pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as out:
            out.write(pem)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    return load_key(path)


def public_pem(key: PrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def public_key(pem: bytes) -> PublicKey:
    """From a public key or a certificate in PEM; ValueError where it is neither."""
    if b"BEGIN CERTIFICATE" in pem:
        found = x509.load_pem_x509_certificate(pem).public_key()
    else:
        found = serialization.load_pem_public_key(pem)
    if not isinstance(
        found, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    ):
        raise ValueError("not a key that signs: use Ed25519, EC or RSA")
    return found


def named_keys(db: sqlite3.Connection) -> list[PublicKey]:
    """The keys that the journal itself names in its OPENED rows: good against accidents only."""
    rows = db.execute("SELECT detail FROM journal WHERE kind = 'OPENED' ORDER BY n")
    return [public_key(json.loads(detail)["public_key"].encode()) for (detail,) in rows]
