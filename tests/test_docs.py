"""The documents are followed: their commands, settings, units and SQL are taken from the pages and tried."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
import pytest

from opsmon import doctor, settings, tenant_doctor
from opsmon.cli.main import main
from opsmon.cli.parser import parse
from opsmon.credentials import CREDENTIAL_KEYS
from opsmon.login import login_name
from opsmon.settings import SETTINGS, Setting
from opsmon.tenant_doctor import missing_findings
from store import schema
from store.db.engine import Database
from store.errors import InputInvalid
from store.intune.restore_records import TICKS
from store.model.records import Counts, Outcome, Run, Status
from store.model.tables import ACTIONS, CHANGES, COMPLETENESS, RESTORE_STATES, RESULTS
from store.people.admin import Administrator
from store.runs import lifecycle, restore_states
from tasks.backup_folder import Manifest, write
from tasks.graph.checkup import SUBJECTS, ReadCheck, Result
from tasks.graph.clouds import CLOUDS
from tasks.graph.resources import KINDS
from tasks.graph.simulator import CLIENT_ID, Fault, SimulatedTenant, Simulator, directory_id, secret, synthetic
from tasks.sdk.registry import load_registry
from tests.support.databases import unused_name
from tests.support.postgres import Server
from tests.support.shared import Shared
from tests.support.waiting import HANG, wait_for
from tests.support.worker import WorkerProcess, plugins
from tests.tasks.backup_folder.bodies import item
from tests.tasks.operations.cases import assigned, typed

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
OPERATION = ROOT / "docs" / "writing-an-operation.md"
QUICKSTART = ROOT / "docs" / "quickstart.md"
SIMULATOR = ROOT / "docs" / "simulator.md"
DEPLOYMENT = ROOT / "docs" / "deployment.md"
PERMISSIONS = ROOT / "docs" / "permissions.md"
BACKUPS = ROOT / "docs" / "backups.md"
DRIFT = ROOT / "docs" / "drift.md"
RESTORE = ROOT / "docs" / "restore.md"
CREDENTIALS = ROOT / "docs" / "credentials.md"


# ---- the pages


@dataclass(frozen=True)
class Block:
    """A block of code. Without fences its language is empty."""

    language: str
    text: str


_FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)((?: {4}.*\n|\n(?= {4}))+)")


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    fenced = [Block(language, textwrap.dedent(body)) for _, language, body in _FENCED.findall(text)]
    return fenced + [Block("", textwrap.dedent(body)) for body in _INDENTED.findall(_FENCED.sub("", text))]


def in_language(page: Path, language: str) -> list[str]:
    return [block.text for block in blocks(page) if block.language == language]


def is_toml(block: Block) -> bool:
    if block.language:
        return block.language == "toml"
    try:
        return bool(tomllib.loads(block.text))
    except tomllib.TOMLDecodeError:
        return False


# ---- commands

#: What may stand before `opsmon`, besides variables.
_BEFORE = {"exec", "sudo", "env", "watch", "runuser"}


def command_in(line: str) -> list[str] | None:
    """The arguments of the opsmon that a line calls, None when it calls none."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # no shell's line
        return None
    for number, word in enumerate(words):
        if re.fullmatch(r"(\S*/bin/)?opsmon", word) and all(map(_goes_before, _pairs(words[:number]))):
            ends = (at for at, later in enumerate(words) if at > number and later in {"|", "&&", "||", ";", ">", "&"})
            found = words[number + 1 : next(ends, None)]
            return None if found == ["$@"] else found
    return None


def _pairs(words: list[str]) -> Iterator[str]:
    """The words, of which `-u USER` is one."""
    rest = iter(words)
    for word in rest:
        yield f"{word} {next(rest, '')}" if word == "-u" else word


def _goes_before(word: str) -> bool:
    return word in _BEFORE or re.match(r"--?\w*$|-u \w|[A-Z_]+=", word) is not None


