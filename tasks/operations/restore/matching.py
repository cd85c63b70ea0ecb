"""What in the target tenant an item of a backup is.

In the same tenant the id tells. Else the name does, with its blanks and its case, among objects that are alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from tasks.graph.resource import GraphResource
from tasks.graph.resources import BY_NAME, name_of
from tasks.operations.restore.makeable import default_of, is_built_in, why_not_makeable
from tasks.operations.restore.words import quoted

Body = Mapping[str, Any]

#: The id and the name of the scope tag that every tenant has.
_DEFAULT_TAG: Final = ("0", "Default")
#: Properties that tell two objects of one name apart, where both have them.
_TELLING: Final = ("@odata.type", "platforms", "isBuiltIn", "isBuiltInRoleDefinition", "isGlobalScript")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object of the target tenant."""

    id: str
    name: str
    #: Its `@odata.type`; empty if it has none.
    type: str
    #: As it was listed.
    body: Body


@dataclass(frozen=True, slots=True)
class Match:
    """What an item is in the target tenant."""

    #: `none`: it can be made. `not_makeable`: it is not there, and cannot be made. `differs`: an object stands in its place
    #: that is not the same.
    state: Literal["found", "none", "ambiguous", "differs", "not_makeable"]
    #: The object's id in the target, if found or differing.
    id: str = ""
    #: The objects that were found: several if ambiguous.
    candidates: tuple[Candidate, ...] = ()
    #: Why it was not found, if there is more to say; one line.
    words: str = ""
    #: The failure's code, if the target could not be asked.
    code: str = ""
    #: It was found, but its body cannot be written: only its assignments can be restored.
    assignments_only: bool = False


def match(
    kind: GraphResource, name: str, external_id: str, body: Body, candidates: Sequence[Body], *, same_tenant: bool
) -> Match:
    """Finds an item among all objects of its kind in the target, as they were listed.

    The id of an object that was renamed counts in the same tenant. A filter is the same only with the same rule, platform
    and management type. Built-in scope tags and default enrollment configurations are found by being that.
    """
    listed = [_candidate(one) for one in candidates if one.get("id")]
    if kind.name == "scope_tags" and (external_id == "0" or is_built_in(body) or name == _DEFAULT_TAG[1]):
        return _default_tag(listed)
    hits = [one for one in listed if same_tenant and external_id and one.id.lower() == external_id.lower()]
    if not hits:
        hits = [one for one in listed if _is_named(kind, name, external_id, body, one)]
    if not hits:
        why = why_not_makeable(kind, external_id, body)
        return Match("not_makeable", words=why) if why else Match("none")
    return _of_hits(kind, external_id, body, hits)


def match_with(kind: GraphResource, external_id: str, body: Body, other: Body) -> Match:
    """What an item is whose object in the target is known: somebody chose it, or an earlier attempt made it. The rules of what
    is the same, and of what can be written, hold for it, too.
    """
    return _of_hits(kind, external_id, body, [_candidate(other)])


def resolve_tag(tag: str, names: Mapping[str, str | None], candidates: Sequence[Body], *, same_tenant: bool) -> Match:
    """Finds the scope tag that an element of `roleScopeTagIds` means.

    `names` are the names by id that the backup has. Exports of other tools may hold names instead of ids: what is no number
    and is not known as an id is a name. The id of one tenant never counts in another, but for the built-in one.
    """
    name = names.get(tag) or ("" if tag.isdecimal() else tag)
    found = match(BY_NAME["scope_tags"], name, tag, {}, candidates, same_tenant=same_tenant)
    return replace(found, words=f"the backup has no name for scope tag {tag}") if not name and not found.id else found


def find_definition(definition: Body, definitions: Sequence[Body]) -> Match:
    """Finds the definition of an administrative template among those of the target.

    Built-in ones have the same id everywhere. One of an uploaded ADMX file gets a new id with every upload: it is found by
    class, name and category (Micke-K/IntuneManagement#84, #124).
    """
    id_, uploaded = str(definition.get("id") or ""), definition.get("policyType") == "admxIngested"
    if id_ and definition.get("policyType") and not uploaded:
        return Match("found", id_)
    hits = [_candidate(one) for one in definitions if one.get("id") and _definition(one) == _definition(definition)]
    # Without a policy type it may be a built-in one: then its id is there.
    hits = [one for one in hits if one.id == id_] or hits
    if not hits:
        what = f"{quoted(str(definition.get('displayName')))} in {quoted(str(definition.get('categoryPath')))}"
        return Match("not_makeable", words=f"the target has no ADMX file with {what}")
    return _found(hits)


# ---- by name


def _candidate(body: Body) -> Candidate:
    return Candidate(str(body["id"]), name_of(body), str(body.get("@odata.type") or ""), body)


def _is_named(kind: GraphResource, name: str, external_id: str, body: Body, other: Candidate) -> bool:
    """Whether an object of the target is the item by its name, or is the same default of enrollment."""
    if not all(_are_alike(body.get(key), other.body.get(key)) for key in _TELLING):
        return False
    default = default_of(kind, external_id, body)
    if default != default_of(kind, other.id, other.body):
        return False
    return bool(default) or (name != "" and other.name == name)


def _are_alike(one: Any, other: Any) -> bool:
    return one in (None, "") or other in (None, "") or str(one).lower() == str(other).lower()


def _definition(body: Body) -> tuple[Any, ...]:
    return str(body.get("classType")).lower(), body.get("displayName"), body.get("categoryPath")


# ---- what was found


def _of_hits(kind: GraphResource, external_id: str, body: Body, hits: list[Candidate]) -> Match:
    found = _found(hits)
    if found.state != "found":
        return found
    hit = hits[0]
    differences = _differences_of_filters(body, hit.body) if kind.name == "assignment_filters" else ""
    if differences:
        words = f"the filter {quoted(hit.name)} of the target differs: {differences}"
        return replace(found, state="differs", words=words)
    is_theirs = why_not_makeable(kind, external_id, body) or why_not_makeable(kind, hit.id, hit.body)
    return replace(found, assignments_only=bool(is_theirs) and kind.name != "enrollment_configurations")


def _found(hits: list[Candidate]) -> Match:
    if len(hits) == 1:
        return Match("found", hits[0].id, tuple(hits))
    ids = ", ".join(one.id for one in hits)
    return Match("ambiguous", candidates=tuple(hits), words=f"the target has {len(hits)} of that name: {ids}")


def _default_tag(listed: list[Candidate]) -> Match:
    hit = next((one for one in listed if one.id == _DEFAULT_TAG[0] or is_built_in(one.body)), None)
    return Match("found", hit.id if hit else _DEFAULT_TAG[0], (hit,) if hit else (), assignments_only=True)


def _differences_of_filters(backup: Body, target: Body) -> str:
    """How two filters differ in what they match; empty if they match the same. A rule counts without its outer blanks."""
    rules = [str(one.get("rule") or "").strip() for one in (backup, target)]
    platforms = [str(one.get("platform") or "") for one in (backup, target)]
    management = [str(one.get("assignmentFilterManagementType") or "devices") for one in (backup, target)]
    told = [_differing("rule", rules, same=rules[0] == rules[1])]
    for what, values in (("platform", platforms), ("management type", management)):
        told.append(_differing(what, values, same=values[0].lower() == values[1].lower()))
    return "; ".join(one for one in told if one)


def _differing(what: str, values: list[str], *, same: bool) -> str:
    return "" if same else f"its {what} is {quoted(values[1])}, in the backup {quoted(values[0])}"
