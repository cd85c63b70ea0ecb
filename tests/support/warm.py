"""What processes of opsmon import sooner or later: imported here once, in the process that they are forked from."""

# ruff: noqa: F401 (for the sake of importing)

import huey.consumer
import psycopg
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite.pysqlite

import opsmon.cli.commands.runs
import opsmon.cli.commands.session
import opsmon.cli.commands.worker
import opsmon.cli.main
import opsmon.doctor
import opsmon.embedded.worker
import opsmon.output
import opsmon.services
import store.schema
import tasks.dispatch
import tasks.graph.client
import tasks.operations.backup_schedule
import tasks.operations.backup_set
import tasks.operations.directory_groups_sync
import tasks.operations.drift_generate
import tasks.operations.inventory_sync
import tasks.operations.policy_sync
import tasks.operations.probe
import tasks.operations.restore.execute
import tasks.operations.restore.preview
import tasks.queue.queue
import tasks.sdk.registry
import tasks.worker.rescuer
import tasks.worker.worker
import tests.support.forked
import tests.support.operations
