"""The tables, described in docs/data-model.md. Migrations create them; a test compares the two."""

from store.model.tables.backups import backup_items, backup_set_kinds, backup_sets
from store.model.tables.base import metadata
from store.model.tables.directory import directory_group_words, directory_groups, directory_state
from store.model.tables.drift import CHANGES, drift_acceptances, drift_findings, drift_reports, kind_reads
from store.model.tables.intune import COMPLETENESS, contents, policies, policy_versions
from store.model.tables.people import audit_events, memberships, tenants, user_settings, users
from store.model.tables.restores import (
    ACTIONS,
    DECISIONS,
    FOUND_BY,
    RESTORE_STATES,
    RESULTS,
    restore_items,
    restore_mappings,
    restore_runs,
    tenant_settings,
)
from store.model.tables.runs import (
    ACTIVE,
    FAILURES,
    IS_ACTIVE,
    IS_QUEUED,
    RETRIES,
    notifications,
    operation_runs,
    rescues,
    run_acknowledgements,
    run_events,
    run_watches,
)
from store.model.tables.schedules import backup_schedules, schedule_ticks
from store.model.tables.workers import IS_PAUSED, PAUSE_HOLDS, queue_pauses, workers

__all__ = [
    "ACTIONS",
    "ACTIVE",
    "CHANGES",
    "COMPLETENESS",
    "DECISIONS",
    "FAILURES",
    "FOUND_BY",
    "IS_ACTIVE",
    "IS_PAUSED",
    "IS_QUEUED",
    "PAUSE_HOLDS",
    "RESTORE_STATES",
    "RESULTS",
    "RETRIES",
    "audit_events",
    "backup_items",
    "backup_schedules",
    "backup_set_kinds",
    "backup_sets",
    "contents",
    "directory_group_words",
    "directory_groups",
    "directory_state",
    "drift_acceptances",
    "drift_findings",
    "drift_reports",
    "kind_reads",
    "memberships",
    "metadata",
    "notifications",
    "operation_runs",
    "policies",
    "policy_versions",
    "queue_pauses",
    "rescues",
    "restore_items",
    "restore_mappings",
    "restore_runs",
    "run_acknowledgements",
    "run_events",
    "run_watches",
    "schedule_ticks",
    "tenant_settings",
    "tenants",
    "user_settings",
    "users",
    "workers",
]
