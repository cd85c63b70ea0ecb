"""Certificates that an app signs in with, from a file: PEM with key and certificate, or PFX (PKCS #12)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from store.errors import OperationFailed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate as X509Certificate

_KEY: Final = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)
_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Certificate:
    """An app's certificate and its private key. The key is left out of `repr`."""

    #: The private key as PEM, not encrypted.
    key: str = field(repr=False)
    #: The certificate as PEM, from which msal computes the thumbprint.
    certificate: str = field(repr=False)
    starts_at: dt.datetime
    expires_at: dt.datetime

    def problem(self, now: dt.datetime) -> str:
        """Why nobody can sign in with it at this time; empty if it is valid."""
        if now < self.starts_at:
            return f"the client certificate is not valid before {self.starts_at:%Y-%m-%d}: check the clock"
        if now >= self.expires_at:
            return f"the client certificate expired on {self.expires_at:%Y-%m-%d}: make and register a new one"
        return ""


def load_certificate(path: Path, password: str | None = None) -> Certificate:
    """Read a certificate with its key. Raises OperationFailed for a file that cannot be used; it shows none of its contents.

    Whether it has expired is not looked at.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unusable(f"cannot be read ({type(error).__name__})") from None
    secret = password.encode() if password is not None else None
    key, certificates = _from_pem(data, secret) if b"-----BEGIN " in data else _from_pfx(data, secret)
    return _pair(key, certificates)


def _from_pem(data: bytes, password: bytes | None) -> tuple[object, list[X509Certificate]]:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    block = _KEY.search(data)
    if block is None:
        raise _unusable("holds no private key")
    if _CERTIFICATE not in data:
        raise _unusable("holds no certificate beside its key")
    key = _pem_key(block.group(), password)
    try:
        return key, x509.load_pem_x509_certificates(data)
    except (ValueError, UnsupportedAlgorithm):
        raise _unusable("holds a certificate that cannot be read") from None


def _pem_key(block: bytes, password: bytes | None) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(block, password)
    except TypeError:  # cryptography's word for a password too many or too few
        needs = "has a key with a password" if password is None else "has a key without a password"
        raise _unusable(f"{needs}, and {'none' if password is None else 'one'} is set") from None
    except (ValueError, UnsupportedAlgorithm):
        wrong = "has a key that the password does not open" if password else "has a key that cannot be read"
        raise _unusable(wrong) from None


def _from_pfx(data: bytes, password: bytes | None) -> tuple[object, list[X509Certificate]]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import pkcs12

    try:
        found = pkcs12.load_pkcs12(data, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # A wrong password and a damaged file look alike.
        raise _unusable("is neither PEM nor a PFX that the password opens") from None
    if found.key is None:
        raise _unusable("holds no private key")
    certificates = [found.cert, *found.additional_certs]
    return found.key, [one.certificate for one in certificates if one is not None]


def _pair(key: object, certificates: list[X509Certificate]) -> Certificate:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding

    if not isinstance(key, RSAPrivateKey):
        raise _unusable("has a key that is not RSA, the only kind that Entra takes")
    own = next((one for one in certificates if _belongs(key, one)), None)
    if own is None:
        raise _unusable("holds no certificate of its key")
    return Certificate(
        key=_as_pem(key),
        certificate=own.public_bytes(Encoding.PEM).decode(),
        starts_at=own.not_valid_before_utc,
        expires_at=own.not_valid_after_utc,
    )


def _belongs(key: RSAPrivateKey, certificate: X509Certificate) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return bool(certificate.public_key() == key.public_key())
    except (ValueError, UnsupportedAlgorithm):  # a chain may hold a kind of key that nobody here knows
        return False


def _as_pem(key: RSAPrivateKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _unusable(what: str) -> OperationFailed:
    return OperationFailed("graph.unauthorized", f"client_certificate_file {what}")