def commands(page: Path) -> list[list[str]]:
    lines = [
        line
        for block in blocks(page)
        if not is_toml(block) and block.language not in ("text", "python", "sql", "ini")
        for line in block.text.splitlines()
    ]
    return [found for line in lines if (found := command_in(line)) is not None]


def mentioned(page: Path) -> list[list[str]]:
    """Commands in running text, which may lack what they need."""
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    spans = re.findall(r"`([^`\n]*\bopsmon [^`\n]+)`", text)
    return [found for span in spans if (found := command_in(span)) is not None]


def test_pages_are_read() -> None:
    """What is found below is there."""
    found = [" ".join(command) for page in PAGES for command in commands(page)]
    assert {"db upgrade", "users list", "tenants add contoso --name Contoso Ltd", "queue pause", "doctor"} <= {*found}
    assert ["retry", "17", "18", "--dry-run"] in mentioned(ROOT / "docs" / "screens.md")
    assert ["db", "upgrade"] in mentioned(DEPLOYMENT)
    assert command_in("createdb opsmon") is None
    assert command_in("useradd --system opsmon") is None
    assert command_in("runuser -u opsmon -- /usr/local/bin/opsmon doctor | tail") == ["doctor"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_is_one(page: Path) -> None:
    for command in commands(page):
        parse(command)
    for command in mentioned(page):
        try:
            parse(command)
        except InputInvalid as error:
            if " lacks " not in error.message:
                raise


# ---- settings


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_setting_is_one(page: Path, tmp_path: Path) -> None:
    for block in filter(is_toml, blocks(page)):
        if "[project]" in block.text:
            continue
        (tmp_path / "opsmon.toml").write_text(block.text)
        found = settings.load({}, tmp_path / "opsmon.toml")
        for slug in found.credential_values:
            assert {"directory_id", "client_id"} <= found.credential_values[slug].keys(), block.text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_variable_is_one(page: Path) -> None:
    known = {setting.variable for setting in SETTINGS} | {"OPSMON_CONFIG", "OPSMON_DEBUG"}
    named = set(re.findall(r"\bOPSMON_[A-Z_]*[A-Z]", page.read_text(encoding="utf-8")))
    credential = re.compile(rf"OPSMON_CREDENTIALS_[A-Z]+_({'|'.join(map(str.upper, CREDENTIAL_KEYS))})")
    assert {name for name in named - known if not credential.fullmatch(name)} == set()


def test_the_configuration_is_looked_for_where_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = DEPLOYMENT.read_text(encoding="utf-8")
    assert "~/.config/opsmon" in text
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "user"))
    (tmp_path / "user").mkdir()
    places = [
        tmp_path / "user" / "opsmon.toml",
        Path("opsmon.toml"),
        tmp_path / "named.toml",
    ]  # the first found is last
    for number, place in enumerate(places, 1):
        place.write_text(f"worker_slots = {number}\n")
        environment = {"OPSMON_CONFIG": str(place)} if place.name == "named.toml" else {}
        found = settings.load(environment)
        assert (found.worker_slots, found.sources["worker_slots"]) == (number, str(place))


def test_the_wrapper_names_the_configuration(tmp_path: Path) -> None:
    """As everybody calls it, and as somebody who names another one."""
    (script,) = (text for text in in_language(DEPLOYMENT, "sh") if text.startswith("#!"))
    program = tmp_path / "opsmon"
    program.write_text('#!/bin/sh\necho "$OPSMON_CONFIG" "$@"\n')
    program.chmod(0o755)
    script = script.replace("/opt/opsmon/current/bin/opsmon", str(program))
    for environment, config in (({}, "/etc/opsmon/opsmon.toml"), ({"OPSMON_CONFIG": "/x"}, "/x")):
        said = subprocess.run(
            ["sh", "-c", script, "opsmon", "show", "a b"],
            env={"PATH": os.defpath, **environment}, capture_output=True, text=True, timeout=HANG, check=True,
        )  # fmt: skip
        assert said.stdout == f"{config} show a b\n"


