"""The grammar of the command line. It names the functions of the commands, but does not import them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from opsmon.cli import opening
from opsmon.cli.argument_values import limit, parameter, port, run_id, seconds, slots
from opsmon.cli.grammar import NEGATION, Commands, Parser, add_output, add_wait, close_match
from opsmon.cli.grammar_backups import add_backups, add_drift, add_schedules
from opsmon.cli.grammar_restores import add_restores
from store.errors import InputInvalid

ROLES: Final = ("owner", "manager", "operator", "readonly")
#: Every option of every command, for suggestions.
OPTIONS: Final = (
    *("--help", "--version", "--json", "--as", "--tenant", "--param", "--wait"),
    *("--limit", "--all", "--name", "--role", "--workers", "--postgres", "--card", "--dry-run", "--probe"),
    *("--synthetic", "--port", "--fault"),
    *("--kind", "--policy", "--filter", "--cron", "--zone", "--keep", "--enable", "--disable", "--disabled"),
    *("--reason", "--until", "--note", "--undo", "--columns", "--watch", "--follow"),
    *("--item", "--update", "--suggest", "--map", "--skip", "--skip-unresolved", "--unresolve", "--skip-blocked"),
    *("--target", "--nothing", "--tenant-name", "--reviewed", "--for-real"),
)
_EPILOG: Final = """\
Without a command: the screens. 'opsmon RUN' opens them at a run, 'opsmon TERM:VALUE ...' with a filter, as in
'opsmon outcome:failed since:2h'. Every command takes --json; errors are JSON then, too.

exit codes: 0 done (with --wait: succeeded), 1 opsmon could not, 2 wrong usage or input, 3 not permitted or not found,
            4 the run ended partially succeeded, 5 the run failed, 6 the wait ran out (the run goes on)
"""


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the arguments. `run` in the result names the command's function, as `module:function` in
    opsmon.cli.commands.

    Raises InputInvalid, and SystemExit after printing help.
    """
    argv = sys.argv[1:] if argv is None else argv
    if any("\ud800" <= char <= "\udfff" for word in argv for char in word):
        raise InputInvalid("an argument is not text in this locale's encoding", "give UTF-8, under a UTF-8 locale")
    if any("\0" in word for word in argv):
        raise InputInvalid("an argument holds a NUL", "leave it out")
    # Not set_defaults: the default of an option after the command would overwrite a value given before it.
    argv, open_run, open_terms = opening.split(argv)
    given = argparse.Namespace(
        json=False, as_login=None, form=None, columns=(), open_run=open_run, open_terms=open_terms
    )
    arguments, rest = make_parser().parse_known_args(argv, given)
    for word in rest:
        _take(word, arguments)
    if arguments.json and arguments.form not in (None, "json", "jsonl"):
        raise InputInvalid(f"--json is not -o {arguments.form}", "give one of them")
    arguments.json = arguments.json or arguments.form in ("json", "jsonl")
    return arguments


def wants_json(argv: Sequence[str]) -> bool:
    """Whether the answer is to be JSON, so that errors are too; also of arguments that cannot be parsed."""
    pairs = zip(argv, [*argv[1:], ""], strict=False)
    return "--json" in argv or any(a in _JSON_FORMS or (a == "-o" and b in ("json", "jsonl")) for a, b in pairs)


_JSON_FORMS: Final = ("-ojson", "-ojsonl", "-o=json", "-o=jsonl")


def _take(word: str, arguments: argparse.Namespace) -> None:
    # argparse fills a positional only once; the words after an option (`runs --limit 5 mine`) are left over.
    is_negation = arguments.more == "filters" and NEGATION.match(word)
    if (word.startswith("-") and not is_negation) or not arguments.more:
        hint = close_match(word.partition("=")[0], OPTIONS) if word.startswith("-") else None
        raise InputInvalid(f"there is no argument '{word}' here", hint or "see 'opsmon --help'")
    typed = {"parameters": parameter, "run_ids": run_id}.get(arguments.more, str)
    getattr(arguments, arguments.more).append(typed(word))


