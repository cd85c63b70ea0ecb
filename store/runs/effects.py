"""The effects of transitions: notifications, rescue records, and the status of a restore that a run carries out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa

from store.model.json_columns import json_object_of
from store.model.records import Counts, Failure
from store.model.tables import audit_events, notifications, rescues, restore_items, restore_runs, tenants, users
from store.model.types import Json
from store.people.audit import RUN_RETRIED, RUN_STARTED
from store.runs.transition import Effect, insert_or_ignore

_COLUMNS = ("run_id", "user_id", "kind", "title", "body", "created_at")


def queued_notification(done: sa.FromClause) -> sa.Insert:
    """The effect of queueing a run: notifies its initiator, at most once for a run."""
    return _notification(done, "queued", sa.literal(" queued"), sa.literal("Waiting for a worker."))


def completed_notification(done: sa.FromClause) -> sa.Insert:
    """The effect of completing a run: notifies its initiator. Bind parameters: `p_title` (the title's suffix) and `p_body`."""
    return _notification(
        done, "completed", sa.bindparam("p_title", type_=sa.Text), sa.bindparam("p_body", type_=sa.Text)
    )


def _notification(
    done: sa.FromClause, kind: str, suffix: sa.ColumnElement[str], body: sa.ColumnElement[str]
) -> sa.Insert:
    title = sa.func.coalesce(done.c.label, done.c.type).concat(suffix)
    full_body = tenants.c.slug.concat(": ").concat(body)
    columns = (done.c.id, done.c.user_id, sa.literal(kind), title, full_body, done.c.updated_at)
    # The body needs the tenant's slug. Runs of the system have nobody to notify.
    source = (
        sa.select(*columns)
        .join_from(done, tenants, tenants.c.id == done.c.tenant_id)
        .where(done.c.user_id.is_not(None))
    )
    return insert_or_ignore(notifications, _COLUMNS, source)


def completed_body(counts: Counts | None, failures: Sequence[Failure]) -> str:
    """The body of the completed notification, without the tenant: the counts and the first failure, in one line."""
    parts = []
    if counts and counts.total:
        parts.append(f"{counts.success} of {counts.total} done")
        parts += [f"{n} {word}" for n, word in ((counts.failed, "failed"), (counts.skipped, "skipped")) if n]
    if failures:
        parts.append(failures[0].message)
    return ", ".join(parts) + "." if parts else "Done."


def mirrored(done: sa.FromClause) -> sa.Update:
    """The effect of every change of a run that carries out a restore: the restore has the run's state."""
    its, item = restore_runs.alias("its"), restore_items.c
    waits = (
        sa.select(item.id)
        .join_from(its, restore_items, item.restore_id == its.c.id)
        .where(its.c.run_id == done.c.id, item.result == "waiting")
        .correlate(done)
        .exists()
    )
    status = sa.case(
        (done.c.status == "queued", "queued"),
        (done.c.status == "running", "running"),
        (waits, "waiting_for_approval"),
        (done.c.outcome == "succeeded", "completed"),
        (done.c.outcome == "partially_succeeded", "partial"),
        else_="failed",
    )

    def of_the_run(value: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
        query = sa.select(value).select_from(done).where(done.c.id == restore_runs.c.run_id)
        return query.correlate(restore_runs).scalar_subquery()

    # Along the index of `run_id`: most runs are not those of restores.
    return (
        sa.update(restore_runs)
        .where(restore_runs.c.run_id.in_(sa.select(done.c.id)))
        .values(status=of_the_run(status), updated_at=of_the_run(done.c.updated_at))
    )


_rescue = rescues.c

#: The values of `rescues.what`.
What = Literal["lost", "queued", "queued_again"]


def rescued(what: What) -> Effect:
    """The effect of a rescuer's change: inserts a rescue record, for a lost run with the lost worker."""

    def effect(done: sa.FromClause) -> sa.Insert:
        worker = done.c.worker_id if what == "lost" else sa.null()
        source = sa.select(
            done.c.id, sa.literal(what, sa.Text), sa.cast(worker, _rescue.worker_id.type), done.c.updated_at
        )
        return sa.insert(rescues).from_select(["run_id", "what", "worker_id", "at"], source)

    return effect


_AUDITED = ("at", "user_id", "login", "origin", "tenant_id", "action", "subject", "detail", "run_id")


def start_audited(done: sa.FromClause) -> sa.Insert:
    """The effect of opening a run for a user: the audit trail says who started it, from where. Bind parameters: `p_origin`, and
    `p_audit_detail`.

    A run of the system is started by nobody, and a preview by whoever executes its restore, which is an event of its own.
    """
    detail = sa.bindparam("p_audit_detail", type_=Json)
    return _audited(done, RUN_STARTED, done.c.id, detail, sa.true())


def retry_audited(done: sa.FromClause) -> sa.Insert:
    """The same of the run that this one retries: who did, and as which run."""
    detail = json_object_of(sa.literal_column("'run'"), done.c.id)
    return _audited(done, RUN_RETRIED, done.c.retry_of_id, detail, done.c.retry_of_id.is_not(None))


def _audited(
    done: sa.FromClause,
    action: str,
    run_id: sa.ColumnElement[int],
    detail: sa.ColumnElement[Any],
    condition: sa.ColumnElement[bool],
) -> sa.Insert:
    subject = sa.literal("run ", sa.Text).concat(sa.cast(run_id, sa.Text))
    values = (
        done.c.created_at,
        done.c.user_id,
        users.c.login,
        sa.bindparam("p_origin", type_=sa.Text),
        done.c.tenant_id,
        sa.literal(action, sa.Text),
        subject,
        detail,
        run_id,
    )
    source = sa.select(*values).join_from(done, users, users.c.id == done.c.user_id).where(~done.c.held, condition)
    return sa.insert(audit_events).from_select(list(_AUDITED), source)
