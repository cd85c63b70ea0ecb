"""The app's sign-in through msal, against the simulator's authority."""

from __future__ import annotations

import pytest

from store.errors import OperationFailed
from tasks.graph.credentials import AppCredentials, AppToken
from tasks.graph.simulator import CLIENT_ID, Simulator, directory_id, secret


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


def test_no_credentials_name_where_they_go() -> None:
    with pytest.raises(OperationFailed, match=r"\[credentials.contoso\]"):
        AppCredentials.from_settings("contoso", None)


def test_a_secret_shows_in_no_representation() -> None:
    assert "hush" not in repr(AppCredentials("d", "c", "hush"))


def test_plain_http_is_for_this_machine_alone() -> None:
    token = AppToken(AppCredentials("d", "c", "s"), "http://graph.example.org")
    assert token._http._address("https://graph.example.org/x") == "https://graph.example.org/x"
    token.close()
