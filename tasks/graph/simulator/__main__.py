"""Command line of the simulator: `python -m tasks.graph.simulator`. Usage: see the package."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from typing import NoReturn

from store.errors import OpsmonError
from tasks.graph.simulator.arguments import TENANT_HINT, GivenTenant, listen, parse_faults, parse_tenants
from tasks.graph.simulator.tenants import SimulatedTenant


def tell(given: GivenTenant) -> SimulatedTenant:
    """The tenant. Standard error gets what was read of its folder, since standard output is for the one line of JSON."""
    for line in given.report.lines() if given.report else ():
        sys.stderr.write(f"simulator: {given.tenant.slug}: {line}\n")
    return given.tenant


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError("a port is between 0 and 65535")


def _page_size(text: str) -> int:
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError("a page holds at least 1 object")


class _Parser(argparse.ArgumentParser):
    """Reports wrong usage on one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"simulator: {message}: --help tells what can be given\n")


def _arguments() -> argparse.Namespace:
    parser = _Parser(prog="python -m tasks.graph.simulator", description="A simulator of Microsoft Graph.")
    parser.add_argument("--port", type=_port, default=0, help="0 takes a free one")
    parser.add_argument("--tenant", action="append", default=[], metavar="SLUG=…", help=TENANT_HINT)
    parser.add_argument(
        "--fault", action="append", default=[], metavar="JSON", help="as POST /_simulator/faults takes it"
    )
    parser.add_argument("--page-size", type=_page_size, default=50)
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the process that started it")
    return parser.parse_args()


def main() -> int:
    """Serve until SIGTERM or SIGINT, or until standard input closes if asked to. Returns the exit code.

    Prints one line of JSON when ready: the URL, and each tenant's directory id. What was read from folders goes to
    standard error.
    """
    arguments = _arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        tenants = [tell(given) for given in parse_tenants(arguments.tenant)]
        with listen(tenants, arguments.port, parse_faults(arguments.fault), arguments.page_size) as simulator:
            print(json.dumps({"url": simulator.url, "tenants": {t.slug: t.directory for t in tenants}}), flush=True)  # noqa: T201
            if arguments.until_stdin_closes:
                threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
            stop.wait()
    except OpsmonError as error:
        sys.stderr.write(f"simulator: {error}\n")
        return error.exit_code
    return 0


def _stop_at_end_of_input(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
