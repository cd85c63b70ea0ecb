"""Settings: where each comes from, what is refused, and what `opsmon config` shows of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opsmon import settings
from opsmon.app import make_look
from opsmon.cli.commands.config import masked
from opsmon.settings import MASK, SETTINGS, load
from store.errors import InputInvalid
from tests.opsmon.conftest import Cli


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No opsmon.toml lies where the tests happen to be run, and nothing is set."""
    for setting in SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def shown(cli: Cli) -> dict[str, dict[str, Any]]:
    answer = cli("config", "--json")
    assert (answer.code, answer.err) == (0, "")
    return {line["key"]: line for line in answer.json}


# ---- sources


def test_defaults(cli: Cli, tmp_path: Path) -> None:
    lines = shown(cli)
    assert list(lines) == [setting.key for setting in SETTINGS]
    assert {line["source"] for line in lines.values()} == {"default"}
    assert lines["worker_slots"] == {
        "key": "worker_slots",
        "value": 4,
        "source": "default",
        "variable": "OPSMON_WORKER_SLOTS",
    }
    assert lines["database_url"]["value"].startswith("sqlite:///")
    assert lines["database_url"]["value"].endswith("/opsmon/opsmon.db")
    assert str(tmp_path / "home") in lines["database_url"]["value"]


def test_environment_over_file_over_default(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("opsmon.toml").write_text('worker_slots = 7\nbeat_seconds = 2\ngraph_url = "https://file"\n')
    monkeypatch.setenv("OPSMON_WORKER_SLOTS", "9")
    lines = shown(cli)
    told = {
        key: (lines[key]["value"], lines[key]["source"]) for key in ("worker_slots", "beat_seconds", "poll_seconds")
    }
    assert told == {
        "worker_slots": (9, "OPSMON_WORKER_SLOTS"),
        "beat_seconds": (2.0, "opsmon.toml"),
        "poll_seconds": (1.0, "default"),
    }
    assert lines["graph_url"]["value"] == "https://file"


def test_an_empty_variable_says_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMON_WORKER_SLOTS", "")
    assert shown(cli)["worker_slots"]["source"] == "default"


def test_the_file_is_named_or_here_or_in_the_config_folder(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "_config_folder", lambda: tmp_path / "config")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "opsmon.toml").write_text("worker_slots = 1")
    assert shown(cli)["worker_slots"]["value"] == 1
    Path("opsmon.toml").write_text("worker_slots = 2")
    assert shown(cli)["worker_slots"]["value"] == 2
    (tmp_path / "named.toml").write_text("worker_slots = 3")
    monkeypatch.setenv("OPSMON_CONFIG", str(tmp_path / "named.toml"))
    assert shown(cli)["worker_slots"] == {
        "key": "worker_slots",
        "value": 3,
        "source": str(tmp_path / "named.toml"),
        "variable": "OPSMON_WORKER_SLOTS",
    }


# ---- what is refused


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("worker_slot = 3", "opsmon.toml sets 'worker_slot', which is no setting: did you mean 'worker_slots'?"),
        ("xyzzy = 3", "opsmon.toml sets 'xyzzy', which is no setting: 'opsmon config' shows the known ones"),
        ("worker_slots = 0", "worker_slots in opsmon.toml cannot be 0: give at least 1"),
        ("worker_slots = true", "worker_slots in opsmon.toml cannot be True: give a number"),
        ("worker_slots = [1]", "worker_slots in opsmon.toml cannot be [1]: give a number"),
        ('worker_slots = "many"', "worker_slots in opsmon.toml cannot be 'many': give a whole number"),
        ("worker_slots = 2.5", "worker_slots in opsmon.toml cannot be 2.5: give a whole number"),
        ("graph_url = 3", "graph_url in opsmon.toml cannot be 3: give a text"),
        ("beat_seconds = inf", "beat_seconds in opsmon.toml cannot be inf: give at least 0.05"),
        ("credentials = 3", "'credentials' in opsmon.toml is not a table: write [credentials.SLUG]"),
        (
            "[credentials.contoso]\nsecret = 'x'",
            "[credentials.contoso] in opsmon.toml sets 'secret': known texts: directory_id, client_id,"
            " delegated_client_id, cloud, client_secret, client_secret_file, client_secret_command,"
            " client_certificate_file, client_assertion_file, client_assertion_command,"
            " client_certificate_password_file, client_certificate_password_command",
        ),
    ],
)
def test_a_file_that_cannot_be_used(cli: Cli, text: str, line: str) -> None:
    Path("opsmon.toml").write_text(text)
    for argv in (["config"], ["runs"]):
        answer = cli(*argv)
        assert (answer.code, answer.line) == (2, f"opsmon: {line}")


