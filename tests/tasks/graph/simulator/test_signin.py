"""The simulated sign-in service, asked without msal: which assertions and scopes it takes."""

from __future__ import annotations

import base64
import datetime as dt
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tasks.graph.simulator import CLIENT_ID, SimulatedTenant, Simulator, directory_id, secret
from tests.support.certificates import Made, make_certificate

GRAPH = "https://graph.microsoft.com/.default"
JWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MADE = make_certificate()
STRANGER = make_certificate(number=1)
PADDINGS = {"RS256": padding.PKCS1v15(), "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), 32)}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([SimulatedTenant("contoso", certificates=[STRANGER.public, MADE.public])]) as running:
        yield running


def address(simulator: Simulator) -> str:
    return f"{simulator.url}/{directory_id('contoso')}/oauth2/v2.0/token"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(simulator: Simulator, *, made: Made = MADE, signer: Made = MADE, alg: str = "PS256", **claims: Any) -> str:
    """An assertion that names the certificate of `made` and is signed by the key of `signer`."""
    header = {"alg": alg, "x5t#S256": encoded(made.certificate.fingerprint(hashes.SHA256()))}
    good = {"aud": address(simulator), "iss": CLIENT_ID, "sub": CLIENT_ID, "exp": time.time() + 60}
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (header, good | claims))
    how = PADDINGS.get(alg, PADDINGS["RS256"])
    return f"{signed}.{encoded(signer.key.sign(signed.encode(), how, hashes.SHA256()))}"


def ask(simulator: Simulator, **form: str) -> tuple[int, str]:
    """The status, and the number of the refusal."""
    whole = {"client_id": CLIENT_ID, "grant_type": "client_credentials", "scope": GRAPH} | form
    answer = httpx.post(address(simulator), data={key: value for key, value in whole.items() if value})
    return answer.status_code, answer.json().get("error_description", "").partition(":")[0]


def assert_with(simulator: Simulator, assertion: str) -> tuple[int, str]:
    return ask(simulator, client_assertion_type=JWT, client_assertion=assertion)


@pytest.mark.parametrize("alg", ["PS256", "RS256"])
def test_an_assertion_of_a_registered_certificate_is_good(simulator: Simulator, alg: str) -> None:
    assert assert_with(simulator, jwt(simulator, alg=alg)) == (200, "")
    assert len(simulator.tokens) == 1


def test_another_key_algorithm_audience_app_or_time_is_refused(simulator: Simulator) -> None:
    wrong = (401, "AADSTS700027")
    assert assert_with(simulator, jwt(simulator, signer=STRANGER)) == wrong
    assert assert_with(simulator, jwt(simulator, made=make_certificate(number=2))) == wrong
    assert assert_with(simulator, jwt(simulator, alg="none")) == wrong
    body = jwt(simulator).split(".")
    assert assert_with(simulator, f"{body[0]}.{encoded(b'{}')}.{body[2]}") == wrong
    elsewhere = address(simulator).replace("/token", "/other")
    assert assert_with(simulator, jwt(simulator, aud=elsewhere)) == (401, "AADSTS700023")
    assert assert_with(simulator, jwt(simulator, iss="somebody")) == (400, "AADSTS700021")
    assert assert_with(simulator, jwt(simulator, exp=time.time() - 1)) == (401, "AADSTS700024")
    assert simulator.tokens == {}


def test_a_registered_certificate_that_has_expired_is_refused(simulator: Simulator) -> None:
    old = make_certificate(ends_in=dt.timedelta(days=-1))
    simulator.tenant("contoso").certificates.append(old.public)
    assert assert_with(simulator, jwt(simulator, made=old)) == (401, "AADSTS700024")


@pytest.mark.parametrize("text", ["nonsense", "a.b.c", "W10.W10.W10", "e30.e30.e30", "é.é.é"])
def test_what_is_no_assertion_is_refused(simulator: Simulator, text: str) -> None:
    assert assert_with(simulator, text) == (400, "AADSTS700211")
    simulator.tenant("contoso").federated.add(text)
    assert assert_with(simulator, text) == (200, "")


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"client_secret": secret("contoso")}, (200, "")),
        ({"client_secret": "wrong"}, (401, "AADSTS7000215")),
        ({}, (401, "AADSTS7000218")),
        ({"client_secret": secret("contoso"), "scope": ""}, (400, "AADSTS900144")),
        ({"client_secret": secret("contoso"), "scope": "https://vault.example.org/.default"}, (400, "AADSTS70011")),
        (
            {"client_secret": secret("contoso"), "scope": "https://graph.microsoft.us/.default"},
            (400, "AADSTS900382"),
        ),
    ],
)
def test_secret_and_scope_must_be_the_tenants(
    simulator: Simulator, form: dict[str, str], told: tuple[int, str]
) -> None:
    assert ask(simulator, **form) == told
