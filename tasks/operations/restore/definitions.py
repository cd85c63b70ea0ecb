"""Administrative templates of uploaded ADMX files: every upload gives their definitions new ids (Micke-K/IntuneManagement#84,
#124), and the elements of the definitions, the presentations, too.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tasks.operations.restore.matching import Body, Match, find_definition
from tasks.operations.restore.words import quoted

#: The presentations of definitions, by the id of the definition.
Presentations = Mapping[str, Sequence[Body]]
_NONE: Final[Presentations] = {}


def ingested(body: Body) -> bool:
    """Whether some value of an administrative template is for a definition of an uploaded ADMX file."""
    return any(True for _ in _uploaded(body))


def wanted_presentations(body: Body, definitions: Sequence[Body]) -> list[str]:
    """The ids of the target's definitions of which `rebind_definitions` has to know the presentations, each once."""
    wanted: dict[str, None] = {}
    for value, definition in _uploaded(body):
        found = find_definition(definition, definitions)
        if found.state == "found" and found.id != definition.get("id") and _presented(value):
            wanted[found.id] = None
    return list(wanted)


def rebind_definitions(
    body: Body, definitions: Sequence[Body], presentations: Presentations = _NONE
) -> tuple[dict[str, Any], list[str]]:
    """A copy of an administrative template with the target's ids of definitions of uploaded ADMX files. Built-in ones have
    the same ids everywhere and are left alone.

    `definitions` are those of the target that are `admxIngested`, as Graph lists them. Their presentations are expanded in
    them, or given by the definition's id. The second value lists what is missing, each once: a definition by its name and
    category, with the element that it lacks. The old id of it still stands in the body, which must not be sent.
    """
    made = copy.deepcopy(dict(body))
    missing: dict[str, None] = {}
    for value, definition in _uploaded(made):
        found = find_definition(definition, definitions)
        if found.state != "found":
            missing[_name(definition) + _why(found)] = None
        elif found.id != definition.get("id"):
            value["definition"] = {**definition, "id": found.id}
            theirs = presentations.get(found.id) or found.candidates[0].body.get("presentations") or ()
            for words in _rebind_presentations(_presented(value), theirs):
                missing[f"{_name(definition)}: {words}"] = None
    return made, list(missing)


# ---- the values


def _uploaded(body: Body) -> Iterator[tuple[dict[str, Any], Body]]:
    """The values for definitions of uploaded ADMX files, with those definitions."""
    values = body.get("definitionValues")
    for value in values if isinstance(values, list) else ():
        definition = value.get("definition") if isinstance(value, dict) else None
        if isinstance(definition, Mapping) and definition.get("policyType") == "admxIngested":
            yield value, definition


def _presented(value: Body) -> list[dict[str, Any]]:
    """The presentation values of a value that say which presentation they are for. Others are never sent."""
    values = value.get("presentationValues")
    dicts = [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []
    return [one for one in dicts if one.get("presentation") or one.get("presentation@odata.bind")]


def _name(definition: Body) -> str:
    return f"{quoted(str(definition.get('displayName')))} in {quoted(str(definition.get('categoryPath')))}"


def _why(found: Match) -> str:
    return f": {found.words}" if found.state == "ambiguous" else ""


# ---- presentations


def _rebind_presentations(values: list[dict[str, Any]], theirs: Sequence[Body]) -> Iterator[str]:
    """Give each value the id of the target's presentation, and say of which there is none."""
    given = [one["presentation"] if isinstance(one.get("presentation"), Mapping) else {} for one in values]
    for index, (value, presentation) in enumerate(zip(values, given, strict=True)):
        found = _found(index, given, theirs)
        if found is None:
            yield f"no element {quoted(_label(presentation))}" if _label(presentation) else f"no element {index + 1}"
        else:
            # A bind of the source says its ids: the presentation goes before it.
            value.pop("presentation@odata.bind", None)
            value["presentation"] = {**presentation, "id": found["id"]}


def _found(index: int, given: Sequence[Body], theirs: Sequence[Body]) -> Body | None:
    """The target's presentation for one of the source: the one with its label, or of several that are alike the one at the
    same position among them. None if there is none, or another number of them: then the position says nothing. An export
    may not tell the label; where there is but one element, it is that.
    """
    if len(given) == len(theirs) == 1 and not _label(given[0]) and theirs[0].get("id"):
        return theirs[0]
    alike = [at for at, one in enumerate(given) if _are_alike(one, given[index])]
    there = [one for one in theirs if one.get("id") and _are_alike(one, given[index])]
    if len(there) != len(alike):
        return None
    return there[alike.index(index)]


def _are_alike(one: Body, other: Body) -> bool:
    """Whether two presentations have the same label and, where both say it, are of the same type."""
    types = [str(each.get("@odata.type") or "").lower() for each in (one, other)]
    return _label(one) == _label(other) and (types[0] == types[1] or "" in types)


def _label(presentation: Body) -> str:
    return str(presentation.get("label") or "")
