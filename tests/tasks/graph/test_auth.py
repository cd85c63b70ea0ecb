"""The app's sign-in through msal, against the simulator's authority."""

from __future__ import annotations

from dataclasses import replace

import pytest

from store.errors import OperationFailed
from tasks.graph.auth import AppCredentials, AppToken
from tasks.graph.simulator import CLIENT_ID, Fault, Simulator, directory_id, secret
from tasks.graph.transport import is_loopback


def refused(credentials: AppCredentials, authority: str) -> OperationFailed:
    token = AppToken(credentials, authority)
    try:
        with pytest.raises(OperationFailed) as caught:
            token()
    finally:
        token.close()
    return caught.value


def test_a_token_is_asked_for_once(simulator: Simulator, token: AppToken) -> None:
    assert token() == token()
    assert sum(path.endswith("/token") for _, path, _ in simulator.requests) == 1


def test_force_gets_another(token: AppToken) -> None:
    assert token() != token(force=True)


def test_a_wrong_secret_is_unauthorized_and_not_shown(simulator: Simulator) -> None:
    error = refused(AppCredentials(directory_id("contoso"), CLIENT_ID, "hunter2-hunter2"), simulator.url)
    assert error.failure_code == "graph.unauthorized"
    assert "hunter2" not in str(error)


def test_an_unknown_directory_is_unauthorized(simulator: Simulator) -> None:
    error = refused(AppCredentials(directory_id("nobody"), CLIENT_ID, secret("nobody")), simulator.url)
    assert error.failure_code == "graph.unauthorized"


def test_an_authority_that_is_not_there_is_unavailable() -> None:
    error = refused(AppCredentials(directory_id("contoso"), CLIENT_ID, secret("contoso")), "http://127.0.0.1:9")
    assert error.failure_code == "graph.unavailable"


@pytest.mark.parametrize("where", ["/openid-configuration", "/token"])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(status=429), "graph.throttled"),
        (Fault(status=503), "graph.unavailable"),
        (Fault(break_off=True), "graph.unavailable"),
        (Fault(status=400), "graph.unauthorized"),
        (Fault(status=200), "graph.unauthorized"),
    ],
)
def test_a_sign_in_service_in_trouble_is_told_in_our_words(
    simulator: Simulator, caplog: pytest.LogCaptureFixture, where: str, fault: Fault, code: str
) -> None:
    simulator.faults.add(replace(fault, path=where, count=None))
    error = refused(AppCredentials(directory_id("contoso"), CLIENT_ID, secret("contoso")), simulator.url)
    assert error.failure_code == code
    for inside in ("manage.microsoft.com", "Operation ID", "{"):
        assert inside not in str(error) + caplog.text


def test_after_trouble_the_next_sign_in_works(simulator: Simulator, token: AppToken) -> None:
    simulator.faults.add(Fault("/token", status=503))
    with pytest.raises(OperationFailed):
        token()
    assert token()


def test_microsofts_number_for_the_reason_is_told(simulator: Simulator) -> None:
    error = refused(AppCredentials(directory_id("contoso"), CLIENT_ID, "wrong"), simulator.url)
    assert "invalid_client, AADSTS7000215" in str(error)


def test_no_credentials_name_where_they_go() -> None:
    with pytest.raises(OperationFailed, match=r"\[credentials.contoso\]"):
        AppCredentials.from_settings("contoso", lambda _: None)


def test_a_secret_shows_in_no_representation() -> None:
    assert "hush" not in repr(AppCredentials("d", "c", "hush"))


def test_what_is_this_machine() -> None:
    for here in ("http://127.0.0.1:8080/x", "http://localhost", "https://[::1]:1"):
        assert is_loopback(here)
    for there in ("http://127.0.0.1.example.org", "http://localhost.example.org", "http://[::1", "", "http://10.0.0.1"):
        assert not is_loopback(there)


def test_plain_http_is_for_this_machine_alone() -> None:
    token = AppToken(AppCredentials("d", "c", "s"), "http://graph.example.org")
    assert token._http._address("https://graph.example.org/x") == "https://graph.example.org/x"
    token.close()
