"""The grammar of `opsmon backups`, `opsmon schedules` and `opsmon drift`."""

from __future__ import annotations

from opsmon.cli.argument_values import day_end, finding_id, keep, limit, run_id, schedule_id, set_id, times
from opsmon.cli.grammar import Commands, Parser, add_output, add_wait

_KIND = "a kind of policy, such as compliance_policies; repeatable; default: all"


def add_backups(commands: Commands) -> None:
    """Add the commands that list, make, show, export and import backup sets."""
    backups = commands.group("backups", "backup sets: list, create, show, export, import")
    found = backups.add("list", "backups:list_sets", "list the backup sets of your tenants, newest first")
    found.add_argument("--tenant", metavar="SLUG", help="default: all of yours")
    found.add_argument("--limit", type=limit, default=50, metavar="N", help="at most N sets, 1 to 1000; default 50")
    add_output(found)
    _add_create(backups)
    show = backups.add("show", "backups:show", "one backup set: its kinds, and what is missing of its items")
    _add_set(show)
    show.add_argument("--kind", metavar="KIND", help="only this kind of policy")
    export = backups.add("export", "backup_folders:export", "write a backup set into a folder, a file for each policy")
    _add_set(export)
    export.add_argument("folder", metavar="DIR", help="a new or an empty folder")
    taken = backups.add("import", "backup_folders:take", "make a backup set of a folder")
    taken.add_argument("folder", metavar="DIR", help="one that was exported, or the export of another tool")
    taken.add_argument("--tenant", required=True, metavar="SLUG")
    taken.add_argument("--name", metavar="N", help="default: the name that the folder says")


def _add_set(parser: Parser) -> None:
    parser.add_argument("set_id", metavar="SET", type=set_id, help="the number of the set")


def _add_create(backups: Commands) -> None:
    create = backups.add("create", "backups:create", "back the policies of a tenant up, as they are now")
    create.add_argument("--tenant", required=True, metavar="SLUG")
    create.add_argument("--name", metavar="N", help="default: none")
    _add_kinds(create, _KIND)
    create.add_argument(
        "--policy", dest="policies", action="append", default=[], metavar="ID", help="only this policy; repeatable"
    )
    create.add_argument("--filter", metavar="GLOB", help="only policies with such a name, as in 'VPN*'")
    add_wait(create)


def _add_kinds(parser: Parser, help: str) -> None:  # noqa: A002 (argparse's word)
    parser.add_argument("--kind", dest="kinds", action="append", default=[], metavar="KIND", help=help)


def add_schedules(commands: Commands) -> None:
    """Add the commands that list, add, change and remove schedules of backups."""
    schedules = commands.group("schedules", "schedules of backups: list, add, edit, remove, next")
    found = schedules.add("list", "schedules:list_schedules", "list schedules, with their next and their last time")
    found.add_argument("--tenant", metavar="SLUG", help="default: all of your tenants")
    add_output(found)
    add = schedules.add("add", "schedules:add", "add a schedule, by which workers make backups")
    add.add_argument("--tenant", required=True, metavar="SLUG")
    _add_settings(add, required=True, zone="default: the zone of this host", kind=_KIND)
    add.add_argument("--disabled", action="store_true", help="let it wait until 'opsmon schedules edit --enable'")
    edit = schedules.add("edit", "schedules:edit", "change a schedule; what is not given stays")
    _add_schedule(edit)
    _add_settings(edit, required=False, zone="", kind="a kind of policy, in place of those it has; repeatable; or all")
    switch = edit.add_mutually_exclusive_group()
    switch.add_argument("--enable", dest="enabled", action="store_const", const=True, help="from now on")
    switch.add_argument("--disable", dest="enabled", action="store_const", const=False, help="until it is enabled")
    remove = schedules.add("remove", "schedules:remove", "remove a schedule; its backups and runs stay")
    _add_schedule(remove)
    coming = schedules.add("next", "schedules:coming", "the next times of a schedule, in its zone and in UTC")
    _add_schedule(coming)
    coming.add_argument("count", metavar="COUNT", nargs="?", type=times, default=5, help="1 to 100; default 5")


def _add_schedule(parser: Parser) -> None:
    parser.add_argument("schedule_id", metavar="SCHEDULE", type=schedule_id, help="the number of the schedule")


def _add_settings(parser: Parser, *, required: bool, zone: str, kind: str) -> None:
    parser.add_argument("--name", required=required, metavar="N")
    parser.add_argument(
        "--cron", required=required, metavar="CRON", help="minute, hour, day, month, weekday, as in '0 3 * * *'"
    )
    shown = "the zone of these times, such as Europe/Berlin"
    parser.add_argument("--zone", metavar="ZONE", help=f"{shown}; {zone}" if zone else shown)
    _add_kinds(parser, kind)
    parser.add_argument(
        "--keep", type=keep, metavar="N", help="how many complete backups are kept, or all; older ones are removed"
    )


def add_drift(commands: Commands) -> None:
    """Add the commands that show drift and accept findings."""
    drift = commands.group("drift", "drift: what changed in a tenant, and what of it is accepted")
    show = drift.add("show", "drift:show", "what a run of drift.generate found, policy by policy")
    show.add_argument("run_id", metavar="RUN", type=run_id)
    accept = drift.add("accept", "drift:accept", "accept a finding, and the same change whenever it is found")
    accept.add_argument("finding_id", metavar="FINDING", type=finding_id)
    accept.add_argument("--reason", required=True, metavar="TEXT", help="why the change may stay")
    accept.add_argument("--until", type=day_end, metavar="DATE", help="the last day, in UTC; default: for good")
