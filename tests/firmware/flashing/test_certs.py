"""The device CA: what OpenSSL, MicroPython's TLS and a revocation list make of what it issues."""

from __future__ import annotations

import json
import socket
import ssl
import stat
import subprocess
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from flashing import certs
from flashing.errors import FlashError

ROOT = Path(__file__).resolve().parents[3]
MICROPYTHON = ROOT / ".venv-unit/bin/micropython"

UNIT_CLIENT = """
import socket, ssl, sys
ca, cert, key, port = sys.argv[1:]
def read(path):
    with open(path, "rb") as f:
        return f.read()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.verify_mode = ssl.CERT_REQUIRED
context.load_verify_locations(cadata=read(ca))
context.load_cert_chain(read(cert), read(key))
raw = socket.socket()
raw.connect(socket.getaddrinfo("127.0.0.1", int(port))[0][-1])
line = context.wrap_socket(raw, server_hostname="broker.county")
line.write(b"hello")
print(line.read(5))
"""


@pytest.fixture
def ca(tmp_path: Path) -> certs.Authority:
    return certs.make_ca(tmp_path / "ca", "c371500")


def test_a_unit_may_be_a_client_only(ca: certs.Authority) -> None:
    cert = x509.load_der_x509_certificate(certs.issue(ca, "u-0123", "unit").cert_der)
    assert cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "u-0123"
    usage = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    cert.verify_directly_issued_by(ca.cert)


def test_files_are_private_from_birth_and_agree(ca: certs.Authority, tmp_path: Path) -> None:
    made = certs.issue(ca, "u-0123", "unit", into=tmp_path / "out")
    for path in [*(tmp_path / "out").iterdir(), ca.folder / "ca.key.pem"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    pem = serialization.load_pem_private_key((tmp_path / "out/u-0123.key.pem").read_bytes(), None)
    der = serialization.load_der_private_key((tmp_path / "out/u-0123.key.der").read_bytes(), None)
    cert = x509.load_pem_x509_certificate((tmp_path / "out/u-0123.cert.pem").read_bytes())
    numbers = {_point(key) for key in (pem.public_key(), der.public_key(), cert.public_key())}
    assert len(numbers) == 1
    assert made.serial == cert.serial_number


def test_the_ca_key_needs_its_passphrase(tmp_path: Path) -> None:
    certs.make_ca(tmp_path / "ca", "c371500", b"right")
    assert b"ENCRYPTED" in (tmp_path / "ca/ca.key.pem").read_bytes()
    certs.load_ca(tmp_path / "ca", b"right")
    for wrong in (b"wrong", None):
        with pytest.raises(FlashError, match="passphrase"):
            certs.load_ca(tmp_path / "ca", wrong)


def test_a_ca_is_never_overwritten_and_never_guessed(ca: certs.Authority, tmp_path: Path) -> None:
    with pytest.raises(FlashError, match="already holds"):
        certs.make_ca(ca.folder)
    with pytest.raises(FlashError, match="ca init"):
        certs.load_ca(tmp_path / "elsewhere")


@pytest.mark.parametrize("cn", ["", "u/1", "+", "../x", "U-1", "u" * 33, "u 1"])
def test_a_name_that_could_leave_its_topic_or_folder_is_refused(
    ca: certs.Authority, cn: str
) -> None:
    with pytest.raises(FlashError, match="no identity"):
        certs.issue(ca, cn, "unit")


def test_an_unknown_kind_is_refused(ca: certs.Authority) -> None:
    with pytest.raises(FlashError, match="no kind"):
        certs.issue(ca, "u-1", "admin")


def test_revoked_serials_are_in_the_list_once(ca: certs.Authority) -> None:
    dead = certs.issue(ca, "u-0123", "unit").serial
    live = certs.issue(ca, "u-0124", "unit").serial
    certs.revoke(ca, [dead], "replaced")
    crl = x509.load_pem_x509_crl(certs.revoke(ca, [dead], "replaced").read_bytes())
    assert crl.is_signature_valid(ca.key.public_key())
    assert [entry.serial_number for entry in crl] == [dead]
    assert crl.get_revoked_certificate_by_serial_number(live) is None
    assert [row["cn"] for row in certs.issued(ca.folder)] == ["u-0123", "u-0124"]
    assert "PRIVATE" not in json.dumps(certs.issued(ca.folder))


def test_mutual_tls_from_real_micropython(ca: certs.Authority, tmp_path: Path) -> None:
    """A unit's DER files open a session to a county server, and the server sees the CN."""
    certs.issue(ca, "broker", "county", ["broker.county", "127.0.0.1"], tmp_path)
    certs.issue(ca, "u-0123", "unit", into=tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(ca.folder / "ca.cert.pem")
    server.load_cert_chain(tmp_path / "broker.cert.pem", tmp_path / "broker.key.pem")
    seen: list[str] = []

    def serve(listener: socket.socket) -> None:
        raw, _ = listener.accept()
        with server.wrap_socket(raw, server_side=True) as line:
            peer = line.getpeercert()
            assert peer is not None
            seen.append(dict(pair[0] for pair in peer["subject"])["commonName"])  # type: ignore[misc]
            line.sendall(line.recv(5))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        client = tmp_path / "client.py"
        client.write_text(UNIT_CLIENT)
        files = [
            ca.folder / "ca.cert.der",
            tmp_path / "u-0123.cert.der",
            tmp_path / "u-0123.key.der",
        ]
        run = [MICROPYTHON, client, *files, str(listener.getsockname()[1])]
        out = subprocess.run(run, capture_output=True, text=True, timeout=20)
        thread.join(5)
    assert out.stdout.strip() == "b'hello'", out.stderr + out.stdout
    assert seen == ["u-0123"]


def _point(key: object) -> bytes:
    return key.public_bytes(  # type: ignore[attr-defined,no-any-return]
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def test_openssl_refuses_the_revoked_and_only_them(ca: certs.Authority, tmp_path: Path) -> None:
    """As a broker with `crlfile` does: OpenSSL checks the leaf against the list."""
    certs.issue(ca, "broker", "county", ["broker.county"], tmp_path)
    dead = certs.issue(ca, "u-0123", "unit", into=tmp_path)
    certs.issue(ca, "u-0124", "unit", into=tmp_path)
    certs.revoke(ca, [dead.serial], "lost")
    assert not handshake(ca, tmp_path, "u-0123")
    assert handshake(ca, tmp_path, "u-0124")


def handshake(ca: certs.Authority, folder: Path, unit: str) -> bool:
    """Return whether a broker that knows the list lets this unit in; in memory."""
    broker = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    broker.load_cert_chain(folder / "broker.cert.pem", folder / "broker.key.pem")
    broker.verify_mode = ssl.CERT_REQUIRED
    broker.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    for file in ("ca.cert.pem", "crl.pem"):
        broker.load_verify_locations(ca.folder / file)
    client = ssl.create_default_context(cafile=str(ca.folder / "ca.cert.pem"))
    client.load_cert_chain(folder / f"{unit}.cert.pem", folder / f"{unit}.key.pem")
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(down, up, server_hostname="broker.county"),
        broker.wrap_bio(up, down, server_side=True),
    ]
    for _ in range(4):  # flights of a TLS 1.3 handshake, and one more
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                assert "revoked" in str(error)
                return False
    return True
