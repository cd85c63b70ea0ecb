"""Cases from people's bug reports, as far as a backup reads: what Graph leaves out, cuts, masks, refuses or throttles."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from store.model.records import Outcome
from tasks.graph.simulator import Fault, SimulatedTenant, Simulator
from tests.tasks.operations.cases import (
    Body,
    assigned,
    backed_up,
    gaps,
    items,
    kinds_of_sets,
    settings,
    simple,
    told,
    typed,
)
from tests.tasks.operations.conftest import Sync, codes

SCRIPTS = ("scripts", "shell_scripts", "custom_attributes", "health_scripts")
CATALOG = "configuration_policies"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([SimulatedTenant("contoso")], page_size=20) as simulator:
        yield simulator


def catalog(id_: str, number: int, **more: object) -> Body:
    instances = [simple(f"setting_{one}", str(one)) for one in range(number)]
    return {"id": id_, "name": id_, "settings": settings(*instances), **more}


@pytest.mark.worker
def test_contents_of_scripts_are_kept_byte_for_byte(sync: Sync) -> None:
    """The list has none of them. A content that a single GET does not have either fails that script alone."""
    sync.worker()
    odd = base64.b64encode(bytes(range(256)) + "\r\nÄ\ufeff\x00".encode("utf-16")).decode()
    sync.tenant.put("scripts", {"id": "s1", "displayName": "Map", "fileName": "map.ps1", "scriptContent": odd})
    sync.tenant.put("scripts", {"id": "s2", "displayName": "Lost", "fileName": "x.ps1", "scriptContent": None})
    health = {"displayName": "Fix", "detectionScriptContent": "ZXhpdCAx", "remediationScriptContent": ""}
    sync.tenant.put("health_scripts", {"id": "h1", **health})
    sync.tenant.put("health_scripts", {"id": "h2", **health, "detectionScriptContent": None})
    sync.tenant.put("shell_scripts", {"id": "m1", "displayName": "Mac", "scriptContent": "IyEvYmluL3No\n"})
    run = backed_up(sync, *SCRIPTS)
    assert (run.outcome, codes(run)) == (Outcome.PARTIALLY_SUCCEEDED, ["policy.incomplete"] * 2)
    assert told(run) == [
        "device management scripts: Lost: scriptContent: empty",
        "remediations: Fix: detectionScriptContent: empty",
    ]
    kept = items(sync)
    assert kept["s1"].body["scriptContent"] == odd
    assert kept["m1"].body["scriptContent"] == "IyEvYmluL3No\n"
    assert (kept["h1"].body["remediationScriptContent"], kept["h1"].completeness) == ("", "whole")
    assert {id_: row.completeness for id_, row in kept.items() if row.gaps} == {
        "s2": "content_missing",
        "h2": "content_missing",
    }


@pytest.mark.worker
@pytest.mark.parametrize("cut", [None, "429", "broken"])
def test_all_settings_are_there_or_it_is_said_how_many(sync: Sync, cut: str | None) -> None:
    """Pages are cut at 25 unless asked otherwise; a page that is throttled or breaks off is asked for again."""
    sync.worker()
    for number in (0, 26, 61):
        sync.tenant.put(CATALOG, catalog(f"p{number}", number))
    sync.tenant.put(CATALOG, catalog("none", 0, settingCount=0))
    sync.tenant.put(CATALOG, catalog("cut", 50, settingCount=61))
    flat = [{"id": str(one), "definitionId": f"d{one}", "valueJson": "1"} for one in range(61)]
    sync.tenant.put("intents", {"id": "i61", "displayName": "Baseline", "settings": flat})
    faults = {
        "429": Fault("/i61/settings", query="skiptoken", status=429, retry_after="0", after=1),
        "broken": Fault("$batch", break_off=True),
    }
    sync.faults(*([faults[cut]] if cut else []))
    run = backed_up(sync, CATALOG, "intents")
    assert told(run) == ["configuration policies: cut: settings: 50 of 61"]
    kept = items(sync)
    for number in (0, 26, 61):
        values = [one["settingInstance"]["simpleSettingValue"]["value"] for one in kept[f"p{number}"].body["settings"]]
        assert values == [str(one) for one in range(number)]
        assert kept[f"p{number}"].completeness == "whole"
    assert (kept["none"].body["settings"], kept["none"].completeness) == ([], "whole")
    assert kept["cut"].completeness == "content_missing"
    assert kept["i61"].body["settings"] == flat
    sync.faults(Fault("/i61/settings", query="skiptoken", status=403, after=1, count=None))
    backed_up(sync, "intents")
    assert gaps(items(sync)["i61"])[0][0] == "content_missing", "two pages of three pass for none"
    assert "settings" not in items(sync)["i61"].body


@pytest.mark.worker
def test_secrets_are_marked_and_their_values_are_nowhere(sync: Sync) -> None:
    sync.worker()
    oma = typed("omaSettingString", displayName="Key", omaUri="./Vendor/X/Key", value="hush-oma", isEncrypted=True)
    xml = typed("omaSettingStringXml", displayName="Xml", omaUri="./Vendor/X/Xml", value="aHVzaA==", isEncrypted=True)
    plain = typed("omaSettingInteger", displayName="On", omaUri="./Vendor/X/On", value=1)
    for id_, some in (("c1", [oma]), ("c2", [plain, xml, oma]), ("c3", [plain])):
        body = typed("windows10CustomConfiguration", displayName="Kiosk", omaSettings=some)
        sync.tenant.put("device_configurations", {"id": id_, **body})
    psk = simple("wifi_psk", "hush-psk", "SecretSettingValue", valueState="notEncrypted")
    sync.tenant.put(CATALOG, {"id": "w1", "name": "Wi-Fi", "settings": settings(psk)})
    sync.faults(Fault("getOmaSettingPlainTextValue", status=403, count=None))
    run = backed_up(sync, "device_configurations", CATALOG)
    assert run.outcome is Outcome.SUCCEEDED, "a secret is no failure: nobody could do better"
    kept = items(sync)
    assert {id_: gaps(row) for id_, row in kept.items()} == {
        "c1": [("secret_unreadable", "1 secret value not readable")],
        "c2": [("secret_unreadable", "2 secret values not readable")],
        "c3": [],
        "w1": [("secret_unreadable", "1 secret value not readable")],
    }
    everything = sync.stage.everything()
    for secret in ("hush-oma", "aHVzaA==", "hush-psk"):
        assert secret not in everything


@pytest.mark.worker
def test_a_kind_that_is_forbidden_is_named_with_its_permission(sync: Sync) -> None:
    """Since the middle of 2025 scripts have a permission of their own: all other kinds are whole."""
    sync.worker()
    sync.run("inventory.sync")
    sync.tenant.put(CATALOG, catalog("p1", 1))
    for kind in SCRIPTS:
        contents = dict.fromkeys(("scriptContent", "detectionScriptContent", "remediationScriptContent"), "eA==")
        sync.tenant.put(kind, {"id": f"{kind}-1", "displayName": kind, **contents})
    sync.run("inventory.sync")
    known = sync.known()
    old = ("Configuration.ReadWrite", "Apps.Read", "ServiceConfig.Read", "RBAC.Read")
    sync.tenant.granted = frozenset({f"DeviceManagement{one}.All" for one in old} | {"GroupMember.Read.All"})
    run = sync.run("backup_set.create")
    assert run.outcome is Outcome.PARTIALLY_SUCCEEDED
    assert codes(run) == ["graph.forbidden"] * len(SCRIPTS)
    labels = {text.partition(":")[0] for text in told(run)}
    assert labels == {"device management scripts", "shell scripts", "custom attributes", "remediations"}
    for failure in run.failure_summary:
        assert "grant the app DeviceManagementScripts.Read.All and consent to it" in failure.message
        assert "Application is not authorized" not in failure.message
    kinds = kinds_of_sets(sync)
    assert {name for name, row in kinds.items() if row.failure_code} == set(SCRIPTS)
    assert all("DeviceManagementScripts.Read.All" in kinds[name].failure_message for name in SCRIPTS)
    assert items(sync).keys() == {"p1"}
    assert (sync.known(), sync.missing()) == (known, set())


@pytest.mark.worker
def test_what_nobody_knows_is_kept_word_for_word_when_expanding_is_refused(sync: Sync) -> None:
    sync.worker()
    new = typed("brandNewConfiguration2027", displayName="Neu", platforms="unknownFutureValue", empty=None, none="")
    new |= {"nobodyKnowsThis": {"deep": [1, {"x": None}, 1.5]}, "value@odata.bind": "https://x/y", "list": []}
    for number in range(3):
        assignments = [assigned("g1", nobodyKnows={"x": [1]})] if number else []
        sync.tenant.put("device_configurations", {"id": f"n{number}", **new, "assignments": assignments})
    sync.faults(Fault("/deviceConfigurations", query="expand", status=400, count=None))
    assert backed_up(sync, "device_configurations").outcome is Outcome.SUCCEEDED
    for number in range(3):
        row = items(sync)[f"n{number}"]
        assert {key: row.body[key] for key in new} == new
        assert [(one["target"]["groupId"], one["nobodyKnows"]) for one in row.assignments] == (
            [("g1", {"x": [1]})] if number else []
        )
    everything = sync.stage.everything()
    assert everything.count("device configurations: the list cannot be expanded any more") == 1
    assert everything.count("device configurations: objects cannot be expanded any more") == 1


@pytest.mark.worker
def test_assignments_that_are_throttled_are_never_kept_as_none(sync: Sync) -> None:
    """Some of a batch are throttled for a moment, one to the end: that one is not in the set, and a retry adds it."""
    sync.worker()
    for number in range(22):
        script = {"id": f"s{number}", "displayName": f"S{number}", "scriptContent": "eA=="}
        sync.tenant.put("scripts", {**script, "assignments": [assigned("g1")]})
    sync.tenant.put("groups", {"id": "g1", "displayName": "Sales"})
    sync.faults(
        Fault("/s3", query="expand", status=400, count=None),
        Fault("/s3/assignments", status=429, retry_after="86400", count=None),
        Fault("/s7", status=429, retry_after="0.2"),
        Fault("/s8", status=503, retry_after="0", count=2),
        Fault("/s9", status=429, retry_after="0"),
    )
    run = backed_up(sync, "scripts")
    assert (run.outcome, codes(run)) == (Outcome.PARTIALLY_SUCCEEDED, ["graph.throttled"])
    assert told(run)[0].startswith("device management scripts: S3: ")
    assert run.context is not None
    assert run.context["throttled"]["times"] >= 1
    kept = items(sync)
    assert kept.keys() == {f"s{number}" for number in range(22)} - {"s3"}
    assert all([one["target"]["groupId"] for one in row.assignments] == ["g1"] for row in kept.values())
    assert kinds_of_sets(sync)["scripts"].failure_code == "graph.throttled"
    sync.faults()
    again = sync.stage.completed(sync.stage.dispatcher().retry(sync.stage.user, run.id).run.id)
    assert again.outcome is Outcome.SUCCEEDED
    assert [one["target"]["groupId"] for one in items(sync)["s3"].assignments] == ["g1"]
