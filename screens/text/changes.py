"""Findings of drift as text, for the screens and the command line. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from store.intune.drift_page import DriftReport, ListedFinding
from store.model.records import Outcome, Status

#: What stands for a value that is not there.
NOTHING: Final = "nothing"
#: Characters of a list or an object that is shown as JSON.
_LONG: Final = 40
_WORDS: Final = {"added": "policy added", "removed": "policy removed", "order": "order changed"}


def caution(report: DriftReport) -> str:
    """Why a report may lack changes, in a sentence; empty if it has all of them."""
    if report.status is not Status.COMPLETED:
        return "The comparison is not finished: more may be found."
    if report.outcome is Outcome.SUCCEEDED:
        return ""
    if report.outcome is Outcome.PARTIALLY_SUCCEEDED:
        return f"Not everything could be compared: run {report.run_id} says what, and why."
    return f"The comparison failed: what is not here may have changed too. Run {report.run_id} says why."


def by_policy(findings: Iterable[ListedFinding]) -> Iterator[tuple[str, str, Sequence[ListedFinding]]]:
    """Findings grouped by policy, as (kind, name, findings), by kind and name."""
    ordered = sorted(findings, key=lambda one: (one.kind, one.policy_name.casefold(), one.external_id, one.id))
    for (kind, _), group in groupby(ordered, key=lambda one: (one.kind, one.external_id)):
        some = list(group)
        yield kind, some[0].policy_name, some


def compared_with(report: DriftReport) -> str:
    """What the newest syncs were compared with."""
    return f"backup set {report.backup_set_id}" if report.backup_set_id else "the sync before"


def value(given: Any) -> str:
    """A value on one line, as JSON; of a long list or object only how much it holds."""
    if given is None:
        return NOTHING
    text = json.dumps(given, ensure_ascii=False)
    if len(text) <= _LONG or not isinstance(given, list | dict):
        return text
    of = "element" if isinstance(given, list) else "property"
    many = "elements" if isinstance(given, list) else "properties"
    return f"{len(given)} {of if len(given) == 1 else many}"


def headline(finding: ListedFinding) -> str:
    """What changed, without the values."""
    return finding.words or _WORDS.get(finding.change, finding.path)


def sentence(finding: ListedFinding) -> str:
    """The change on one line, with its values. It is not cleaned and may be long."""
    if finding.words or finding.change in ("added", "removed"):
        return headline(finding)
    return f"{finding.path}: {headline(finding) + ': ' if finding.change == 'order' else ''}{_from_to(finding)}"


def _from_to(finding: ListedFinding) -> str:
    if finding.old is None:
        return f"{value(finding.new)} added"
    if finding.new is None:
        return f"{value(finding.old)} removed"
    return f"{value(finding.old)} → {value(finding.new)}"
