"""Groups of a generated tenant: of every type, with names as people give them (accents in both spellings, the same name
twice, blanks at the end).
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

_WHO: Final = ("Geräte", "Usuários", "Élèves", "Piloten", "Kiosk", "Vorstand", "Førstelinje")
_WHERE: Final = ("Zürich", "Kraków", "Århus", "São Paulo", "Berlin", "Tallinn")
_NOT_SYNCED: Final = {"onPremisesSyncEnabled": None, "onPremisesLastSyncDateTime": None}
#: What each type has: assigned by hand, dynamic, synced from a directory on premises, Microsoft 365.
_TYPES: Final[tuple[Mapping[str, Any], ...]] = (
    {"groupTypes": [], **_NOT_SYNCED},
    {"groupTypes": ["DynamicMembership"], "membershipRuleProcessingState": "On", **_NOT_SYNCED},
    {"groupTypes": [], "onPremisesSyncEnabled": True, "onPremisesLastSyncDateTime": "2026-09-30T06:00:00Z"},
    {"groupTypes": ["Unified"], "visibility": "Private", **_NOT_SYNCED},
)


def make_group(slug: str, seed: int, number: int, id_: str) -> dict[str, Any]:
    """The group with this number and id, as v1.0 gives it. Of 16 in a row some are of every type and have every oddity."""
    name = _name(slug, seed, number)
    type_ = _TYPES[(number + number // 4) % 4]  # policies take every fourth group: those must not be of one type
    is_mailed = "Unified" in type_["groupTypes"]
    nickname = f"group{number}"
    rule = f'(device.displayName -startsWith "{number:04}-")'
    return {
        "id": id_,
        "displayName": name,
        "description": f"Simulated: {name.strip()}" if number % 3 else None,
        "createdDateTime": f"2025-{1 + number % 12:02}-{1 + number % 28:02}T08:00:00Z",
        "securityEnabled": not is_mailed,
        "mailEnabled": is_mailed,
        "mailNickname": nickname,
        "mail": f"{nickname}@{slug}.example.com" if is_mailed else None,
        "membershipRule": rule if "DynamicMembership" in type_["groupTypes"] else None,
        **type_,
    }


def _name(slug: str, seed: int, number: int) -> str:
    if number % 8 == 5:  # the name of the one before
        return _name(slug, seed, number - 1)
    chance = random.Random(f"{slug}/{seed}/{number}")  # noqa: S311 (reproducible, not secret)
    name = f"{chance.choice(_WHO)} {chance.choice(_WHERE)} {number:04}"
    if number % 8 == 3:
        return f"{name} "
    # Each accent a character of its own, as macOS writes them: the name looks the same and is another one.
    return unicodedata.normalize("NFD", name) if number % 8 == 6 else name
