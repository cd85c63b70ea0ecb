"""What processes of opsmon import sooner or later: imported here once, in the process that they are forked from."""

# ruff: noqa: F401 (for the sake of importing)

import huey.consumer
import psycopg
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite.pysqlite

import opsmon.cli
import opsmon.commands.runs
import opsmon.commands.session
import opsmon.commands.worker
import opsmon.doctor
import opsmon.embedded
import opsmon.output
import opsmon.services
import store.schema
import tasks.dispatch
import tasks.graph.client
import tasks.operations.inventory
import tasks.operations.probe
import tasks.queue
import tasks.registry
import tasks.rescue
import tasks.worker
import tests.support.forked
import tests.support.operations
