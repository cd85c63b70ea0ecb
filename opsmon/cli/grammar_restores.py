"""The grammar of `opsmon restore`."""

from __future__ import annotations

from opsmon.cli.argument_values import limit, plan_item, restore_id, restore_item_id, set_id
from opsmon.cli.grammar import Commands, Parser, add_output, add_wait

_GROUP = "a source group's id, or the exact name that it alone has"


def add_restores(commands: Commands) -> None:
    """Add the commands that plan, map, preview, execute and show restores. Without a command they are listed."""
    restore = commands.group(
        "restore", "restores of backup sets: plan, map, preview, show, execute, …", run="restores:list_restores"
    )
    found = restore.add("list", "restores:list_restores", "list restores, newest first")
    found.add_argument("--tenant", metavar="SLUG", help="into this tenant or out of it; default: all of yours")
    found.add_argument("--limit", type=limit, default=50, metavar="N", help="at most N restores, 1 to 1000; default 50")
    add_output(found)
    _add_plan(restore)
    _add_map(restore)
    preview = restore.add("preview", "restores:preview", "have a worker read the target and say what would be done")
    _add_restore(preview)
    add_wait(preview)
    show = restore.add("show", "restores:show", "how a restore stands, and what is in its way")
    _add_restore(show)
    show.add_argument("--all", action="store_true", help="every item, not only those that want attention")
    show.add_argument("--item", dest="item_id", type=restore_item_id, metavar="ITEM", help="one item in full")
    _add_choose(restore)
    agree = restore.add("agree", "restore_choices:agree", "agree to what wants a tick of its own, and to nothing else")
    _add_restore(agree)
    agree.add_argument(
        "ticks", metavar="TICK", nargs="*", default=[], help="everybody, no_actions, downgrade; none takes all back"
    )
    _add_execute(restore)
    resume = restore.add("continue", "restores:resume", "go on with what waited for approval")
    _add_restore(resume)
    add_wait(resume)
    discard = restore.add("discard", "restore_choices:discard", "give a preview up")
    _add_restore(discard)


def _add_restore(parser: Parser) -> None:
    parser.add_argument("restore_id", metavar="RESTORE", type=restore_id, help="the number of the restore")


def _add_plan(restore: Commands) -> None:
    plan = restore.add("plan", "restores:plan", "plan the restore of a backup set, or of a part of it, into a tenant")
    plan.add_argument("set_id", metavar="SET", type=set_id, help="the number of the backup set")
    plan.add_argument("--tenant", required=True, metavar="SLUG", help="where it is to write")
    plan.add_argument(
        "--kind", dest="kinds", action="append", default=[], metavar="KIND",
        help="a kind of policy, such as compliance_policies; repeatable; default: all",
    )  # fmt: skip
    plan.add_argument(
        "--item", dest="items", action="append", default=[], type=plan_item, metavar="ID",
        help="only this item of the set, by its number or the policy's id; repeatable",
    )  # fmt: skip
    plan.add_argument(
        "--update", action="store_true", help="also change what differs; else only create what is missing"
    )
    plan.add_argument("--reason", default="", metavar="TEXT", help="for the audit trail, and for those who approve")


def _add_map(restore: Commands) -> None:
    groups = restore.add("map", "restore_mapping:decide", "map the groups of a restore, skip them, or list them")
    _add_restore(groups)
    groups.add_argument("--suggest", action="store_true", help="look again for those that nobody decided on")
    groups.add_argument("--map", dest="maps", action="append", default=[], metavar="GROUP=TARGET", help=_GROUP)
    groups.add_argument("--skip", dest="skips", action="append", default=[], metavar="GROUP", help="leave it out")
    groups.add_argument(
        "--unresolve", dest="unresolves", action="append", default=[], metavar="GROUP", help="take a decision back"
    )
    groups.add_argument("--skip-unresolved", action="store_true", help="leave all others out that are unresolved")


def _add_choose(restore: Commands) -> None:
    choose = restore.add("choose", "restore_choices:choose", "choose what becomes of an item")
    _add_restore(choose)
    choose.add_argument("item_id", metavar="ITEM", nargs="?", type=restore_item_id, help="the number of the item")
    what = choose.add_mutually_exclusive_group(required=True)
    what.add_argument("--skip", action="store_true", help="leave it out")
    what.add_argument("--target", metavar="ID", help="it is this object of the target, one that the preview names")
    what.add_argument("--nothing", action="store_true", help="take the choice back")
    what.add_argument("--skip-blocked", action="store_true", help="leave out everything that is blocked or ambiguous")


def _add_execute(restore: Commands) -> None:
    execute = restore.add("execute", "restores:execute", "carry out what was previewed; a dry run unless --for-real")
    _add_restore(execute)
    execute.add_argument("--tenant-name", default="", metavar="NAME", help="the name of the tenant that it writes to")
    execute.add_argument("--reviewed", action="store_true", help="you have reviewed the impact")
    execute.add_argument("--for-real", action="store_true", help="write; without it everything but the writes is done")
    add_wait(execute)
