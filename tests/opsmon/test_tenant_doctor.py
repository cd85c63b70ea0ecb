"""`opsmon doctor --tenant` on a simulated tenant, over real HTTP: what the app can read, and what is said when it cannot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from opsmon import settings
from opsmon.doctor import Asker, examine
from opsmon.services import Services
from opsmon.tenant_doctor import SYNCS, width
from screens.text.format import instant
from store.model.records import Counts, Outcome, User
from store.people import access, admin
from store.people.access import Role
from store.runs import lifecycle
from store.runs.seeding import SeedRun, seed_runs
from tasks.graph.checkup import NO_ANSWER, PATIENCE, QUICK, SUBJECTS
from tasks.graph.resources import KINDS, NOT_READ, resource_at
from tasks.graph.simulator import CLIENT_ID, Fault, SimulatedTenant, Simulator, directory_id, secret, synthetic
from tests.opsmon.conftest import Answer, Cli, CliHarness
from tests.support.certificates import make_certificate

ALL = frozenset(subject.permission for subject in SUBJECTS)
SCRIPTS = "DeviceManagementScripts.Read.All"
#: Nobody listens there.
AWAY = "http://127.0.0.1:1"


@dataclass
class Doctor:
    """The command, on a simulated Contoso of which you are operator."""

    cli: Cli
    simulator: Simulator
    town: CliHarness

    @property
    def tenant(self) -> SimulatedTenant:
        return self.simulator.tenant("contoso")

    def __call__(self, *argv: str) -> Answer:
        return self.cli("doctor", "--tenant", "contoso", *argv)

    def findings(self) -> dict[str, tuple[str, str]]:
        """State and message by the name of the check, without the slug; of the tenant's checks."""
        found = [(one["check"].partition("contoso/"), one) for one in self("--json").json]
        return {name: (one["state"], one["message"]) for (_, slash, name), one in found if slash}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([synthetic("contoso", 7, 60)]) as running:
        yield running


Credentials = Callable[..., None]


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> Credentials:
    """Sets what the app signs in with, in place of the secret."""

    def give(**keys: str) -> None:
        for key in ("directory_id", "client_id", "client_secret", "client_certificate_file"):
            monkeypatch.delenv(f"OPSMON_CREDENTIALS_CONTOSO_{key.upper()}", raising=False)
        for key, value in keys.items():
            monkeypatch.setenv(f"OPSMON_CREDENTIALS_CONTOSO_{key.upper()}", value)

    return give


APP = {"directory_id": directory_id("contoso"), "client_id": CLIENT_ID}


