"""`opsmon retry`: retries one or several runs, with changed parameters if given, or as a dry run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from opsmon.cli.commands.runs import COULD_NOT, DONE, RECEIPTS, given_parameters, show_receipt
from opsmon.cli.commands.session import Session
from opsmon.cli.run_text import run_line
from opsmon.output import table
from store.errors import DatabaseAway, InputInvalid, OpsmonError
from store.model.records import Run
from tasks.dispatch import DryRunResult, Receipt, Started, Verdict
from tasks.sdk.operation import Operation


@dataclass(frozen=True, slots=True)
class Edit:
    """The values of --param (name and text), which replace the run's own parameters in a retry."""

    given: tuple[tuple[str, str], ...]

    def __call__(self, operation: Operation, run: Run) -> Mapping[str, Any]:
        """The parameters of the retry. Raises InputInvalid.

        Once any parameter is given, those that the operation no longer has are dropped.
        """
        if not self.given:
            return run.parameters
        forms = {parameter.name: parameter for parameter in operation.parameters}
        texts = given_parameters(operation, self.given)
        unknown = [name for name in texts if name not in forms]
        if unknown:
            raise InputInvalid(f"there is no parameter '{unknown[0]}'", f"known are: {', '.join(forms) or 'none'}")
        old = {name: value for name, value in run.parameters.items() if name in forms}
        return old | {name: forms[name].parse(text) for name, text in texts.items()}


def retry(session: Session, arguments: argparse.Namespace) -> int:
    """Retry the runs, or predict their retries. Returns the exit code."""
    ids, edit = list(dict.fromkeys(arguments.run_ids)), Edit(tuple(arguments.parameters))
    if arguments.dry_run:
        if arguments.wait is not None:
            raise InputInvalid("a dry run starts nothing to wait for", "leave --wait out")
        return _dry_run(session, ids, edit)
    if len(ids) == 1:
        return show_receipt(session, _retry(session, ids[0], edit), arguments.wait)
    if arguments.wait is not None:
        raise InputInvalid("only one run can be waited for", "leave --wait out, or retry one run")
    return _retry_all(session, ids, edit)


def _retry(session: Session, run_id: int, edit: Edit) -> Started:
    dispatcher, user = session.services.dispatcher, session.user
    if not edit.given:
        return dispatcher.retry(user, run_id)
    operation, run = dispatcher.to_retry(user, run_id)
    return dispatcher.retry(user, run_id, edit(operation, run))


# ---- a dry run


def _dry_run(session: Session, ids: Sequence[int], edit: Edit) -> int:
    user = session.user
    found = session.services.dispatcher.dry_run_retries(user, ids, edit)
    session.output.show([_dry_run_as_json(one) for one in found], lambda: _dry_run_text(found))
    return COULD_NOT if any(one.verdict is Verdict.REFUSED for one in found) else DONE


def _dry_run_as_json(one: DryRunResult) -> dict[str, Any]:
    return {
        "run_id": one.run_id,
        "fate": one.verdict,
        "twin_id": one.twin_id,
        "same_as": one.same_as,
        "code": one.code or None,
        "reason": one.reason or None,
        "type": one.run.type if one.run else None,
        "tenant": one.run.tenant if one.run else None,
    }


def _dry_run_text(found: Sequence[DryRunResult]) -> str:
    rows = [
        (
            one.run_id,
            one.run.tenant if one.run else None,
            one.run.type if one.run else None,
            _VERDICTS[one.verdict],
            _why(one),
        )
        for one in found
    ]
    counts = ", ".join(
        f"{sum(one.verdict is verdict for one in found)} {words}" for verdict, words in _VERDICTS.items()
    )
    return (
        f"{table(('RUN', 'TENANT', 'TYPE', 'RETRY', 'WHY'), rows, right=[0])}\nDry run, nothing was started: {counts}."
    )


_VERDICTS: Final = {Verdict.ELIGIBLE: "eligible", Verdict.JOINS: "joins a twin", Verdict.REFUSED: "refused"}


def _why(one: DryRunResult) -> str:
    if one.twin_id:
        return f"run {one.twin_id} is active"
    return f"the same as run {one.same_as} of this list" if one.same_as else one.reason


# ---- several runs


def _retry_all(session: Session, ids: Sequence[int], edit: Edit) -> int:
    """Retry each run and print a receipt for each. After the database has failed, the rest are reported as not retried."""
    receipts: list[tuple[int, Started | OpsmonError]] = []
    away: DatabaseAway | None = None
    for run_id in ids:
        try:
            receipts.append((run_id, away or _retry(session, run_id, edit)))
        except OpsmonError as error:
            away = error if isinstance(error, DatabaseAway) else None
            receipts.append((run_id, error))
    session.output.show(
        [_receipt_as_json(*one) for one in receipts], lambda: "\n".join(_receipt_line(*one) for one in receipts)
    )
    wrong = [run_id for run_id, receipt in receipts if not _went_well(receipt)]
    if not wrong:
        return DONE
    sys.stdout.flush()
    sys.stderr.write(f"opsmon: {len(wrong)} of {len(ids)} runs were not retried: the answer names each\n")
    return COULD_NOT


def _went_well(receipt: Started | OpsmonError) -> bool:
    return isinstance(receipt, Started) and receipt.receipt is not Receipt.DISPATCH_FAILED


def _receipt_as_json(run_id: int, receipt: Started | OpsmonError) -> dict[str, Any]:
    if isinstance(receipt, Started):
        return {"retry_of": run_id, "receipt": receipt.receipt, "run": receipt.run}
    return {"retry_of": run_id, "receipt": "refused", "run": None, "code": receipt.code, "reason": str(receipt)}


def _receipt_line(run_id: int, receipt: Started | OpsmonError) -> str:
    words = (
        f"{RECEIPTS[receipt.receipt]} {run_line(receipt.run)}"
        if isinstance(receipt, Started)
        else f"Refused: {receipt}."
    )
    return f"Run {run_id}: {words}"
