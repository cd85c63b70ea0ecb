"""What opsmon has to know of a kind of Intune object: the columns of the table in resources.py.

Paths have no version: everything of Intune is read and written through beta (see versions.py). A place in a body is
written as a path of keys; `[]` stands for each element of a list, `**.` for any depth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

KindName = Literal[
    "configuration_policies",
    "linux_compliance_policies",
    "device_configurations",
    "compliance_policies",
    "scripts",
    "shell_scripts",
    "custom_attributes",
    "health_scripts",
    "mobile_apps",
    "managed_app_policies",
    "administrative_templates",
    "assignment_filters",
    "scope_tags",
    "role_definitions",
    "role_assignments",
    "notification_templates",
    "reusable_settings",
    "enrollment_configurations",
    "feature_update_profiles",
    "quality_update_profiles",
    "driver_update_profiles",
    "quality_update_policies",
    "intents",
]

#: What a reference leads to: an object of a kind, or a group of the directory.
Target = KindName | Literal["groups"]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a body."""

    path: str
    #: It counts only in an object whose `@odata.type` ends with this, in lower case; empty for any.
    of_type: str = ""
    #: It counts only where this property beside it is true; empty for always.
    flag: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A place that holds the id of another object, or a list of ids."""

    place: Place
    to: Target


@dataclass(frozen=True, slots=True)
class Child:
    """A collection or an object that belongs to the body but is read from a path of its own."""

    #: The key that it has in the body.
    key: str
    #: The path after the object's own, with its query.
    path: str
    #: It is one object, not a collection.
    single: bool = False
    #: Ends of the `@odata.type`s that have it, in lower case; empty for all.
    of_types: tuple[str, ...] = ()
    #: What each of its elements is read with, in turn.
    children: tuple[Child, ...] = ()


@dataclass(frozen=True, slots=True)
class Create:
    """How an object is made."""

    #: The path of the POST, when it is not the collection's; `{…}` is a property of the body.
    path: str = ""
    #: `@odata.type` has to be sent.
    typed: bool = False
    #: Properties that are sent afterwards by requests of their own.
    afterwards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """How an object is changed."""

    method: Literal["PATCH", "PUT"] = "PATCH"
    #: Properties that are left out of the request: fixed at creation, or changed by an action.
    without: tuple[str, ...] = ()
    #: Properties with an action of their own, as (property, action, key of the action's body).
    actions: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class GraphResource:
    """One kind of object."""

    #: The internal name; it stands in databases and in the parameters of runs.
    name: KindName
    #: The name for people, in the plural.
    label: str
    #: The path of its collection, without a version.
    path: str
    #: The permission without its end: `.Read.All` reads, `.ReadWrite.All` writes.
    permission: str
    #: Its place in the order of a restore: what others refer to comes first.
    order: int
    #: The property with its name.
    name_field: str = "displayName"
    #: The platform of all its objects; empty if they differ (see `platform_of` in resources.py).
    platform: str = ""
    #: What the list is asked with, to come with assignments and parts. Graph may refuse it: then each object is asked.
    list_expand: str = ""
    #: The list leaves contents out: each object is read by a GET of its own, with this `$expand`; None if the list has all.
    item_expand: str | None = None
    #: The path that a GET of one object uses instead of `path`, by the end of its `@odata.type` in lower case.
    typed_paths: Mapping[str, str] = field(default_factory=dict)
    children: tuple[Child, ...] = ()
    #: The key in the body of POST /assign; None if the kind has no assignments.
    assign: str | None = "assignments"
    #: Contents that must be text for the object to be whole; null means that Graph did not give them.
    contents: tuple[str, ...] = ()
    #: Values that Graph masks, or gives only a token for.
    secrets: tuple[Place, ...] = ()
    #: Properties that change although nobody changed the object, beside those of every kind.
    volatile: tuple[str, ...] = ()
    #: Lists without an order, beside those of every kind.
    sets: tuple[str, ...] = ()
    #: Places with ids of other objects, beside those of every kind.
    references: tuple[Reference, ...] = ()
    #: Properties that a POST must not carry, beside the volatile ones and those of every kind.
    strip: tuple[str, ...] = ()
    create: Create = Create()
    update: Update = Update()

    @property
    def read_permission(self) -> str:
        """The application permission that reading needs."""
        return f"{self.permission}.Read.All"

    @property
    def write_permission(self) -> str:
        """The application permission that creating, changing and assigning needs."""
        return f"{self.permission}.ReadWrite.All"

    def item_path(self, item: Mapping[str, Any]) -> str:
        """The path of one object, from its `id` and `@odata.type`."""
        type_ = str(item.get("@odata.type", "")).lower()
        path = next((path for end, path in self.typed_paths.items() if type_.endswith(end)), self.path)
        return f"{path}/{quote(str(item['id']), safe='')}"
