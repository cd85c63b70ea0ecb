"""The three ways of an app to sign in, from its settings to its token, over real HTTP; and what a refusal says."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from opsmon.settings import load
from store.errors import OperationFailed
from tasks.graph.auth import AppCredentials, AppToken
from tasks.graph.client import GraphClient
from tasks.graph.simulator import CLIENT_ID, Simulator, directory_id, secret
from tests.support.certificates import make_certificate
from tests.tasks.graph.conftest import there

PASSWORD = "correct horse battery"
FEDERATED = "eyJhbGciOiJSUzI1NiJ9.a-federated-token.of-somebody"
MADE = make_certificate()
PATH = "/deviceManagement/configurationPolicies"
Tell = Callable[..., AppCredentials]


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tell:
    """Makes credentials from an opsmon.toml with these keys under [credentials.contoso]."""
    for name in ("OPSMON_GRAPH_URL", "OPSMON_GRAPH_AUTHORITY"):
        monkeypatch.delenv(name, raising=False)

    def write(**keys: str) -> AppCredentials:
        keys = {"directory_id": directory_id("contoso"), "client_id": CLIENT_ID, **keys}
        text = "\n".join(f"{key} = '{value}'" for key, value in keys.items())
        (tmp_path / "opsmon.toml").write_text(f"[credentials.contoso]\n{text}\n")
        return AppCredentials.from_settings("contoso", load({}, tmp_path / "opsmon.toml").credentials)

    return write


def read_with(simulator: Simulator, credentials: AppCredentials) -> list[str]:
    """The ids of what an app reads with these credentials."""
    token = AppToken(credentials, simulator.url)
    try:
        with GraphClient(simulator.url, token, sleep=lambda seconds: None) as graph:
            return [item["id"] for page in graph.pages(PATH) for item in page]
    finally:
        token.close()


def refused(simulator: Simulator, credentials: AppCredentials) -> str:
    """What is said when the sign-in is refused; one line."""
    with pytest.raises(OperationFailed, match=r"\A[^\n]+\Z") as caught:
        read_with(simulator, credentials)
    assert caught.value.failure_code == "graph.unauthorized"
    return str(caught.value)


@pytest.mark.parametrize("how", ["pem", "pem, password from a file", "pfx, from a file", "pfx, from a command"])
def test_a_certificate_signs_in_and_shows_nowhere(
    simulator: Simulator, given: Tell, tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    caplog.set_level(logging.DEBUG)
    simulator.tenant("contoso").certificates.append(MADE.public)
    (tmp_path / "password").write_text(PASSWORD + "\n")
    keys = {"client_certificate_file": str(tmp_path / "certificate")}
    if how.endswith("a file"):
        keys["client_certificate_password_file"] = str(tmp_path / "password")
    if how.endswith("a command"):
        keys["client_certificate_password_command"] = f"cat {tmp_path / 'password'}"
    data = (MADE.pem if how.startswith("pem") else MADE.pfx)(PASSWORD if len(keys) > 1 else "")
    (tmp_path / "certificate").write_bytes(data)
    credentials = given(**keys)
    assert read_with(simulator, credentials) == there(simulator)
    told = repr(credentials) + caplog.text
    for inside in (MADE.secret_line, PASSWORD, "PRIVATE KEY"):
        assert inside not in told


def test_a_certificate_that_is_not_registered_is_the_wrong_one(
    simulator: Simulator, given: Tell, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    simulator.tenant("contoso").certificates.append(make_certificate(number=1).public)
    (tmp_path / "certificate").write_bytes(MADE.pem())
    told = refused(simulator, given(client_certificate_file=str(tmp_path / "certificate")))
    assert "invalid_client, AADSTS700027): the client certificate is not this app's" in told
    for inside in (MADE.secret_line, "PRIVATE KEY"):
        assert inside not in told + caplog.text


@pytest.mark.parametrize("how", ["file", "command"])
def test_a_federated_token_is_read_anew_at_every_sign_in(
    simulator: Simulator, given: Tell, tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "assertion"
    file.write_text(f"{FEDERATED}1\n")
    simulator.tenant("contoso").federated = {f"{FEDERATED}1"}
    keys = {"client_assertion_file": str(file)} if how == "file" else {"client_assertion_command": f"cat {file}"}
    credentials = given(**keys)
    token = AppToken(credentials, simulator.url)
    first = token()
    simulator.tenant("contoso").federated = {f"{FEDERATED}2"}
    with pytest.raises(OperationFailed, match=r"AADSTS700211.+check directory, client id and assertion"):
        token(force=True)
    file.write_text(f"{FEDERATED}2\n")
    assert token(force=True) not in ("", first)
    file.unlink()
    with pytest.raises(OperationFailed, match="the assertion of tenant 'contoso' cannot be read") as caught:
        token(force=True)
    token.close()
    assert caught.value.failure_code == "graph.unauthorized"
    assert FEDERATED not in repr(credentials) + str(caught.value) + caplog.text


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (7000222, "the client secret has expired"),
        (7000215, "the client secret is wrong"),
        (700027, "the client certificate is not this app's"),
        (90002, "there is no such tenant in this cloud"),
        (53003, "conditional access blocks the app"),
        (530033, "conditional access demands a device"),
        (65001, "nobody has consented"),
        (900382, "the app or the scope belongs to another cloud"),
        (50105, "check directory, client id and secret"),
        (70002, "check directory, client id and secret"),  # the beginning of another number
    ],
)
def test_a_refusal_says_what_to_do(simulator: Simulator, number: int, told: str) -> None:
    simulator.tenant("contoso").sign_in_refusal = number
    line = refused(simulator, AppCredentials(directory_id("contoso"), CLIENT_ID, secret("contoso")))
    assert f"AADSTS{number}): {told}" in line