def rows(page: Path, heading: str, count: int) -> list[list[str]]:
    """The cells of the tables with that heading of their first column, and that many columns."""
    text = page.read_text(encoding="utf-8")
    tables = re.findall(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    found = [[cell.strip() for cell in line.strip("|").split("|")] for table in tables for line in table.splitlines()]
    return [cells for cells in found if len(cells) == count]


def test_the_table_of_settings_has_every_setting_with_its_default() -> None:
    told = [(key.strip("`"), default, help_) for key, default, help_ in rows(DEPLOYMENT, "setting", 3)]
    assert told[:-2] == [(setting.key, _default(setting), setting.help) for setting in SETTINGS]
    assert [key for key, _, _ in told[-2:]] == ["[keys]", "[credentials.SLUG]"]


def _default(setting: Setting) -> str:
    if setting.default == "":
        return setting.unset
    return f"`{setting.default:g}`" if isinstance(setting.default, float) else f"`{setting.default}`"


# ---- credentials


def test_the_table_of_credentials_has_every_key_once() -> None:
    assert sorted(key.strip("`") for key, _ in rows(CREDENTIALS, "key", 2)) == sorted(CREDENTIAL_KEYS)


def test_the_examples_show_each_way_to_sign_in_and_each_is_complete(tmp_path: Path) -> None:
    """What the files and commands would hold is put in their place; everything else is read as it stands there."""
    shown: set[str] = set()
    for example in in_language(CREDENTIALS, "toml"):
        ((slug, keys),) = tomllib.loads(example)["credentials"].items()
        text = example
        (tmp_path / "held").write_text("what it holds\n")
        for key, value in keys.items():
            if key.endswith(("_file", "_command")):
                held = f"cat {tmp_path / 'held'}" if key.endswith("_command") else str(tmp_path / "held")
                text = text.replace(f'"{value}"', f'"{held}"')
        (tmp_path / "opsmon.toml").write_text(text)
        found = settings.load({}, tmp_path / "opsmon.toml").credentials(slug)
        assert found, text
        assert {"directory_id", "client_id"} < found.keys(), text
        shown |= found.keys()
    ways = {"client_secret", "client_certificate_file", "client_certificate_password", "client_assertion"}
    assert shown == ways | {"directory_id", "client_id", "cloud"}


def test_the_table_of_clouds_is_the_one_that_holds() -> None:
    told = [tuple(cell.strip("`") for cell in cells) for cells in rows(CREDENTIALS, "`cloud`", 4)]
    clouds = [(cloud.name, cloud.authority, cloud.graph_url) for cloud in CLOUDS.values()]
    assert [(name, authority, url) for name, _, authority, url in told] == clouds


# ---- permissions


def test_each_permission_is_told_with_what_it_is_for() -> None:
    told = {permission.strip("`"): labels.split(", ") for permission, labels in rows(PERMISSIONS, "permission", 2)}
    wanted: dict[str, list[str]] = {}
    for subject in SUBJECTS:
        wanted.setdefault(subject.permission, []).append(subject.label)
    assert {name: sorted(labels) for name, labels in told.items()} == {
        name: sorted(labels) for name, labels in wanted.items()
    }


def test_every_operation_of_opsmons_own_has_its_permissions_told() -> None:
    text = PERMISSIONS.read_text(encoding="utf-8")
    own = [type_ for type_, one in load_registry().operations.items() if one.function.__module__.startswith("tasks.")]
    assert len(own) >= 3
    assert [type_ for type_ in own if type_ not in text] == []


def test_what_the_doctor_says_of_a_missing_permission_stands_there_as_it_is_said() -> None:
    (shown,) = in_language(PERMISSIONS, "text")
    scripts = [subject for subject in SUBJECTS if subject.permission == "DeviceManagementScripts.Read.All"]
    (finding,) = missing_findings("contoso", [ReadCheck(subject, Result.FORBIDDEN) for subject in scripts])
    assert shown == doctor.line(finding, tenant_doctor.width(["contoso"])) + "\n"


# ---- the unit


def test_the_unit_starts_a_worker_and_gives_it_time_to_stop() -> None:
    (unit,) = in_language(DEPLOYMENT, "ini")
    values = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line)
    program, *arguments = shlex.split(values["ExecStart"])
    assert Path(program).name == "opsmon"
    assert parse(arguments).command == "worker"
    assert float(values["TimeoutStopSec"]) > settings.load({}).grace_seconds


