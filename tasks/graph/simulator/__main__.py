"""Command line of the simulator: `python -m tasks.graph.simulator`. Usage: see the package."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn

from store.errors import InputInvalid
from tasks.graph.simulator import Fault, SimulatedTenant, Simulator, synthetic
from tasks.graph.simulator.folders import load_folder


def tenant_from(text: str) -> SimulatedTenant:
    """Parse `SLUG=seed:7,policies:300` or `SLUG=folder:PATH`. Raises InputInvalid."""
    slug, _, what = text.partition("=")
    if not slug:
        raise InputInvalid(f"'{text}' names no tenant", "write SLUG=seed:7,policies:300 or SLUG=folder:PATH")
    if what.startswith("folder:"):
        return _loaded(slug, Path(what.removeprefix("folder:")))
    given = dict(pair.partition(":")[::2] for pair in what.split(",") if pair)
    try:
        seed, policies = int(given.pop("seed", 1)), int(given.pop("policies", 100))
        if not given and policies >= 0:
            return synthetic(slug, seed, policies)
    except ValueError:
        pass
    raise InputInvalid(f"'{text}' is no tenant", "write SLUG=seed:7,policies:300 or SLUG=folder:PATH")


def _loaded(slug: str, folder: Path) -> SimulatedTenant:
    """The tenant in a folder. Standard error gets what was read, since standard output is for the one line of JSON."""
    tenant, report = load_folder(slug, folder)
    for line in report.lines():
        sys.stderr.write(f"simulator: {slug}: {line}\n")
    return tenant


def faults_from(text: str) -> list[Fault]:
    """Parse a fault, or a list of faults, from JSON. Raises InputInvalid."""
    try:
        given = json.loads(text)
        return [Fault.from_json(one) for one in (given if isinstance(given, list) else [given])]
    except (ValueError, TypeError):
        raise InputInvalid(f"'{text}' is no fault", 'write {"path": "/x", "status": 403}') from None


def _tenants(texts: list[str]) -> list[SimulatedTenant]:
    tenants = [tenant_from(text) for text in texts]
    slugs = [tenant.slug for tenant in tenants]
    for slug in slugs:
        if slugs.count(slug) > 1:
            raise InputInvalid(f"tenant '{slug}' is there twice", "name each once")
    return tenants


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
    parser.add_argument(
        "--tenant", action="append", default=[], metavar="SLUG=…", help="seed:7,policies:300 or folder:PATH"
    )
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
        tenants = _tenants(arguments.tenant)
        faults = [fault for text in arguments.fault for fault in faults_from(text)]
        with Simulator(tenants, arguments.port, arguments.page_size) as simulator:
            for fault in faults:
                simulator.faults.add(fault)
            print(json.dumps({"url": simulator.url, "tenants": {t.slug: t.directory for t in tenants}}), flush=True)  # noqa: T201
            if arguments.until_stdin_closes:
                threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
            stop.wait()
    except InputInvalid as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"simulator: cannot listen on port {arguments.port} ({error.strerror}): choose another\n")
        return 1
    return 0


def _stop_at_end_of_input(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
