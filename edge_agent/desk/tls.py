"""The page beyond loopback: TLS with the agent's own certificate, under the names it is for."""

from __future__ import annotations

import ssl
from pathlib import Path

from cryptography import x509


def names_of(cert: Path) -> list[str]:
    """DNS names and addresses that a PEM certificate answers to. ValueError: one sentence."""
    try:
        found = x509.load_pem_x509_certificate(cert.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound) as error:
        raise ValueError(
            f"{cert}：证书里没有主机名，请重新签发并写上页面的名字或地址"
            f" / {cert} names no host, issue it again with the page's names: {error}"
        ) from None
    addresses = [str(one) for one in names.get_values_for_type(x509.IPAddress)]
    return names.get_values_for_type(x509.DNSName) + [_in_url(one) for one in addresses]


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def context(cert: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 and later. ValueError: one sentence."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(
            f"{cert} 和 {key} 不能用，请放回同一张证书的两个文件"
            f" / {cert} and {key} do not fit, put back the two files of one identity: {error}"
        ) from None
    return made
