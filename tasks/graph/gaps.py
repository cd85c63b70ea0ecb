"""What is missing in a body although Graph answered: contents that are null, and secrets that are masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from tasks.graph.places import find
from tasks.graph.resource import GraphResource

_MASK: Final = "****"

GapCode = Literal["content_missing", "assignments_unknown", "reference_lost", "secret_unreadable"]


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that Graph did not give of an object."""

    code: GapCode
    #: What is missing, in words, such as `settings: 50 of 61`.
    detail: str


def gaps_of(kind: GraphResource, body: Mapping[str, Any]) -> list[Gap]:
    """What Graph answered and did not give: contents that are null, settings that are fewer than their count, values of
    administrative templates that do not say of what, and secrets that are masked.
    """
    gaps = [Gap("content_missing", f"{name}: empty") for name in kind.contents if body.get(name) is None]
    settings, count = body.get("settings"), body.get("settingCount")
    if isinstance(settings, list) and isinstance(count, int) and len(settings) != count:
        gaps.append(Gap("content_missing", f"settings: {len(settings)} of {count}"))
    values = [container[key] for container, key in find(body, "definitionValues[]")]
    if lost := sum(not isinstance(one, dict) or not _is_defined(one) for one in values):
        gaps.append(Gap("content_missing", f"definitions: {len(values) - lost} of {len(values)}"))
    if secrets := sum(_is_masked(container, key) for place in kind.secrets for container, key in find(body, place)):
        gaps.append(Gap("secret_unreadable", f"{secrets} secret value{'s' if secrets > 1 else ''} not readable"))
    return gaps


def lacks_key(network: Mapping[str, Any]) -> bool:
    """Whether a Wi-Fi profile needs a key and has none: Graph never gives keys back, and other networks have no key."""
    # Windows spells it another way than the other platforms.
    security = str(network.get("wiFiSecurityType") or network.get("wifiSecurityType")).lower()
    return network.get("preSharedKey") is None and security.endswith(("personal", "wep"))


def _is_defined(value: Mapping[str, Any]) -> bool:
    """Whether a value of an administrative template says which setting it is for: in full, or as exports bind it."""
    return bool(value.get("definition") or value.get("definition@odata.bind"))


def _is_masked(container: Any, key: Any) -> bool:
    value = container[key]
    if value is None:
        return lacks_key(container)
    return bool(value == _MASK) or container.get("valueState") == "encryptedValueToken"
