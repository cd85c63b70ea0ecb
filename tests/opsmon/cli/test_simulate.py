"""`opsmon simulate`: what it prints, what it serves, its end, its errors."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from opsmon.cli.commands import simulate
from tests.opsmon.conftest import Cli
from tests.support.waiting import HANG

POLICY = {"@odata.type": "#microsoft.graph.windows10CompliancePolicy", "displayName": "BitLocker", "id": "1"}

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the program where neither settings nor a database can be read."""
    (tmp_path / "opsmon.toml").write_text("no toml at all")
    settings = {"OPSMON_CONFIG": str(tmp_path / "opsmon.toml"), "OPSMON_DATABASE_URL": "nonsense"}
    with ExitStack() as stack:

        def run(*arguments: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "opsmon", "simulate", "--port", "0", *arguments]
            child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **settings})
            stack.enter_context(child)
            stack.callback(child.kill)
            return child

        yield run


def read_block(child: subprocess.Popen[str], last: str) -> list[str]:
    """Its lines, until one begins with `last`."""
    assert child.stdout
    found: list[str] = []
    while not (found and found[-1].startswith(last)):
        line = child.stdout.readline()
        assert line, found
        found.append(line.rstrip("\n"))
    return found


def sign_in(url: str, credentials: Mapping[str, str], scope: str) -> str:
    form = {"grant_type": "client_credentials", "scope": f"{scope}/.default"}
    form |= {key: credentials[key] for key in ("client_id", "client_secret")}
    answer = httpx.post(f"{url}/{credentials['directory_id']}/oauth2/v2.0/token", data=form)
    return str(answer.json()["access_token"])


@pytest.mark.worker
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_it_prints_for_opsmon_toml_signs_in(start: Start, number: signal.Signals) -> None:
    child = start("--tenant", "fabrikam=seed:7,policies:23,groups:3,cloud:gcc_high", "--synthetic")
    lines = read_block(child, "fabrikam: ")
    assert lines[0].endswith("until ctrl+c. For opsmon.toml:")
    assert lines[-2:] == ["contoso: 300 policies, 24 groups", "fabrikam: 23 policies, 3 groups"]
    config = tomllib.loads("\n".join(lines[1:-2]))
    url = config["graph_url"]
    assert config["graph_authority"] == url
    assert "cloud" not in config["credentials"]["contoso"]
    assert config["credentials"]["fabrikam"]["cloud"] == "gcc_high"
    token = sign_in(url, config["credentials"]["fabrikam"], "https://graph.microsoft.us")
    groups = httpx.get(f"{url}/v1.0/groups", headers={"Authorization": f"Bearer {token}"}).json()["value"]
    assert len(groups) == 3
    child.send_signal(number)
    assert child.wait(HANG) == 0


@pytest.mark.worker
def test_as_json_it_tells_what_became_of_a_folder_in_one_line(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "Contoso Export (2026)"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps([POLICY, POLICY]))
    (folder / "b.json").write_text("{")
    (folder / "c.json").write_text('{"@odata.type": "#microsoft.graph.other"}')
    child = start(str(folder), "--json", "--fault", '{"path": "/deviceCompliancePolicies", "status": 418}')
    assert child.stdout
    found = json.loads(child.stdout.readline())
    (tenant,) = found["tenants"]
    assert (tenant["slug"], tenant["policies"], tenant["groups"]) == ("contoso-export-2026", 1, 0)
    report = tenant["folder"]
    assert (report["files"], report["kept"]) == (3, {"compliance_policies": 1})
    assert report["doubled"] == {"compliance_policies": 1}
    assert report["unknown"] == {"other": 1}
    assert report["failed"] == [["b.json", "not JSON at line 1"]]
    token = sign_in(found["url"], tenant, "https://graph.microsoft.com")
    address = f"{found['url']}/beta/deviceManagement/deviceCompliancePolicies"
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(address, headers=headers).status_code == 418
    assert [one["id"] for one in httpx.get(address, headers=headers).json()["value"]] == ["1"]


@pytest.mark.worker
def test_a_folder_is_told_for_people_too(start: Start, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(POLICY))
    (tmp_path / "b.json").write_text("{")
    child = start("--tenant", f"f=folder:{tmp_path}")
    assert read_block(child, "f: failed")[-3:] == [
        "f: read: 1 of 2 files",
        "f: kept: 1 (1 compliance policies)",
        "f: failed: b.json: not JSON at line 1",
    ]


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["/nowhere/at/all"], "/nowhere/at/all is no folder: give a folder of exported JSON"),
        (["--port", "65536"], "'65536' is no port: give a whole number from 0, which takes a free one, to 65535"),
        (["--port", "x"], "'x' is no port: give a whole number from 0, which takes a free one, to 65535"),
        (["--tenant", "a=", "--tenant", "a="], "tenant 'a' is there twice: name each once"),
        (["--synthetic", "--tenant", "contoso="], "tenant 'contoso' is there twice: name each once"),
        (["--fault", "{"], '\'{\' is no fault: write {"path": "/x", "status": 403}'),
        (["--tenant", "a=cloud:moon"], "'moon' is no cloud: set cloud to one of global, gcc_high, dod, china"),
        (["--synthetik"], "there is no argument '--synthetik' here: did you mean '--synthetic'?"),
    ],
)
def test_nonsense_is_refused_in_one_line(cli: Cli, argv: list[str], line: str) -> None:
    answer = cli("simulate", *argv)
    assert (answer.code, answer.line) == (2, f"opsmon: {line}")


def test_a_port_that_is_taken_is_one_line_and_leaves_the_signals_as_they_were(cli: Cli) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = cli("simulate", "--port", str(port), "--tenant", "a=policies:1,groups:0")
    assert answer.code == 1
    assert answer.line.startswith(f"opsmon: cannot listen on port {port} (")
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


@pytest.mark.parametrize(
    ("folder", "slug"), [("Contoso GmbH", "contoso-gmbh"), ("__x", "x"), ("é", "folder"), ("a" * 90, "a" * 60)]
)
def test_a_folders_name_becomes_the_tenants(folder: str, slug: str) -> None:
    assert simulate._slug(f"/exports/{folder}") == slug
