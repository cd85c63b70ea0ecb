"""The simulator as a program; see the package."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from store.errors import InputInvalid
from tasks.graph.simulator import Fault, SimulatedTenant, Simulator, from_folder, synthetic


def tenant_from(text: str) -> SimulatedTenant:
    """`SLUG=seed:7,policies:300` or `SLUG=folder:PATH`. Raises InputInvalid."""
    slug, _, what = text.partition("=")
    if what.startswith("folder:"):
        return from_folder(slug, Path(what.removeprefix("folder:")))
    given = dict(pair.partition(":")[::2] for pair in what.split(",") if pair)
    try:
        if slug and set(given) <= {"seed", "policies"}:
            return synthetic(slug, int(given.get("seed", 1)), int(given.get("policies", 100)))
    except ValueError:
        pass
    raise InputInvalid(f"'{text}' is no tenant", "write SLUG=seed:7,policies:300 or SLUG=folder:PATH")


def faults_from(text: str) -> list[Fault]:
    """A fault or a list of them, in JSON. Raises InputInvalid."""
    try:
        given = json.loads(text)
        return [Fault.from_json(one) for one in (given if isinstance(given, list) else [given])]
    except (ValueError, TypeError):
        raise InputInvalid(f"'{text}' is no fault", 'write {"path": "/x", "status": 403}') from None


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tasks.graph.simulator", description="A simulator of Microsoft Graph."
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--tenant", action="append", default=[], metavar="SLUG=…", help="seed:7,policies:300 or folder:PATH"
    )
    parser.add_argument(
        "--fault", action="append", default=[], metavar="JSON", help="as POST /_simulator/faults takes it"
    )
    parser.add_argument("--page-size", type=int, default=50)
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the process that started it")
    arguments = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        tenants = [tenant_from(text) for text in arguments.tenant]
        faults = [fault for text in arguments.fault for fault in faults_from(text)]
        with Simulator(tenants, arguments.port, max(1, arguments.page_size)) as simulator:
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