@pytest.fixture
def doctor(
    opsmon: Cli, town: CliHarness, simulator: Simulator, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> Doctor:
    monkeypatch.setenv("OPSMON_GRAPH_URL", simulator.url)
    monkeypatch.setenv("OPSMON_GRAPH_AUTHORITY", simulator.url)
    monkeypatch.setattr("tasks.graph.checkup.QUICK", replace(QUICK, first_wait=0.0, longest_wait=0.0))
    credentials(**APP, client_secret=secret("contoso"))
    simulator.tenant("contoso").granted = ALL
    return Doctor(opsmon, simulator, town)


def test_all_there(doctor: Doctor) -> None:
    found = doctor.findings()
    assert list(found) == ["credentials", "sign-in", *(subject.name for subject in SUBJECTS), "not-read"]
    assert {state for state, _ in found.values()} == {"ok"}
    assert found["credentials"][1] == "a client secret; its end is not known here: see the app registration"
    assert found["sign-in"][1] == "the app signs in"
    assert found["scripts"][1] == "device management scripts can be read"
    assert all(name in found["not-read"][1] for name in NOT_READ)
    asked = [path for method, path, _ in doctor.simulator.requests if method == "GET" and "well-known" not in path]
    assert len(asked) == len(SUBJECTS)
    assert all("top=1" in path for path in asked)


def test_each_line_names_tenant_and_check_and_the_exit_code_is_of_all_checks(doctor: Doctor) -> None:
    answer = doctor()
    lines = [line for line in answer.out.splitlines() if "contoso/" in line]
    assert len(lines) == len(SUBJECTS) + 3
    column = len("skipped  ") + width(["contoso"]) + len("  ")
    assert [line for line in lines if line[column - 1] != " " or line[column] == " "] == []
    assert lines[0].split()[:4] == ["ok", "contoso/credentials", "a", "client"]
    assert answer.err == ""
    # No worker lives, which is bad with or without a tenant.
    assert "bad      workers" in answer.out
    assert answer.code == doctor.cli("doctor").code == 1


def test_scripts_want_a_permission_of_their_own(doctor: Doctor) -> None:
    """As in tenants whose apps were made before the middle of 2025."""
    doctor.tenant.granted = ALL - {SCRIPTS}
    found = doctor.findings()
    kinds = [kind for kind in KINDS if kind.read_permission == SCRIPTS]
    assert found["permissions"] == ("bad", f"{SCRIPTS} is missing: {', '.join(kind.label for kind in kinds)}")
    bad = {name for name, (state, _) in found.items() if state == "bad"}
    assert bad == {"permissions", *(kind.name for kind in kinds)}
    assert found["scripts"][1].startswith("device management scripts: status 403 (Forbidden), grant the app")
    assert "must have one of" not in str(found)


def test_every_permission_that_is_missing_has_a_line(doctor: Doctor) -> None:
    doctor.tenant.granted = frozenset()
    lines = [one["message"] for one in doctor("--json").json if one["check"] == "contoso/permissions"]
    assert {line.split(" is missing: ")[0] for line in lines} == ALL
    assert len(lines) == len(ALL)
    told = [label for line in lines for label in line.split(" is missing: ")[1].split(", ")]
    assert sorted(told) == sorted(subject.label for subject in SUBJECTS)


def test_a_refusal_of_one_kind_beside_others_is_no_missing_permission(doctor: Doctor) -> None:
    doctor.simulator.faults.add(Fault(path="deviceShellScripts", status=403, count=None))
    found = doctor.findings()
    assert found["shell_scripts"][0] == "bad"
    assert "permissions" not in found


def test_a_service_that_does_not_know_top_is_read_plainly(doctor: Doctor) -> None:
    doctor.simulator.faults.add(Fault(path="/groups", query="top", status=400, count=None))
    assert doctor.findings()["groups"] == ("ok", "groups can be read")


def test_a_wrong_secret(doctor: Doctor, credentials: Credentials) -> None:
    credentials(**APP, client_secret="hunter2-of-nobody")
    found = doctor.findings()
    assert found["credentials"][0] == "ok"
    assert found["sign-in"][0] == "bad"
    assert found["sign-in"][1].endswith("the client secret is wrong: give the secret's value, not its id")
    assert found["objects"] == ("skipped", "the app does not sign in")
    assert "hunter2" not in str(found)
    assert not any("deviceManagement" in path for _, path, _ in doctor.simulator.requests)


def test_no_credentials(doctor: Doctor, credentials: Credentials) -> None:
    credentials()
    found = doctor.findings()
    hint = "see [credentials.contoso] in opsmon.toml"
    assert found["credentials"] == ("bad", f"no credentials are set up for contoso: {hint}")
    assert found["sign-in"] == found["objects"] == ("skipped", "the credentials cannot be used")
    assert doctor.simulator.requests == []


def test_a_graph_that_is_away_is_not_asked_for_everything(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMON_GRAPH_URL", AWAY)
    found = doctor.findings()
    assert found["sign-in"][0] == "ok"
    states = [found[subject.name][0] for subject in SUBJECTS]
    assert states == ["bad"] * PATIENCE + ["skipped"] * (len(SUBJECTS) - PATIENCE)
    assert found[SUBJECTS[0].name][1] == f"{SUBJECTS[0].label}: no answer (ConnectError)"
    assert found[SUBJECTS[-1].name][1] == f"groups: {NO_ANSWER}"
    assert "permissions" not in found


def test_a_sign_in_service_that_is_away(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMON_GRAPH_AUTHORITY", AWAY)
    assert doctor.findings()["sign-in"] == ("bad", "the sign-in service: ConnectError")


def test_answers_between_failures_keep_the_rest_tried(doctor: Doctor) -> None:
    for subject in SUBJECTS[::2]:
        doctor.simulator.faults.add(Fault(path=subject.path, break_off=True, count=QUICK.attempts))
    states = {state for state, _ in doctor.findings().values()}
    assert states == {"ok", "bad"}


def test_a_token_that_graph_refuses_ends_it(doctor: Doctor) -> None:
    doctor.simulator.faults.add(Fault(path="/beta/", status=401, count=None))
    found = doctor.findings()
    assert found[SUBJECTS[0].name][0] == "bad"
    assert {found[subject.name] for subject in SUBJECTS[1:]} == {
        ("skipped", f"{subject.label}: the token was refused") for subject in SUBJECTS[1:]
    }


@pytest.mark.parametrize(("days", "state"), [(10, "warning"), (300, "ok"), (-1, "bad")])
def test_a_certificate_that_ends(
    doctor: Doctor, credentials: Credentials, tmp_path: Path, days: int, state: str
) -> None:
    made = make_certificate(ends_in=dt.timedelta(days=days, hours=1))
    doctor.tenant.certificates.append(made.public)
    (tmp_path / "certificate.pem").write_bytes(made.pem())
    credentials(**APP, client_certificate_file=str(tmp_path / "certificate.pem"))
    found = doctor.findings()
    end = f"{made.certificate.not_valid_after_utc:%Y-%m-%d}"
    assert found["credentials"][0] == state
    assert end in found["credentials"][1]
    assert ("in 10 days" in found["credentials"][1]) == (days == 10)
    assert found["sign-in"][0] == ("ok" if days > 0 else "skipped")
    assert made.secret_line not in str(found)


def test_when_the_credentials_last_worked(doctor: Doctor) -> None:
    """A probe signs nobody in, what failed proves nothing, and another tenant's runs are nobody's business."""
    db, here = doctor.town.db, access.require_right(doctor.town.db, find(doctor), "contoso", access.Right.VIEW).id
    elsewhere = access.require_right(db, access.find_user(db, "bob"), "fabrikam", access.Right.VIEW).id
    seed_runs(db, [SeedRun(here, SYNCS[0], Outcome.FAILED, 400, counts=Counts(1, 0, 1))])
    seed_runs(db, [SeedRun(here, "system.probe", Outcome.SUCCEEDED, 300)])
    seed_runs(db, [SeedRun(elsewhere, SYNCS[0], Outcome.SUCCEEDED, 200)])
    assert "last worked" not in doctor.findings()["credentials"][1]
    months = 100 * 86400.0  # longer ago than a list goes back by itself
    seed_runs(db, [SeedRun(here, SYNCS[1], Outcome.PARTIALLY_SUCCEEDED, months, counts=Counts(2, 1, 1))])
    run = lifecycle.get(db, 4)
    assert run
    told = doctor.findings()["credentials"][1]
    assert told.endswith(f"; they last worked at {instant(run.completed_at, 'Z')}, in run 4")


def find(doctor: Doctor) -> User:
    return access.find_user(doctor.town.db, doctor.town.me)


@pytest.mark.parametrize("argv", [["--tenant", "fabrikam"], ["--tenant", "contoso", "--tenant", "nowhere"]])
def test_a_tenant_that_you_are_no_member_of_is_not_found(doctor: Doctor, argv: list[str]) -> None:
    answer = doctor.cli("doctor", *argv)
    assert (answer.code, answer.line) == (3, f"opsmon: no tenant '{argv[-1]}': 'opsmon tenants list' shows yours")
    assert doctor.simulator.requests == []


def test_who_is_no_user_is_told_so(doctor: Doctor, as_user: Callable[[str], None]) -> None:
    as_user("nobody-known")
    assert (doctor().code, doctor.cli("doctor").code) == (3, 1)
    assert doctor.simulator.requests == []


def test_who_may_only_look_may_ask(doctor: Doctor, as_user: Callable[[str], None]) -> None:
    as_user("rob")
    assert doctor.findings()["sign-in"][0] == "ok"


def test_several_tenants_each_once(doctor: Doctor) -> None:
    admin.grant(doctor.town.db, doctor.town.me, "fabrikam", Role.READONLY)
    checks = [one["check"] for one in doctor("--tenant", "fabrikam", "--tenant", "contoso", "--json").json]
    assert [check for check in checks if check.endswith("/credentials")] == [
        "contoso/credentials",
        "fabrikam/credentials",
    ]


def test_without_a_database_a_tenant_is_not_looked_at(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_URL", "postgresql://127.0.0.1:1/opsmon")
    found = {one["check"]: one for one in doctor("--json").json}
    assert (found["contoso"]["state"], found["contoso"]["message"]) == ("skipped", found["database"]["message"])
    assert doctor.simulator.requests == []


def test_a_tenant_whose_membership_ends_meanwhile_is_not_looked_at(doctor: Doctor) -> None:
    """The checks ask for the right by themselves: the command may not have been able to."""
    rob, services = access.find_user(doctor.town.db, "rob"), Services(settings.load())
    found = [one for one in examine(services, Asker(rob), tenants=["contoso", "fabrikam"]) if "fabrikam" in one.check]
    services.close()
    assert [(one.check, one.state.value) for one in found] == [("fabrikam", "skipped")]
    assert found[0].message == "no tenant 'fabrikam': 'opsmon tenants list' shows yours"


def test_nothing_that_is_named_as_not_read_is_read() -> None:
    assert {resource_at(path) for path in NOT_READ.values()} == {None}
