"""Checks of the assertion that an app signs in with: a JWT signed with its certificate, or a federated token.

Source: "Microsoft identity platform application authentication certificate credentials"
(https://learn.microsoft.com/entra/identity-platform/certificate-credentials), and Entra's error codes.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.graph.simulator.tenants import SimulatedTenant

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

#: Numbers AADSTS….
WRONG_APP: Final = 700021
WRONG_AUDIENCE: Final = 700023
WRONG_TIME: Final = 700024
WRONG_KEY: Final = 700027
NOT_FEDERATED: Final = 700211


@dataclass(frozen=True, slots=True)
class _Token:
    """A JWT in its parts. `signed` is what the signature is of."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


def refusal(tenant: SimulatedTenant, client_id: str, assertion: str, audience: str) -> int:
    """The number that this assertion is refused with; 0 if it is good. `audience` is the URL that it was sent to."""
    if assertion in tenant.federated:
        return 0
    token = _parse(assertion)
    if token is None or "x5t#S256" not in token.header:
        return NOT_FEDERATED
    certificate = _find(tenant.certificates, str(token.header["x5t#S256"]))
    if certificate is None or not _is_signed(token, certificate):
        return WRONG_KEY
    claims = token.claims
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        return WRONG_APP
    if claims.get("aud") != audience:
        return WRONG_AUDIENCE
    return 0 if _is_current(claims, certificate) else WRONG_TIME


def _is_current(claims: Mapping[str, Any], certificate: Certificate) -> bool:
    now, ends = time.time(), claims.get("exp")
    valid = certificate.not_valid_before_utc.timestamp() <= now < certificate.not_valid_after_utc.timestamp()
    return valid and isinstance(ends, int | float) and now < ends


def _parse(assertion: str) -> _Token | None:
    try:
        header, claims, signature = assertion.split(".")
        parts = json.loads(_decoded(header)), json.loads(_decoded(claims))
        if all(isinstance(part, dict) for part in parts):
            return _Token(*parts, f"{header}.{claims}".encode(), _decoded(signature))
    except ValueError:
        pass
    return None


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _find(certificates: Iterable[str], thumbprint: str) -> Certificate | None:
    """The registered certificate with this SHA-256 thumbprint, which a JWT has in base64url."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        wanted = _decoded(thumbprint)
    except ValueError:
        return None
    registered = [x509.load_pem_x509_certificate(text.encode()) for text in certificates]
    return next((one for one in registered if one.fingerprint(SHA256()) == wanted), None)


def _is_signed(token: _Token, certificate: Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256

    # PS256 salts with as many bytes as its hash has (RFC 7518, 3.5).
    paddings = {"RS256": padding.PKCS1v15(), "PS256": padding.PSS(padding.MGF1(SHA256()), SHA256.digest_size)}
    key, how = certificate.public_key(), paddings.get(str(token.header.get("alg")))
    if how is None or not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(token.signature, token.signed, how, SHA256())
    except InvalidSignature:
        return False
    return True
