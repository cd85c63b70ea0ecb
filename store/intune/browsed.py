"""What the screens ask of the inventory, and what they get: kinds, a page of policies, one policy with its versions.

What was read is returned as it is: whoever shows it cleans it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from store.model.records import Count, Tenant


class Place(NamedTuple):
    """A place in the list of a kind's policies: the folded name and the id of the policy before it."""

    folded: str
    id: int


@dataclass(frozen=True, slots=True)
class KindsWanted:
    """Asks for the kinds of the tenant with this slug."""

    tenant: str


@dataclass(frozen=True, slots=True)
class PoliciesWanted:
    """Asks for a page of a kind: policies whose name has `text` in it, behind the place `after` (None: from the first)."""

    tenant: str
    kind: str
    text: str = ""
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class PolicyWanted:
    """Asks for a policy and one of its versions (None: the newest); with `compared`, also for the body before that one."""

    policy_id: int
    version_id: int | None = None
    compared: bool = False


Wanted = KindsWanted | PoliciesWanted | PolicyWanted


@dataclass(frozen=True, slots=True)
class KindState:
    """A kind of which the tenant has, or had, policies."""

    kind: str
    #: How many were there when the kind was last read, and how many others were there before.
    present: int
    missing: int
    #: When any of them was last seen.
    last_seen_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds of a tenant, by name."""

    tenant: Tenant
    kinds: tuple[KindState, ...]


@dataclass(frozen=True, slots=True)
class ListedPolicy:
    """A policy in a list. `completeness` is None if no version of it was ever read."""

    id: int
    name: str
    platform: str | None
    last_seen_at: dt.datetime
    #: Since when it is gone; None while it is there.
    missing_since: dt.datetime | None
    completeness: str | None = None
    #: As Microsoft Graph gives them; None if they are unknown.
    assignments: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class PolicyPage:
    """A page of the policies of a kind, by name."""

    tenant: Tenant
    policies: tuple[ListedPolicy, ...]
    #: How many there are on all pages.
    matching: Count
    #: The place of the next page; None if this is the last one.
    next: Place | None
    #: Names of the groups in the assignments, by their ids; unknown ones are left out.
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VersionState:
    """A version of a policy: from when to when it was seen, and whether it is whole."""

    id: int
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    completeness: str


@dataclass(frozen=True, slots=True)
class Version:
    """What a policy was. `body` is None where it was not asked for."""

    state: VersionState
    content_hash: str
    #: As Microsoft Graph gives them; None if they could not be read.
    assignments: tuple[Any, ...] | None
    #: What Microsoft Graph did not give, as objects with `code` and `detail`.
    gaps: tuple[Any, ...]
    body: Any = None


@dataclass(frozen=True, slots=True)
class PolicyDetail:
    """A policy with its newest versions, the newest first."""

    tenant: Tenant
    id: int
    kind: str
    external_id: str
    name: str
    description: str | None
    platform: str | None
    #: What a list shows of it.
    listed: Any
    modified_at: dt.datetime | None
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    missing_since: dt.datetime | None
    versions: tuple[VersionState, ...] = ()
    has_more_versions: bool = False
    #: The version that was asked for, and the one before it; None if there is none.
    shown: Version | None = None
    before: Version | None = None
    #: Names of groups and of filters in the shown version's assignments, by their ids; unknown ones are left out.
    groups: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def bodies(self) -> dict[str, Any]:
        """The bodies that were read, by their hashes."""
        return {one.content_hash: one.body for one in (self.shown, self.before) if one and one.body is not None}


Found = Kinds | PolicyPage | PolicyDetail
