"""Credentials in the settings: which keys go together, what is refused at the start, and what `opsmon config` shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from opsmon.settings import MASK, SETTINGS, load
from store.errors import InputInvalid
from tests.opsmon.conftest import Cli

IDS = "[credentials.contoso]\ndirectory_id = 'd'\nclient_id = 'c'\n"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No opsmon.toml lies where the tests happen to be run, and nothing is set."""
    for setting in SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def refused(text: str) -> str:
    """What is said when the credentials are asked for; one line."""
    Path("opsmon.toml").write_text(IDS + text)
    with pytest.raises(InputInvalid, match=r"\A[^\n]+\Z") as caught:
        load({}).credentials("contoso")
    return str(caught.value)


def test_a_certificate_is_a_path_and_perhaps_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    Path("password").write_bytes(b" with a space \r\n")
    text = "client_certificate_file = '~/c.pem'\ndelegated_client_id = 'p'\ncloud = 'dod'\n"
    found = {
        "directory_id": "d",
        "client_id": "c",
        "delegated_client_id": "p",
        "cloud": "dod",
        "client_certificate_file": str(tmp_path / "c.pem"),
    }
    Path("opsmon.toml").write_text(IDS + text)
    assert load({}).credentials("contoso") == found
    for password in ("_file = 'password'", "_command = 'cat password'"):
        Path("opsmon.toml").write_text(f"{IDS}{text}client_certificate_password{password}\n")
        assert load({}).credentials("contoso") == found | {"client_certificate_password": " with a space "}


def test_an_assertion_is_read_when_it_is_needed() -> None:
    Path("opsmon.toml").write_text(IDS + "client_assertion_command = 'cat hunter2'\n")
    found = load({}).credentials("contoso")
    assert found
    assert "hunter2" not in repr(found)
    with pytest.raises(InputInvalid, match=r"the assertion of tenant 'contoso' cannot be read .CalledProcessError.: "):
        found["client_assertion"]()
    for text in ("one", "two"):
        Path("hunter2").write_text(f"{text}\n")
        assert found["client_assertion"]() == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "",
            "lack one of client_secret, client_secret_file, client_secret_command, client_certificate_file,"
            " client_assertion_file, client_assertion_command: set it under [credentials.contoso]",
        ),
        (
            "client_secret_file = 'x'\nclient_certificate_file = 'y'",
            "name client_secret_file and client_certificate_file: keep one of them",
        ),
        (
            "client_secret = 'hunter2'\nclient_secret_command = 'y'",
            "name client_secret and client_secret_command: keep one of them",
        ),
        (
            "client_certificate_file = 'x'\nclient_certificate_password_file = 'y'\n"
            "client_certificate_password_command = 'z'",
            "name client_certificate_password_file and client_certificate_password_command: keep one of them",
        ),
        (
            "client_secret_file = 'x'\nclient_certificate_password_file = 'y'",
            "name client_certificate_password_file without client_certificate_file: "
            "set it under [credentials.contoso], or remove the password",
        ),
    ],
)
def test_exactly_one_way_to_sign_in(text: str, told: str) -> None:
    line = refused(text)
    assert line == f"the credentials of tenant 'contoso' {told}"
    assert "hunter2" not in line


def test_a_password_that_is_empty_or_cannot_be_read() -> None:
    certificate = "client_certificate_file = 'x'\nclient_certificate_password"
    assert "certificate's password of tenant 'contoso' is empty" in refused(f"{certificate}_command = 'true'")
    assert "certificate's password of tenant 'contoso' cannot be read (FileN" in refused(f"{certificate}_file = '/no'")


def test_a_password_never_stands_in_the_file(cli: Cli) -> None:
    Path("opsmon.toml").write_text(IDS + "client_certificate_password = 'hunter2'\n")
    answer = cli("config")
    assert answer.code == 2
    assert "sets 'client_certificate_password'" in answer.line
    assert "hunter2" not in answer.line