def test_a_file_that_cannot_be_read(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("opsmon.toml").write_text("a = = b")
    assert cli("config").line.startswith("opsmon: opsmon.toml is not TOML: ")
    Path("opsmon.toml").write_bytes(b"\xff\xfe")
    assert cli("config").line.startswith("opsmon: opsmon.toml is not TOML: ")
    monkeypatch.setenv("OPSMON_CONFIG", "/nowhere/opsmon.toml")
    answer = cli("config")
    assert answer.code == 2
    assert answer.line.startswith("opsmon: cannot read /nowhere/opsmon.toml (No such file or directory): ")


@pytest.mark.parametrize("given", ["x", "-1", "0", "1.5", "nan"])
def test_a_variable_that_cannot_be_used(cli: Cli, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("OPSMON_WORKER_SLOTS", given)
    answer = cli("runs")
    assert answer.code == 2
    assert answer.line.startswith(f"opsmon: OPSMON_WORKER_SLOTS cannot be '{given}': give ")


# ---- credentials


def test_credentials_are_the_tenants_own(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("opsmon.toml").write_text(
        "[credentials.contoso-ltd]\ndirectory_id = 'd'\nclient_id = 'c'\nclient_secret_command = 'echo from-command'\n"
    )
    found = settings.load()
    assert found.credentials("fabrikam") is None
    assert found.credentials("contoso-ltd") == {
        "directory_id": "d",
        "client_id": "c",
        "client_secret": "from-command",
    }
    Path("secret").write_text("from-file\n")
    monkeypatch.setenv("OPSMON_CREDENTIALS_FABRIKAM_CLIENT_ID", "f")
    monkeypatch.setenv("OPSMON_CREDENTIALS_FABRIKAM_CLIENT_SECRET_FILE", "secret")
    with pytest.raises(InputInvalid, match="the credentials of tenant 'fabrikam' lack directory_id"):
        found.credentials("fabrikam")
    monkeypatch.setenv("OPSMON_CREDENTIALS_FABRIKAM_DIRECTORY_ID", "g")
    given = found.credentials("fabrikam")
    assert given
    assert given["client_secret"] == "from-file"
    assert "from-command" not in repr(found)


def test_a_secret_that_cannot_be_read() -> None:
    Path("opsmon.toml").write_text(
        "[credentials.a]\ndirectory_id = 'd'\nclient_id = 'c'\nclient_secret_file = '/nowhere/secret'\n"
        "[credentials.b]\ndirectory_id = 'd'\nclient_id = 'c'\nclient_secret_command = 'exit 3'\n"
        "[credentials.c]\ndirectory_id = 'd'\nclient_id = 'c'\n"
    )
    found = settings.load()
    for slug, kind in (("a", "FileNotFoundError"), ("b", "CalledProcessError")):
        with pytest.raises(InputInvalid, match=f"the secret of tenant '{slug}' cannot be read .{kind}"):
            found.credentials(slug)
    with pytest.raises(InputInvalid, match="lack one of client_secret, client_secret_file, "):
        found.credentials("c")


# ---- what is shown


def test_secrets_are_masked(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("opsmon.toml").write_text(
        "[credentials.contoso-ltd]\nclient_id = 'an-id'\nclient_secret = 'hunter2'\n"
        "client_secret_command = 'curl -H \"Authorization: Bearer hunter2hunter2\"'\n"
    )
    monkeypatch.setenv("OPSMON_CREDENTIALS_CONTOSO_LTD_DIRECTORY_ID", "a-directory")
    monkeypatch.setenv("OPSMON_CREDENTIALS_FABRIKAM_CLIENT_SECRET", "hunter2")
    monkeypatch.setenv("OPSMON_CREDENTIALS_FABRIKAM_CLIENT_SECRET_FILE", "/run/secrets/fabrikam")
    monkeypatch.setenv("OPSMON_DATABASE_URL", "postgresql://me:hunter2@db/opsmon")
    monkeypatch.setenv("OPSMON_GRAPH_URL", "https://me:hunter2@graph")
    lines = shown(cli)
    told = {key: line["value"] for key, line in lines.items() if key.startswith("credentials.")}
    assert told == {
        "credentials.contoso-ltd.client_id": "an-id",
        "credentials.contoso-ltd.client_secret": MASK,
        "credentials.contoso-ltd.client_secret_command": f"curl {MASK}",
        "credentials.contoso-ltd.directory_id": "a-directory",
        "credentials.fabrikam.client_secret": MASK,
        "credentials.fabrikam.client_secret_file": "/run/secrets/fabrikam",
    }
    assert lines["credentials.contoso-ltd.directory_id"]["source"] == "OPSMON_CREDENTIALS_CONTOSO_LTD_DIRECTORY_ID"
    assert lines["credentials.contoso-ltd.client_id"]["variable"] == "OPSMON_CREDENTIALS_CONTOSO_LTD_CLIENT_ID"
    assert lines["database_url"]["value"] == f"postgresql://me:{MASK}@db/opsmon"
    assert lines["graph_url"]["value"] == f"https://me:{MASK}@graph"
    plain = cli("config").out
    assert "hunter2" not in plain + str(lines)
    assert plain.splitlines()[0].split() == ["SETTING", "VALUE", "FROM", "VARIABLE"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me@db/x", "postgresql://me@db/x"),
        ("me:hunter2@db/x", MASK),
        ("postgresql://me:p@ss:w/rd@db/x", f"postgresql://me:{MASK}@db/x"),
        ("postgresql://me:p?a=b#c@db/x", f"postgresql://me:{MASK}@db/x"),
        ("postgresql://:hunter2@db/x", f"postgresql://:{MASK}@db/x"),
        (
            "postgresql://db/x?user=me&password=hunter2&sslmode=require",
            f"postgresql://db/x?user=me&password={MASK}&sslmode=require",
        ),
        ("postgresql://db/x?sslpassword=hunter2", f"postgresql://db/x?sslpassword={MASK}"),
        ("postgresql://db/x?apikey2=hunter2&sslmode=require", f"postgresql://db/x?apikey2={MASK}&sslmode=require"),
        ("postgresql://db/x?pass%77ord=hunter2&port=1", f"postgresql://db/x?pass%77ord={MASK}&port=1"),
        ("postgresql://db/x?options=-cmy.secret%3Dhunter2", f"postgresql://db/x?options={MASK}"),
        ("postgresql://db/x?hunter2", f"postgresql://db/x?{MASK}"),
        ("https://graph/v1?sig=hunter2#hunter2", f"https://graph/v1?sig={MASK}#{MASK}"),
        ("postgresql://db/x?SSLMODE=hunter2", f"postgresql://db/x?SSLMODE={MASK}"),
        ("postgresql://postgres@/x?host=/var/run/a@b", "postgresql://postgres@/x?host=/var/run/a@b"),
        ("postgresql://me:hunter2@/x?host=/var/run/a@b", f"postgresql://me:{MASK}@b"),
        (
            "sqlite:////home/me/A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6/opsmon.db",
            "sqlite:////home/me/A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6/opsmon.db",
        ),
    ],
)
def test_of_a_url_only_what_is_known_to_be_harmless_is_shown(url: str, shown: str) -> None:
    assert masked("database_url", url) == shown


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[keys]\nretry = ""', "is not a table of texts"),
        ("[keys]\nretry = 7", "is not a table of texts"),
        ('keys = "x"', "is not a table of texts"),
        ('ascii = "maybe"', "give one of auto, yes, no"),
        ('mouse = "on"', "give one of yes, no"),
        ('terminal_notifications = "loud"', "give one of off, bell, osc9, osc777, osc99"),
        ("mouse = true", "give a text"),
    ],
)
def test_what_the_screens_cannot_use_is_one_line(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "opsmon.toml"
    file.write_text(text)
    with pytest.raises(InputInvalid, match=r"\A[^\n]+\Z") as caught:
        load({}, file)
    assert told in str(caught.value)


def test_keys_and_looks_are_settings(tmp_path: Path) -> None:
    file = tmp_path / "opsmon.toml"
    file.write_text('theme = "ansi-dark"\nmouse = "no"\n[keys]\nretry = "ctrl+r"\n')
    settings = load({"OPSMON_TERMINAL_NOTIFICATIONS": "bell"}, file)
    look = make_look(settings)
    assert (look.theme, dict(look.keys), look.notify_by) == ("ansi-dark", {"retry": "ctrl+r"}, "bell")
    assert settings.mouse == "no"


@pytest.mark.parametrize(
    ("text", "told"), [('theme = "pink"', "there is no theme 'pink'"), ('[keys]\nfly = "f"', "[keys] sets 'fly'")]
)
def test_a_theme_or_a_key_that_there_is_not(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "opsmon.toml"
    file.write_text(text)
    with pytest.raises(InputInvalid, match=r"\A[^\n]+\Z") as caught:
        make_look(load({}, file))
    assert told in str(caught.value)
