"""Cases from public reports: what Graph did not give, and what nobody can send (O1, O3, O4, O7)."""

from __future__ import annotations

from typing import Final

import pytest

from store.errors import InputInvalid
from store.model.records import Outcome
from tests.tasks.operations.cases import settings, simple, typed
from tests.tasks.operations.restore.conftest import Restoring, settings_policy
from tests.tasks.operations.restore.steps import CATALOG, by_name, previewed, skip

CONFIGURATIONS: Final = "device_configurations"


# ---- O1, O7


def test_o1_what_was_not_read_whole_blocks_by_its_name_and_the_rest_goes_on(restoring_: Restoring) -> None:
    at = restoring_
    for name, content in (("Whole", "V3JpdGU="), ("Empty", None)):
        at.put("contoso", "scripts", displayName=name, fileName="x.ps1", scriptContent=content, assignments=[])
    restore = previewed(at, "scripts")
    items = at.items(restore)
    assert (items["Whole"].action, items["Empty"].action) == ("create", "blocked")
    ((code, words),) = items["Empty"].reasons
    assert code == "policy.incomplete"
    assert "scriptContent" in words
    skip(at, restore, "Empty")
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    assert [(one["displayName"], one["scriptContent"]) for one in at.there("scripts")] == [("Whole", "V3JpdGU=")]


def test_o7_a_value_that_is_newer_than_the_api_blocks_with_its_path(restoring_: Restoring) -> None:
    at = restoring_
    at.put("contoso", CATALOG, **settings_policy("New", platforms="unknownFutureValue", assignments=[]))
    restore = previewed(at, CATALOG)
    assert at.items(restore)["New"].reasons == (("restore.unknown_value", "platforms is unknownFutureValue"),)
    skip(at, restore, "New")
    with pytest.raises(InputInvalid, match="every object is skipped"):
        at.execute(restore)


# ---- O3, O4


@pytest.mark.parametrize("tenant", ["contoso", "fabrikam"])
def test_o3_a_masked_value_is_never_sent(restoring_: Restoring, tenant: str) -> None:
    at = restoring_
    oma = typed("omaSettingString", displayName="Key", omaUri="./Vendor/X/Key", value="plain", isEncrypted=True)
    open_ = typed("omaSettingInteger", displayName="Port", omaUri="./Vendor/X/Port", value=7)
    for name, some in (("Kiosk", [open_, oma]), ("Open", [open_])):
        body = typed("windows10CustomConfiguration", displayName=name, omaSettings=some, assignments=[])
        at.put("contoso", CONFIGURATIONS, **body)
    at.worker()
    set_id = at.backup(CONFIGURATIONS)
    for one in at.there(CONFIGURATIONS, "contoso"):
        at.source.delete(CONFIGURATIONS, one["id"])
    restore = at.plan(set_id, tenant)
    at.preview(restore)
    words = '1 secret value is not in the backup: "Key"'
    assert at.items(restore)["Kiosk"].reasons == (("restore.secret_unreadable", words),)
    skip(at, restore, "Kiosk")
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    assert by_name(at, CONFIGURATIONS, tenant).keys() == {"Open"}


def test_o4_the_token_of_a_secret_goes_back_into_its_own_tenant_alone(restoring_: Restoring) -> None:
    at = restoring_
    secret = simple("wifi_psk", "plain", "SecretSettingValue", valueState="notEncrypted")
    body = settings_policy("Wi-Fi", settings=settings(secret), assignments=[])
    at.put("contoso", CATALOG, **body)
    at.worker()
    set_id = at.backup(CATALOG)
    elsewhere = at.plan(set_id)
    at.preview(elsewhere)
    ((code, words),) = at.items(elsewhere)["Wi-Fi"].reasons
    assert code == "restore.secret_unreadable"
    assert "settings" in words
    assert "token-" not in str(at.items(elsewhere)["Wi-Fi"])
    at.source.delete(CATALOG, at.there(CATALOG, "contoso")[0]["id"])
    _, run = at.restored(set_id, "contoso")
    assert run.outcome is Outcome.SUCCEEDED
    (made,) = at.there(CATALOG, "contoso")
    assert made["settings"][0]["settingInstance"]["simpleSettingValue"]["valueState"] == "encryptedValueToken"