def make_parser() -> Parser:
    """The whole grammar."""
    common = _common()
    parser = Parser(
        prog="opsmon",
        description="Monitor, start and retry long-running tenant operations.",
        epilog=_EPILOG,
        parents=[common],
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.set_defaults(run="screens:screens", more=None)
    commands = Commands(parser, common, "command", required=False)
    _add_runs(commands)
    add_backups(commands)
    add_schedules(commands)
    add_drift(commands)
    add_restores(commands)
    _add_people(commands)
    _add_house(commands)
    return parser


def _common() -> Parser:
    # Without defaults: the default of an option after the command would overwrite a value given before it.
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--json", action="store_true", help="print JSON")
    common.add_argument(
        "--as", dest="as_login", metavar="LOGIN", help="act as another user: for the owner of the embedded database"
    )
    return common


def _add_runs(commands: Commands) -> None:
    start = commands.add("start", "runs:start", "start an operation in a tenant, or join its active twin", "parameters")
    start.add_argument("type", metavar="TYPE", help="the operation: 'opsmon operations' lists them")
    start.add_argument("--tenant", required=True, metavar="SLUG")
    start.add_argument(
        "--param", dest="parameters", action="append", default=[], type=parameter, metavar="K=V", help="repeatable"
    )
    add_wait(start)
    retry = commands.add("retry", "retries:retry", "start completed runs again", more="run_ids")
    retry.add_argument("run_ids", metavar="RUN", nargs="+", type=run_id)
    retry.add_argument(
        "--param",
        dest="parameters",
        action="append",
        default=[],
        type=parameter,
        metavar="K=V",
        help="in place of the run's own; repeatable",
    )
    retry.add_argument("--dry-run", action="store_true", help="show what would happen, and start nothing")
    add_wait(retry)
    ack = commands.add("ack", "acknowledgements:ack", "acknowledge runs that went wrong", more="run_ids")
    ack.add_argument("run_ids", metavar="RUN", nargs="+", type=run_id)
    ack.add_argument("--note", default="", metavar="TEXT", help="what you found out; at most 500 characters")
    ack.add_argument("--undo", action="store_true", help="take it back, by whomever it was acknowledged")
    wait = commands.add("wait", "runs:wait", "wait until a run has ended")
    wait.add_argument("run_id", metavar="RUN", type=run_id)
    wait.add_argument("seconds", metavar="SECONDS", nargs="?", type=seconds, help="at most; default for ever")
    runs = commands.add("runs", "runs:runs", "list runs, newest first", more="filters")
    runs.add_argument(
        "filters",
        metavar="FILTER",
        nargs="*",
        default=[],
        help="status:running outcome:failed type:inventory.* tenant:contoso by:ann since:2h before:5m code:graph.* retry-of:7 "
        "id:8 mine acked, words; -TERM or !TERM: not that",
    )
    runs.add_argument("--limit", type=limit, default=50, metavar="N", help="at most N runs, 1 to 1000; default 50")
    runs.add_argument(
        "--watch", action="store_true", help="go on until ctrl+c: repaint the list, or print what changed into a pipe"
    )
    add_output(runs)
    show = commands.add("show", "runs:show", "everything about one run, its timeline included")
    show.add_argument("run_id", metavar="RUN", type=run_id)
    show.add_argument("--follow", action="store_true", help="print what is new of its timeline until it has ended")
    show.add_argument("--card", action="store_true", help="as plain text to paste into a ticket")
    trail = commands.add("audit", "audit:audit", "who did what in your tenants, newest first", more="filters")
    trail.add_argument(
        "filters",
        metavar="TERM",
        nargs="*",
        default=[],
        help="by:ann action:run.* tenant:contoso since:7d run:17; -TERM or !TERM: not that",
    )
    trail.add_argument("--limit", type=limit, default=50, metavar="N", help="at most N events, 1 to 1000; default 50")
    add_output(trail)
    inbox = commands.add("notifications", "inbox:notifications", "your unread notifications")
    inbox.add_argument("--all", action="store_true", help="also what you have read")
    add_output(inbox)
    add_output(commands.add("operations", "operations:operations", "what can be started, with parameters"))


def _add_people(commands: Commands) -> None:
    tenants = commands.group("tenants", "tenants: add one, list yours", run="people:list_tenants")
    add = tenants.add("add", "people:add_tenant", "add a tenant")
    add.add_argument("slug", metavar="SLUG", help="a-z, 0-9 and dashes")
    add.add_argument("--name", metavar="N", help="default: the slug")
    add_output(tenants.add("list", "people:list_tenants", "list the tenants that you are a member of"))
    members = commands.add("members", "people:list_members", "list the members of a tenant of yours, with their roles")
    members.add_argument("slug", metavar="SLUG")
    add_output(members)
    users = commands.group("users", "users: add, list, give and take roles", run="people:list_users")
    add = users.add("add", "people:add_user", "add a user")
    add.add_argument("login", metavar="LOGIN", help="the login name on this system")
    add.add_argument("--name", metavar="N", help="default: the login")
    add_output(users.add("list", "people:list_users", "list the users, with their roles in your tenants"))
    grant = users.add("grant", "people:grant", "give a user a role in a tenant")
    grant.add_argument("login", metavar="LOGIN")
    grant.add_argument("--tenant", required=True, metavar="SLUG")
    grant.add_argument("--role", required=True, choices=ROLES)
    revoke = users.add("revoke", "people:revoke", "take the role that a user has in a tenant")
    revoke.add_argument("login", metavar="LOGIN")
    revoke.add_argument("--tenant", required=True, metavar="SLUG")


def _add_house(commands: Commands) -> None:
    demo = commands.add("demo", "screens:demo", "the screens on a throw-away database with two simulated tenants")
    demo.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own")
    worker = commands.add("worker", "worker:work", "carry out runs until SIGTERM")
    worker.add_argument("--workers", type=slots, metavar="N", help="runs at a time; default: the setting worker_slots")
    worker.add_argument("--embedded", action="store_true", help=argparse.SUPPRESS)
    queue = commands.add("queue", "queue:queue", "how many runs wait; pause: workers start nothing more until resume")
    queue.add_argument("action", metavar="pause|resume", nargs="?", choices=("pause", "resume"))
    database = commands.group("db", "the database's schema: upgrade, check")
    database.add("upgrade", "database:upgrade", "run the migrations that are missing")
    database.add("check", "database:check", "say what the schema lacks; exit 1 if it lacks anything")
    doctor = commands.add(
        "doctor", "database:doctor", "look at database, schema, clock, queue and workers; exit 1 if one is bad"
    )
    doctor.add_argument(
        "--probe", action="store_true", help="also have a worker carry out a run, which notifies nobody"
    )
    doctor.add_argument(
        "--tenant",
        action="append",
        dest="tenants",
        metavar="SLUG",
        help="also sign in as the tenant's app and try what it can read; can be given several times",
    )
    _add_simulate(commands)
    commands.add("config", "config:config", "the effective settings, and where each came from")
    manual = commands.add("help", "usage:usage", "how a command is used", "words")
    manual.add_argument("words", metavar="COMMAND", nargs="*", default=[], help="default: opsmon itself")
    completion = commands.add("completion", "usage:completion", "print what makes a shell complete opsmon's arguments")
    completion.add_argument("shell", metavar="bash|zsh|fish", choices=("bash", "zsh", "fish"))


def _add_simulate(commands: Commands) -> None:
    simulate = commands.add(
        "simulate", "simulate:simulate", "simulate Microsoft Graph on this machine, until ctrl+c", "folders"
    )
    simulate.add_argument(
        "folders", metavar="FOLDER", nargs="*", default=[], help="a folder of exported JSON, which becomes a tenant"
    )
    simulate.add_argument(
        "--synthetic", action="store_true", help="the tenant contoso with 300 policies; the default without any other"
    )
    simulate.add_argument("--port", type=port, default=8765, metavar="N", help="default 8765; 0 takes a free one")
    simulate.add_argument(
        "--tenant",
        dest="tenants",
        action="append",
        default=[],
        metavar="SLUG=...",
        help="SLUG=seed:7,policies:300,groups:2000,cloud:gcc_high or SLUG=folder:PATH; repeatable",
    )
    simulate.add_argument(
        "--fault",
        dest="faults",
        action="append",
        default=[],
        metavar="JSON",
        help='what goes wrong, such as {"path": "/assign", "status": 503}; repeatable',
    )
