"""What the demo's colleagues do all day: an endless list of starts, the same for the same dice. Pure; life.py acts it out."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

#: Seconds between two starts: the shortest and the longest pause, and the one within a wave.
PAUSES: Final = (4.0, 6.0)
WAVE_PAUSE: Final = 0.5
#: Long runs of a wave: with what runs already they are more than the demo's workers have slots, so that one waits.
WAVE: Final = 5
PROBE: Final = "system.probe"
#: Reasons that probes fail for.
ERRORS: Final = (
    "the certificate of gateway-3 has expired",
    "no answer from the enrollment connector within 30 s",
    "ring 2 is frozen until Monday: change CHG0041877",
    "the token of the app store connector was revoked",
)
#: Kinds of policy that colleagues back up, two at a time.
_BACKED_UP: Final = ("configuration_policies", "device_configurations", "compliance_policies", "scripts")

Role = Literal["operator", "manager"]


@dataclass(frozen=True, slots=True)
class Act:
    """One start by one colleague."""

    #: The colleague, by the role in the tenant contoso.
    by: Role
    #: The tenant's slug.
    tenant: str
    type: str
    parameters: Mapping[str, Any]
    #: Seconds until the next act.
    pause: float = 5.0


def acts(dice: random.Random) -> Iterator[Act]:
    """Yield acts without end, in rounds of about a minute that hold every kind once. The first round is in the written order."""
    number, round_ = 0, list(_round(dice, 0))
    while True:
        yield from round_
        number += 1
        *middle, drift = _round(dice, number)
        parts = [middle[:-WAVE], middle[-WAVE:]]
        dice.shuffle(parts[0])
        cut = dice.randrange(len(parts[0]))
        round_ = [*parts[0][:cut], *parts[1], *parts[0][cut:], drift]


def _round(dice: random.Random, number: int) -> Iterator[Act]:
    ring = number % 9 + 1
    singles = [
        _probe("operator", "contoso", dice, items=(30, 50), key=f"ring-{ring}"),
        Act("manager", "contoso", "inventory.sync", {}),
        # Nothing of it succeeds: else it would have done so in part.
        _probe(
            "operator", "fabrikam", dice, items=(8, 8), skip_items=8, key=f"gateway-{ring}", error=dice.choice(ERRORS)
        ),
        Act("operator", "fabrikam", "directory_groups.sync", {}),
        _probe("manager", "contoso", dice, items=(20, 40), key=f"kiosk-{ring}", fail_items=dice.randint(1, 4)),
        Act("operator", "contoso", "policy.sync", {}),
        Act("operator", "fabrikam", "inventory.sync", {}),
        _backup(dice, ring),
        _probe("operator", "contoso", dice, items=(12, 30), key=f"pilot-{ring}", skip_items=dice.randint(2, 6)),
    ]
    yield from (replace(one, pause=dice.uniform(*PAUSES)) for one in singles)
    for place in range(WAVE):
        long = _probe("operator", "contoso", dice, items=(30, 45), key=f"site-{place + 1}.{number}")
        yield replace(long, pause=dice.uniform(*PAUSES) if place == WAVE - 1 else WAVE_PAUSE)
    yield Act("manager", "contoso", "drift.generate", {}, dice.uniform(*PAUSES))


def _probe(by: Role, tenant: str, dice: random.Random, items: tuple[int, int], **more: Any) -> Act:
    seconds = round(dice.uniform(0.4, 0.8), 1)
    return Act(by, tenant, PROBE, {"items": dice.randint(*items), "seconds": seconds, **more})


def _backup(dice: random.Random, ring: int) -> Act:
    kinds = sorted(dice.sample(_BACKED_UP, 2))
    return Act("manager", "contoso", "backup_set.create", {"name": f"Before ring {ring}", "kinds": kinds})