# ---- the database


@dataclass
class Roles:
    """The owner's role and the one of everybody else, as URLs."""

    owner: str
    everybody: str


@pytest.fixture
def roles(postgres: Server) -> Iterator[Roles]:
    """The page's SQL, carried out under names that nobody else has."""
    name = unused_name()
    (page,) = in_language(DEPLOYMENT, "sql")
    outside, inside = re.sub(r"\bopsmon(?=\b|_)", name, page).split(f"\\connect {name}\n")
    try:
        _execute(postgres.url_of("postgres"), outside)
        _execute(postgres.url_of(name), inside)
        url = postgres.url_of(name)
        yield Roles(url.replace("postgres@", f"{name}_owner@"), url.replace("postgres@", f"{name}_app@"))
    finally:
        postgres.drop(name)
        _execute(postgres.url_of("postgres"), f"DROP ROLE IF EXISTS {name}_app; DROP ROLE IF EXISTS {name}_owner")


def _execute(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=HANG) as connection:
        for statement in filter(None, map(str.strip, statements.split(";"))):
            connection.execute(statement.encode())


@pytest.mark.worker
def test_the_role_of_everybody_can_do_what_people_and_workers_do(roles: Roles, tmp_path: Path) -> None:
    with closing(Database(roles.owner)) as db:
        schema.upgrade(db)
    with closing(Database(roles.everybody)) as db:
        assert schema.missing(db) == []
        Administrator(db, login_name()).add_tenant("contoso")
        assert carried_out(db, roles.everybody, tmp_path, "system.probe", "items=1").outcome is Outcome.SUCCEEDED


# ---- a tenant that is simulated


def test_every_kind_is_named_beside_a_permission() -> None:
    table = [line for line in QUICKSTART.read_text(encoding="utf-8").splitlines() if ".Read.All` |" in line]
    told = [label for line in table for label in line.split("|")[2].strip().split(", ")]
    assert sorted(told) == sorted(kind.label for kind in KINDS)


