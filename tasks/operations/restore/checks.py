"""What blocks an item of a restore, or wants a person's tick, before Graph is asked: what the backup does not have."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from store.intune.backup_records import BackupItem
from store.intune.restore_records import Tick
from tasks.graph.answers import TEMPLATE_UNKNOWN
from tasks.graph.gaps import lacks_key
from tasks.graph.paths import under
from tasks.graph.places import NO_ID, find
from tasks.graph.resource import GraphResource
from tasks.graph.resources import READ_ONLY
from tasks.graph.walking import values_of
from tasks.operations.restore.assigning import read_without_filters
from tasks.operations.restore.words import quoted

INCOMPLETE: Final = "policy.incomplete"
SECRET_UNREADABLE: Final = "restore.secret_unreadable"  # noqa: S105 (a code)
UNKNOWN_VALUE: Final = "restore.unknown_value"
ACTIONS: Final = "restore.actions"
NO_APPS: Final = "restore.no_apps"
NO_FILTERS: Final = "restore.no_filters"

#: Gaps that block. A reference that was lost blocks where it is needed, and a secret where it stands.
_BLOCKING: Final = ("content_missing", "assignments_unknown")
#: How Graph masks a secret.
_MASK: Final = "****"
#: The state of a secret of which Graph gave only a token, which no other tenant takes.
_TOKEN_STATE: Final = "encryptedValueToken"  # noqa: S105 (a state)
_SECRET_SETTING: Final = "deviceManagementConfigurationSecretSettingValue".lower()
#: What Graph gives for a member of an enumeration that is newer than the API: alone, or in a list with commas.
_UNKNOWN: Final = re.compile(r"(?:\w+ *, *)*unknownFutureValue(?: *, *\w+)*", re.IGNORECASE)
#: Texts that people write; they may say anything.
_FREE_TEXT: Final = ("displayName", "name", "description")

_RULES: Final = "scheduledActionsForRule"
_CONFIGURATIONS: Final = "scheduledActionConfigurations"
#: A compliance policy of which Graph knows nothing but "not compliant", at once. The name of the rule is null, as the
#: service gives it back.
_DEFAULT_RULES: Final[tuple[Mapping[str, Any], ...]] = (
    {
        "ruleName": None,
        _CONFIGURATIONS: [
            {
                "actionType": "block",
                "gracePeriodHours": 0,
                "notificationTemplateId": NO_ID,
                "notificationMessageCCList": [],
            }
        ],
    },
)
_CHOSEN_APPS: Final = "selectedPublicApps"
#: Kinds whose template can be left away; the settings stay what they are.
_DOWNGRADABLE: Final = ("configuration_policies",)
#: What the service gives a settings catalog policy without a template.
_NO_TEMPLATE: Final[Mapping[str, Any]] = {
    "templateId": "",
    "templateFamily": "none",
    "templateDisplayName": None,
    "templateDisplayVersion": None,
}
_OF_TEMPLATE: Final = ("**.settingInstanceTemplateReference", "**.settingValueTemplateReference")

#: A reason that blocks: (code, words).
Reason = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Checked:
    """What can be said of an item by its backup alone."""

    #: What is restored, with the ids of the source tenant. Other than in the backup only as a tick allows.
    body: dict[str, Any]
    #: Why it cannot be restored, as (code, words); empty if nothing blocks.
    reasons: tuple[Reason, ...]
    #: The ticks that it wants, whether they are given or not.
    needs: tuple[Tick, ...]


def check(
    kind: GraphResource,
    backup: BackupItem,
    *,
    same_tenant: bool,
    ticks: Collection[str],
    template_unknown: bool = False,
) -> Checked:
    """Checks an item of a backup. `ticks` are those that a person gave; `template_unknown`: Graph refused it before because
    of its template.
    """
    body = copy.deepcopy(dict(backup.body))
    sent = _sent(kind, body)
    reasons = [
        *_incomplete(kind, backup),
        *_without_filters(backup),
        *_unknown_values(sent),
        *_secrets(sent, same_tenant),
        *_wrong_actions(kind, body),
        *_without_apps(kind, body),
        *_kept_template(kind, template_unknown),
    ]
    needs: list[Tick] = []
    if _lacks_actions(kind, body):
        needs.append("no_actions")
        if "no_actions" in ticks:
            body[_RULES] = copy.deepcopy(list(_DEFAULT_RULES))
    if template_unknown and kind.name in _DOWNGRADABLE:
        needs.append("downgrade")
        if "downgrade" in ticks:
            _leave_template(body)
    return Checked(body, tuple(reasons), tuple(needs))


def reaches_everybody(kind: GraphResource, body: Mapping[str, Any]) -> bool:
    """Whether it gives a role over all devices or all users of its tenant."""
    return kind.name == "role_assignments" and str(body.get("scopeType") or "").lower().startswith("all")


def _sent(kind: GraphResource, body: Mapping[str, Any]) -> dict[str, Any]:
    """What of a body is sent to Graph, be it in requests of their own."""
    unsent = {*READ_ONLY, *kind.strip, *kind.volatile} - {*kind.create.afterwards}
    return {key: value for key, value in body.items() if key not in unsent}


# ---- what was not read


def _incomplete(kind: GraphResource, backup: BackupItem) -> list[Reason]:
    found = [(INCOMPLETE, detail) for code, detail in backup.gaps if code in _BLOCKING]
    told = any(code == "assignments_unknown" for code, _ in backup.gaps)
    if kind.assign and backup.assignments is None and not told:
        found.append((INCOMPLETE, "assignments: not read"))
    return found


def _without_filters(backup: BackupItem) -> list[Reason]:
    if not read_without_filters(backup.assignments or ()):
        return []
    return [(NO_FILTERS, "read without filters, as through v1.0: they would be lost")]


def _without_apps(kind: GraphResource, body: Mapping[str, Any]) -> list[Reason]:
    """App protection is for a list of apps, or for a group of apps without a list. Information protection has its own."""
    if kind.name != "managed_app_policies" or "informationprotection" in str(body.get("@odata.type", "")).lower():
        return []
    by_group = body.get("appGroupType") not in (None, "", _CHOSEN_APPS)
    return [] if by_group or isinstance(body.get("apps"), list) else [(NO_APPS, "no target apps in the backup")]


# ---- values


def _unknown_values(sent: Mapping[str, Any]) -> list[Reason]:
    return [
        (UNKNOWN_VALUE, f"{path} is unknownFutureValue")
        for path, value in values_of(sent)
        if isinstance(value, str) and path not in _FREE_TEXT and _UNKNOWN.fullmatch(value.strip())
    ]


def _secrets(sent: Mapping[str, Any], same_tenant: bool) -> list[Reason]:
    names = [name for path, value in values_of(sent) for name in _unreadable(path, value, same_tenant)]
    if lacks_key(sent):
        names.append("preSharedKey")
    if not names:
        return []
    what = "1 secret value is" if len(names) == 1 else f"{len(names)} secret values are"
    return [(SECRET_UNREADABLE, f"{what} not in the backup: {', '.join(names)}")]


def _unreadable(path: str, value: Any, same_tenant: bool) -> Iterator[str]:
    """The names of the secrets in an object or a list of which the backup has no value, what is deeper in it aside."""
    if isinstance(value, list):
        yield from (path for one in value if one == _MASK)
    elif isinstance(value, Mapping):
        keys = [key for key, one in value.items() if one == _MASK]
        if not keys and _lacks_secret(value, same_tenant):
            keys = ["value"]
        for key in keys:
            yield _name_of_setting(value) or under(path, key)


def _lacks_secret(value: Mapping[str, Any], same_tenant: bool) -> bool:
    """Whether an object is a secret whose value Graph did not give, or only as a token that the tenant does not take."""
    if "omaUri" in value:
        is_secret = value.get("isEncrypted") is True or bool(value.get("secretReferenceValueId"))
        return is_secret and value.get("value") is None
    is_token = value.get("valueState") == _TOKEN_STATE
    is_secret = is_token or str(value.get("@odata.type", "")).lower().endswith(_SECRET_SETTING)
    return (is_token and not same_tenant) or (is_secret and value.get("value") is None)


def _name_of_setting(setting: Mapping[str, Any]) -> str:
    """What people know an OMA setting by; empty for what is none."""
    name = (setting.get("displayName") or setting["omaUri"]) if "omaUri" in setting else ""
    return quoted(str(name)) if name else ""


# ---- actions for non-compliance


def _wrong_actions(kind: GraphResource, body: Mapping[str, Any]) -> list[Reason]:
    """Graph takes exactly one block action (microsoft/Microsoft365DSC#6123)."""
    if not _has_rules(kind) or _lacks_actions(kind, body):
        return []
    blocks = sum(one.get("actionType") == "block" for one in _actions(body))
    if blocks == 1:
        return []
    return [(ACTIONS, f"{blocks or 'no'} block action{'s' if blocks else ''}: exactly one is wanted")]


def _lacks_actions(kind: GraphResource, body: Mapping[str, Any]) -> bool:
    """Whether a compliance policy has no action at all: Graph leaves them out where they are not asked for."""
    return _has_rules(kind) and not _actions(body)


def _has_rules(kind: GraphResource) -> bool:
    return any(part == _RULES for part, _, _ in kind.update.actions)


def _actions(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = [container[key] for container, key in find(body, f"{_RULES}[].{_CONFIGURATIONS}[]")]
    return [one for one in found if isinstance(one, Mapping)]


# ---- templates


def _kept_template(kind: GraphResource, template_unknown: bool) -> list[Reason]:
    """A policy that is nothing without its template."""
    if not template_unknown or kind.name in _DOWNGRADABLE:
        return []
    return [(TEMPLATE_UNKNOWN, "the tenant knows its template in another version only, and it cannot do without")]


def _leave_template(body: dict[str, Any]) -> None:
    """Make a plain policy of one with a template: that is then no security baseline."""
    for place in _OF_TEMPLATE:
        for container, key in find(body, place):
            del container[key]
    body["templateReference"] = dict(_NO_TEMPLATE)
