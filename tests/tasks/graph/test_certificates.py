"""Certificates of apps: what is read from a file, what is refused, and the health of credentials."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from store.errors import InputInvalid, OperationFailed
from tasks.graph.certificates import load_certificate
from tasks.graph.credentials import AppCredentials, CredentialHealth, credential_health
from tests.support.certificates import PKCS8, make_certificate

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
MADE = make_certificate()
OTHER = make_certificate(number=1)
PASSWORD = "correct horse"
PLAIN = serialization.NoEncryption()


def settings(path: Path, **more: str) -> Mapping[str, Any]:
    return {"directory_id": "d", "client_id": "c", "client_certificate_file": str(path), **more}


def write(folder: Path, data: bytes) -> Path:
    path = folder / "certificate"
    path.write_bytes(data)
    return path


def of_curve() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(serialization.Encoding.PEM, PKCS8, PLAIN) + MADE.public.encode()


@pytest.mark.parametrize(
    ("data", "password"),
    [
        (MADE.pem(), None),
        (MADE.pem(PASSWORD), PASSWORD),
        (MADE.public.encode() + b"\r\n" + MADE.pem(), None),
        (OTHER.public.encode() + MADE.pem(), None),  # a chain in the wrong order
        (MADE.pfx(), None),
        (MADE.pfx(PASSWORD), PASSWORD),
    ],
    ids=["pem", "pem, locked", "certificate first", "another before", "pfx", "pfx, locked"],
)
def test_key_certificate_and_end_are_read(tmp_path: Path, data: bytes, password: str | None) -> None:
    found = load_certificate(write(tmp_path, data), password)
    assert found.certificate == MADE.public
    assert found.expires_at == MADE.certificate.not_valid_after_utc
    assert found.key.encode() == MADE.key.private_bytes(serialization.Encoding.PEM, PKCS8, PLAIN)
    assert MADE.secret_line not in repr(found)


@pytest.mark.parametrize(
    ("data", "password", "told"),
    [
        (MADE.public.encode(), None, "holds no private key"),
        (MADE.pem().split(b"-----BEGIN CERT")[0], None, "holds no certificate beside its key"),
        (MADE.pem(), "x", "a key without a password, and one is set"),
        (MADE.pem(PASSWORD), None, "a key with a password, and none is set"),
        (MADE.pem(PASSWORD), "wrong", "a key that the password does not open"),
        (MADE.pem().replace(MADE.secret_line.encode(), b"AAAA"), None, "a key that cannot be read"),
        (MADE.pem().split(b"-----BEGIN CERT")[0] + OTHER.public.encode(), None, "no certificate of its key"),
        (MADE.pem() + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", None, "that cannot be read"),
        (of_curve(), None, "not RSA"),
        (MADE.pfx(PASSWORD), None, "neither PEM nor a PFX that the password opens"),
        (MADE.pfx(PASSWORD), "wrong", "neither PEM nor a PFX that the password opens"),
        (b"", None, "neither PEM nor a PFX"),
        (
            pkcs12.serialize_key_and_certificates(None, None, MADE.certificate, None, PLAIN),
            None,
            "holds no private key",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_without_its_contents(
    tmp_path: Path, data: bytes, password: str | None, told: str
) -> None:
    with pytest.raises(OperationFailed, match=r"\Aclient_certificate_file [^\n]+\Z") as caught:
        load_certificate(write(tmp_path, data), password)
    assert caught.value.failure_code == "graph.unauthorized"
    assert told in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    for inside in (MADE.secret_line, PASSWORD, "wrong"):
        assert inside not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OperationFailed, match=r"client_certificate_file cannot be read .FileNotFoundError"):
        load_certificate(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (make_certificate(ends_in=-DAY), f"expired on {NOW - DAY:%Y-%m-%d}"),
        (make_certificate(starts=2 * DAY), f"is not valid before {NOW + 2 * DAY:%Y-%m-%d}"),
    ],
)
def test_a_certificate_out_of_its_time_signs_nobody_in(tmp_path: Path, made: Any, told: str) -> None:
    path = write(tmp_path, made.pem())
    with pytest.raises(OperationFailed, match=told) as caught:
        AppCredentials.from_settings("contoso", lambda _: settings(path))
    assert caught.value.failure_code == "graph.unauthorized"
    assert told in credential_health("contoso", lambda _: settings(path), dt.datetime.now(dt.UTC)).problem


# ---- health


def test_a_certificate_is_warned_of_thirty_days_before_its_end(tmp_path: Path) -> None:
    path = write(tmp_path, MADE.pfx(PASSWORD))
    health = credential_health("contoso", lambda _: settings(path, client_certificate_password=PASSWORD), NOW)
    end = MADE.certificate.not_valid_after_utc
    assert health == CredentialHealth("certificate", end, "")
    assert health.warning(end - 30 * DAY - dt.timedelta(seconds=1)) == ""
    assert health.warning(end - 30 * DAY) == f"the client certificate expires on {end:%Y-%m-%d}, in 30 days"
    assert health.warning(end - DAY) == f"the client certificate expires on {end:%Y-%m-%d}, in 1 day"
    assert health.warning(end) == f"the client certificate expired on {end:%Y-%m-%d}"
    assert PASSWORD not in repr(health)


def test_the_health_of_a_secret_and_of_an_assertion_shows_neither() -> None:
    plain = {"directory_id": "d", "client_id": "c"}
    for given, kind in (({"client_secret": "hush"}, "secret"), ({"client_assertion": lambda: "hush"}, "assertion")):
        health = credential_health("contoso", lambda _, given=given: {**plain, **given}, NOW)  # type: ignore[misc]
        assert (health.kind, health.expires_at, health.problem, health.warning(NOW)) == (kind, None, "", "")
        assert "hush" not in repr(health)


def test_what_cannot_be_used_is_the_problem(tmp_path: Path) -> None:
    def unreadable() -> str:
        raise InputInvalid("the assertion of tenant 'contoso' cannot be read")

    def incomplete(slug: str) -> Mapping[str, Any]:
        raise InputInvalid(f"the credentials of tenant '{slug}' lack client_id")

    def problem(ask: Any) -> tuple[str, str]:
        health = credential_health("contoso", ask, NOW)
        return health.kind, health.problem

    assert problem(lambda _: None) == (
        "none",
        "no credentials are set up for contoso: see [credentials.contoso] in opsmon.toml",
    )
    assert problem(incomplete) == ("none", "the credentials of tenant 'contoso' lack client_id")
    assert problem(lambda _: settings(tmp_path / "nothing")) == (
        "certificate",
        "client_certificate_file cannot be read (FileNotFoundError)",
    )
    assert problem(lambda _: {"client_assertion": unreadable})[0] == "assertion"
    assert "cannot be read" in problem(lambda _: {"client_assertion": unreadable})[1]