@pytest.mark.worker
def test_a_sync_of_the_simulated_tenant_reads_what_the_page_says(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (command,) = (found for found in commands(QUICKSTART) if found[:1] == ["simulate"])
    config = next(text for text in in_language(QUICKSTART, "toml") if "graph_url" in text)
    arguments = ["0" if word == "8765" else word for word in command]
    with subprocess.Popen(
        [sys.executable, "-m", "opsmon", *arguments, "--json"], cwd=ROOT, stdout=subprocess.PIPE
    ) as simulator:
        try:
            assert simulator.stdout
            url = json.loads(simulator.stdout.readline())["url"]
            monkeypatch.setenv("OPSMON_CONFIG", str(tmp_path / "opsmon.toml"))
            (tmp_path / "opsmon.toml").write_text(config.replace("http://127.0.0.1:8765", url))
            with closing(Database(sqlite_url)) as db:
                Administrator(db, login_name()).add_tenant("contoso")
                run = carried_out(db, sqlite_url, tmp_path, "inventory.sync")
        finally:
            simulator.kill()
    assert (run.outcome, run.summary_counts) == (Outcome.SUCCEEDED, Counts(300, 300))
    assert "A sync reads 300 policies." in QUICKSTART.read_text(encoding="utf-8")


def test_every_field_of_a_fault_is_told_and_the_example_is_one() -> None:
    rows = [line.split("|") for line in SIMULATOR.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert {field.name for field in fields(Fault)} <= {row[1].strip(" `") for row in rows}
    (example,) = in_language(SIMULATOR, "json")
    assert Fault.from_json(json.loads(example)).retry_after == "7"


# ---- backups


@contextmanager
def tenant_and_worker(url: str, folder: Path) -> Iterator[SimulatedTenant]:
    """The simulated tenant contoso, of which this login is owner, and a worker that reads it."""
    with closing(Database(url)) as db, Simulator([synthetic("contoso", 7, 60)]) as simulator:
        Administrator(db, login_name()).add_tenant("contoso")
        app = {"directory_id": directory_id("contoso"), "client_id": CLIENT_ID, "client_secret": secret("contoso")}
        reads: dict[str, Any] = {f"credentials_contoso_{name}": value for name, value in app.items()}
        reads |= {"graph_url": simulator.url, "graph_authority": simulator.url}
        worker = WorkerProcess(url, folder, **reads).ready()
        try:
            yield simulator.tenant("contoso")
        finally:
            worker.kill()


@pytest.fixture
def page_url(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database for the commands of a page, which are carried out in an empty folder."""
    monkeypatch.setenv("OPSMON_DATABASE_URL", sqlite_url)
    monkeypatch.chdir(tmp_path)
    return sqlite_url


@pytest.mark.worker
def test_the_commands_of_backups_do_what_the_page_says_in_its_order(
    page_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = commands(BACKUPS)
    assert len(given) > 10
    with tenant_and_worker(page_url, tmp_path):
        done = [(command, main(command), capsys.readouterr().err) for command in given]
    assert [one for one in done if one[1:] != (0, "")] == []
    (made,) = [json.loads(path.read_text()) for path in (tmp_path / "contoso-backup").glob("*.json")]
    assert (made["items"], made["name"]) == (60, "Before the change")


@pytest.mark.worker
def test_the_commands_of_drift_do_what_the_page_says_in_its_order(
    page_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *rest = commands(DRIFT)
    with tenant_and_worker(page_url, tmp_path) as tenant:
        assert main(first) == 0
        script = tenant.listed("scripts")[0]
        tenant.put("scripts", {**script, "description": "Changed"})
        done = [(command, main(command), capsys.readouterr()) for command in rest]
    assert [(code, said.err) for _, code, said in done] == [(0, "")] * len(rest)
    assert "description: " in done[-2][2].out
    assert done[-1][2].out.startswith("Finding 1 is accepted until ")


def test_every_change_of_drift_is_told() -> None:
    assert [word.strip("`") for word, _ in rows(DRIFT, "change", 2)] == list(CHANGES)


def test_every_word_of_backups_is_told() -> None:
    assert [word.strip("`") for word, _ in rows(BACKUPS, "word", 2)] == list(COMPLETENESS)
    told = {word.strip("`") for word, _ in rows(BACKUPS, "state", 2)}
    assert told == {"making", "complete", "incomplete", "unfinished"}


def test_every_key_of_a_backups_folder_is_told(tmp_path: Path) -> None:
    write(tmp_path / "out", Manifest("contoso", "nightly", None), [item("BitLocker")])
    for heading, pattern in (("key of `backup.json`", "*.json"), ("key of a policy's file", "*/*.json")):
        (made,) = (tmp_path / "out").glob(pattern)
        told = [key for cells in rows(BACKUPS, heading, 2) for key in re.findall(r"`(\w+)`", cells[0])]
        assert told == list(json.loads(made.read_text()))


# ---- restore


def everybody_may_restore_into_fabrikam(url: str) -> None:
    with closing(Database(url)) as db:
        administrator = Administrator(db, login_name())
        administrator.add_tenant("contoso", "Contoso Ltd")
        administrator.add_tenant("fabrikam", "Fabrikam Ltd")


@contextmanager
def two_tenants_and_worker(url: str, folder: Path) -> Iterator[tuple[SimulatedTenant, SimulatedTenant]]:
    """Simulated tenants contoso and fabrikam, of which this login is owner, and a worker for both. The second one is empty but
    for groups; the first has 60 policies, and one that is for Sales, but not for Pilot.
    """
    everybody_may_restore_into_fabrikam(url)
    with Simulator([synthetic("contoso", 7, 60), SimulatedTenant("fabrikam")]) as simulator:
        reads: dict[str, Any] = {"graph_url": simulator.url, "graph_authority": simulator.url}
        for slug in ("contoso", "fabrikam"):
            app = {"directory_id": directory_id(slug), "client_id": CLIENT_ID, "client_secret": secret(slug)}
            reads |= {f"credentials_{slug}_{name}": value for name, value in app.items()}
        ours, theirs = simulator.tenant("contoso"), simulator.tenant("fabrikam")
        for tenant, groups in ((ours, ("Sales", "Pilot")), (theirs, ("Verkauf",))):
            for name in groups:
                tenant.put("groups", {"id": f"g-{name.lower()}", "displayName": name, "securityEnabled": True})
        put_compliance_policy(ours, "For Sales", "g-sales")
        put_compliance_policy(ours, "For Pilot", "g-pilot")
        worker = WorkerProcess(url, folder, **reads).ready()
        try:
            yield ours, theirs
        finally:
            worker.kill()


def put_compliance_policy(tenant: SimulatedTenant, name: str, group: str) -> None:
    made = assigned(group)
    made["target"] |= {
        "deviceAndAppManagementAssignmentFilterId": None, "deviceAndAppManagementAssignmentFilterType": "none",
    }  # fmt: skip
    body = typed(
        "windows10CompliancePolicy",
        displayName=name,
        description="As it was",
        roleScopeTagIds=["0"],
        assignments=[made],
    )
    tenant.put("compliance_policies", body)


@pytest.mark.worker
def test_the_commands_of_restore_do_what_the_page_says_in_its_order(
    page_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = commands(RESTORE)
    assert len(given) > 20
    done = []
    with two_tenants_and_worker(page_url, tmp_path) as (_, theirs):
        for command in given:
            if command[-1] == "--update" and command[2] == "1":  # somebody has changed what was restored
                (policy,) = [one for one in theirs.listed("compliance_policies") if one["displayName"] == "For Sales"]
                theirs.put("compliance_policies", {**policy, "description": "Changed"})
            done.append((command, main(command), capsys.readouterr()))
        names = {one["displayName"]: one for one in theirs.listed("compliance_policies")}
    assert [(command, code, said.err) for command, code, said in done if (code, said.err) != (0, "")] == []
    assert names["For Sales"]["description"] == "As it was"
    assert "For Pilot" in names
    assert done[-1][2].out.startswith("Planned restore 3, fabrikam → fabrikam, of backup set 2: 1 object")


def test_every_word_of_restores_is_told() -> None:
    told = {
        heading: [cells[0] for cells in rows(RESTORE, heading, 2)] for heading in ("state", "action", "result", "tick")
    }
    words = {heading: re.findall(r"`(\w+)`", " ".join(cells)) for heading, cells in told.items()}
    assert words == {
        "state": list(RESTORE_STATES), "action": list(ACTIONS), "result": list(RESULTS), "tick": list(TICKS),
    }  # fmt: skip


def test_every_code_of_restores_is_told() -> None:
    """Those that the code has as texts, but for the names of operations and of audited acts."""
    found: set[str] = set()
    for path in [*ROOT.glob("tasks/**/*.py"), *ROOT.glob("store/runs/*.py")]:
        found |= set(re.findall(r'"(restore\.[a-z_]+)"', path.read_text(encoding="utf-8")))
    told = {code.strip("`") for code, _ in rows(RESTORE, "code", 2)}
    assert told == found - {restore_states.TYPE, restore_states.PREVIEW}


# ---- the package with an operation


def write_package(folder: Path) -> None:
    """The package of the page, each file as it stands there."""
    project = next(text for text in in_language(OPERATION, "toml") if "[project]" in text)
    module, tests = in_language(OPERATION, "python")
    for name, text in {
        "pyproject.toml": project,
        "opsmon_exports/__init__.py": "",
        "opsmon_exports/operations.py": module,
        "tests/test_operations.py": tests,
    }.items():
        path = folder / "opsmon-exports" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def install_package(folder: Path) -> None:
    """Write it and install it, with what is here, beside it in `installed`."""
    write_package(folder)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile"]
    nothing_else = ["--no-deps", "--no-index", "--no-build-isolation"]
    python(folder, *pip[1:], *nothing_else, "--target", str(folder / "installed"), "./opsmon-exports")


def python(
    folder: Path, *arguments: str, path: Sequence[Path] = (), more: Mapping[str, str] = MappingProxyType({})
) -> str:
    """What a Python that has to succeed says."""
    done = run_python(folder, *arguments, path=path, more=more)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def run_python(
    folder: Path, *arguments: str, path: Sequence[Path] = (), more: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), **more},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip


@pytest.fixture(scope="session")
def package(shared: Shared) -> Path:
    """A folder with `opsmon-exports`, and `installed`; made once in a run."""
    return shared.once("opsmon-exports", install_package)


def test_the_package_is_listed_as_the_page_says(package: Path) -> None:
    said = python(package, "-m", "opsmon", "operations", path=(package / "installed", ROOT))
    (shown, _) = in_language(OPERATION, "text")
    assert shown in said


def test_a_package_that_is_broken_is_named_as_the_page_says(package: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(package / "installed", tmp_path / "installed")
    module = broken / "opsmon_exports" / "operations.py"
    module.write_text("import requests_of_nobody\n" + module.read_text())
    done = run_python(tmp_path, "-m", "opsmon", "operations", path=(broken, ROOT))
    (_, shown) = in_language(OPERATION, "text")
    assert (done.returncode, done.stderr) == (0, shown.replace("'requests'", "'requests_of_nobody'"))


def test_the_tests_of_the_package_pass(package: Path) -> None:
    arguments = ("-m", "pytest", "-c", "pyproject.toml", "-p", "no:cacheprovider", "-q", "tests")
    more = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # of ours it needs none, and they take seconds
    said = python(package / "opsmon-exports", *arguments, path=(package / "installed", ROOT), more=more)
    assert re.search(r"^3 passed", said, re.MULTILINE), said


@pytest.mark.worker
def test_a_worker_carries_the_packages_operation_out(
    package: Path, db: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPORTS_FOLDER", str(tmp_path / "exports"))
    shutil.copytree(package / "installed", plugins(tmp_path), dirs_exist_ok=True)
    Administrator(db, login_name()).add_tenant("contoso")
    folder = tmp_path / "exports" / "contoso" / "policies"
    for name in ("old.json", "kept.json", "new.json", "odd.json/inside"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    for name in ("old.json", "kept.json", "odd.json"):
        os.utime(folder / name, (0, 0))

    def prune(*parameters: str) -> Run:
        return carried_out(db, database_url, tmp_path, "exports.prune", *parameters)

    tried = prune("kind=policies")
    assert (tried.outcome, tried.summary_counts) == (Outcome.SUCCEEDED, Counts(4, 0, 0, 4))
    run = prune("kind=policies", "keep=kept.json", "dry_run=no")
    assert (run.outcome, run.summary_counts) == (Outcome.PARTIALLY_SUCCEEDED, Counts(4, 1, 1, 2))
    assert [failure.code for failure in run.failure_summary] == ["exports.not_removed"]
    assert sorted(path.name for path in folder.iterdir()) == ["kept.json", "new.json", "odd.json"]
    assert (run.context or {})["freed_bytes"] == 2
    nowhere = prune("kind=apps")
    assert [failure.code for failure in nowhere.failure_summary] == ["exports.no_folder"]


# ---- runs


def carried_out(db: Database, url: str, folder: Path, type_: str, *parameters: str) -> Run:
    """The run, completed by a worker, of what `opsmon start` has started in contoso."""
    given = [word for parameter in parameters for word in ("--param", parameter)]
    said = python(
        folder, "-m", "opsmon", "start", type_, "--tenant", "contoso", *given, "--json",
        path=(plugins(folder), ROOT), more={"OPSMON_DATABASE_URL": url},
    )  # fmt: skip
    number = json.loads(said)["run"]["id"]

    def completed() -> Run | None:
        run = lifecycle.get(db, number)
        return run if run and run.status is Status.COMPLETED else None

    worker = WorkerProcess(url, folder).ready()
    try:
        return wait_for(completed, f"run {number} to be completed", seen=lambda: worker.log)
    finally:
        worker.kill()


# ---- the map of the house


@pytest.mark.parametrize("page", [ROOT / "docs/architecture.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"])
def test_a_page_names_places_that_there_are(page: Path) -> None:
    """Paths with a slash that begin with a room; NAME stands for one's own, and a function is in the file before it."""
    rooms = ("opsmon/", "screens/", "store/", "tasks/", "tests/", "migrations/", "docs/")
    words = re.findall(r"[\w./*-]+", page.read_text(encoding="utf-8"))
    named = {word.rstrip(".") for word in words if word.startswith(rooms) and "NAME" not in word}
    assert len(named) > (10 if page.name != "SECURITY.md" else 1)
    assert [place for place in sorted(named) if not list(ROOT.glob(place.rstrip("/")))] == []


def test_the_changes_of_a_run_are_those_of_the_architecture() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| [^|]+ \| `(\w+)` \| `([\w/.]+)`", text, re.MULTILINE)
    assert len(told) == 7
    for function, caller in told:
        assert hasattr(lifecycle, function), f"there is no {function}"
        assert f".{function}(" in (ROOT / caller).read_text(encoding="utf-8"), f"{caller} does not call {function}"


# ---- pictures

#: Each picture of the documents, and the one that the tests keep of the screen.
PICTURES = {
    "list": "test_pictures/test_list_of_all_states[80x24]",
    "run": "run/test_pictures/test_run[partial_with_failures][80x24]",
    "start": "test_pictures/test_form_with_choices[80x24]",
    "workers": "workers/test_screen/test_workers[busy][140x40]",
    "restore-scope": "restores/test_form/test_form[80x24]",
    "restore-groups": "restores/test_mapping_pictures/test_group_with_warnings[80x24]",
    "restore-preview": "restores/test_pictures/test_restore_that_is_blocked[80x24]",
    "restore-confirm": "restores/test_confirm/test_confirmation[80x24]",
}


def kept(path: str) -> Path:
    """The file of a picture that the tests of the screens keep."""
    *package, module, name = path.split("/")
    return ROOT.joinpath("tests", "screens", *package, "__snapshots__", module, f"{name}.raw")


def test_pictures_in_the_documents_show_the_screens_as_they_are() -> None:
    """After the screens have changed: copy the pictures that the tests keep."""
    there = {path.stem: path.read_bytes() for path in (ROOT / "docs" / "pictures").glob("*.svg")}
    assert there.keys() == PICTURES.keys()
    assert [name for name, path in PICTURES.items() if there[name] != kept(path).read_bytes()] == []
    pages = "".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("restore.md", "screens.md"))
    assert set(re.findall(r"\(pictures/([a-z-]+)\.svg\)", pages)) == PICTURES.keys()