# ---- clouds


@pytest.mark.parametrize(
    ("before", "cloud", "told"),
    [
        ("", "mars", "tenant 'contoso': 'mars' is no cloud: set cloud to one of global, gcc_high, dod, china"),
        (
            "graph_url = 'https://graph.microsoft.com'",
            "gcc_high",
            "tenant 'contoso': graph_url is an address of the cloud global, and the tenant's cloud is gcc_high:"
            " set the tenant's cloud, or leave graph_url empty",
        ),
        (
            "graph_authority = 'https://login.microsoftonline.us'",
            "",
            "tenant 'contoso': graph_authority is an address of the cloud gcc_high or dod, and the tenant's cloud is"
            " global: set the tenant's cloud, or leave graph_authority empty",
        ),
    ],
)
def test_a_mix_of_clouds_is_refused_at_the_start(cli: Cli, before: str, cloud: str, told: str) -> None:
    Path("opsmon.toml").write_text(f"{before}\n{IDS}" + (f"cloud = '{cloud}'\n" if cloud else ""))
    for argv in (["config"], ["runs"]):
        answer = cli(*argv)
        assert (answer.code, answer.line) == (2, f"opsmon: {told}")


@pytest.mark.worker
def test_a_worker_does_not_start_with_a_mix() -> None:
    Path("opsmon.toml").write_text(f"graph_url = 'https://graph.microsoft.us'\n{IDS}")
    command = [sys.executable, "-m", "opsmon", "worker"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("opsmon: tenant 'contoso': graph_url is an address of the cloud gcc_high, and ")
    assert done.stderr.count("\n") == 1


def test_a_mix_from_the_environment_is_refused_too() -> None:
    environment = {"OPSMON_CREDENTIALS_CONTOSO_LTD_CLOUD": "china", "OPSMON_GRAPH_URL": "https://graph.microsoft.us"}
    with pytest.raises(InputInvalid, match="tenant 'contoso-ltd': graph_url is an address of the cloud gcc_high"):
        load(environment)
    # The simulator, or a proxy, is of no cloud.
    assert load(environment | {"OPSMON_GRAPH_URL": "http://127.0.0.1:1"}).graph_url == "http://127.0.0.1:1"


# ---- what is shown


def test_addresses_are_of_the_tenants_cloud_unless_they_are_set(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (load({}).graph_url, load({}).graph_authority) == ("", "")
    monkeypatch.setenv("OPSMON_GRAPH_AUTHORITY", "http://127.0.0.1:1")
    lines = {line["key"]: (line["value"], line["source"]) for line in cli("config", "--json").json}
    assert lines["graph_url"] == ("of the tenant's cloud", "default")
    assert lines["graph_authority"] == ("http://127.0.0.1:1", "OPSMON_GRAPH_AUTHORITY")


def test_of_a_command_only_the_program_is_shown(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("opsmon.toml").write_text(
        f"{IDS}client_certificate_file = '/etc/c.pfx'\nclient_certificate_password_command = 'pass hunter2'\n"
    )
    monkeypatch.setenv("OPSMON_CREDENTIALS_FABRIKAM_CLIENT_ASSERTION_COMMAND", "token --key hunter2")
    monkeypatch.setenv("OPSMON_CREDENTIALS_FABRIKAM_DELEGATED_CLIENT_ID", "p")
    answer = cli("config", "--json")
    shown = {line["key"]: line["value"] for line in answer.json if line["key"].startswith("credentials.")}
    assert shown == {
        "credentials.contoso.directory_id": "d",
        "credentials.contoso.client_id": "c",
        "credentials.contoso.client_certificate_file": "/etc/c.pfx",
        "credentials.contoso.client_certificate_password_command": f"pass {MASK}",
        "credentials.fabrikam.client_assertion_command": f"token {MASK}",
        "credentials.fabrikam.delegated_client_id": "p",
    }
    assert "hunter2" not in answer.out
