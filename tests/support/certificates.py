"""Certificates for tests, made on the spot."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

PKCS8 = serialization.PrivateFormat.PKCS8
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "opsmon")])


@functools.cache
def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    """A private key; another one for each number."""
    return rsa.generate_private_key(65537, 2048)


@dataclass(frozen=True)
class Made:
    """A certificate that signs itself, and its key."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def public(self) -> str:
        """The certificate as PEM, as it is registered."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def secret_line(self) -> str:
        """A line of the key's PEM, which must show nowhere."""
        return self.pem().decode().splitlines()[5]

    def pem(self, password: str = "") -> bytes:
        """Key and certificate as PEM."""
        return self.key.private_bytes(serialization.Encoding.PEM, PKCS8, _locked(password)) + self.public.encode()

    def pfx(self, password: str = "") -> bytes:
        """Key and certificate as PFX."""
        return pkcs12.serialize_key_and_certificates(b"opsmon", self.key, self.certificate, None, _locked(password))


def make_certificate(
    ends_in: dt.timedelta = dt.timedelta(days=365), starts: dt.timedelta = dt.timedelta(days=-400), number: int = 0
) -> Made:
    """A certificate of the key `number`, valid from and until so long from now."""
    now, key = dt.datetime.now(dt.UTC), rsa_key(number)
    builder = x509.CertificateBuilder(NAME, NAME, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now + starts).not_valid_after(now + ends_in)
    return Made(key, builder.sign(key, hashes.SHA256()))


def _locked(password: str) -> serialization.KeySerializationEncryption:
    if password:
        return serialization.BestAvailableEncryption(password.encode())
    return serialization.NoEncryption()
